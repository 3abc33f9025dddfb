#include "tools/serve/http/outcome_mailbox.h"

#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::http {

namespace {

Message message_to(std::initializer_list<const char*> addresses) {
  Message message;
  message.id = "a";
  for (const char* address : addresses) {
    message.recipients.add(address);
  }
  return message;
}

}  // namespace

TEST_CASE("mailbox: whoever reads it is rung for once until he has come") {
  int rings = 0;
  ByteBudget budget;
  const auto mailbox = std::make_shared<OutcomeMailbox>(
      OutcomeMailboxOptions{{}, false, [&rings] { ++rings; }}, budget);
  const auto slot = OutcomeMailbox::slot_of(mailbox);
  const Message message = message_to({"ann@example.net", "bob@example.org"});
  std::vector<Outcome> outcomes(2);
  outcomes[0].status = Status::accepted;
  slot(message, outcomes);
  slot(message, outcomes);
  CHECK(rings == 1);
  const Mail mail = mailbox->take();
  CHECK(mail.messages == 2);
  CHECK(mail.by_status[static_cast<std::size_t>(Status::accepted)] == 2);
  CHECK(mail.by_status[static_cast<std::size_t>(Status::unsent)] == 2);
  slot(message, outcomes);
  CHECK(rings == 2);
  mailbox->close();
  slot(message, outcomes);
  CHECK(rings == 2);
  CHECK(mailbox->take().messages == 0);
}

TEST_CASE("mailbox: lines leave in pieces, in their order") {
  ByteBudget budget;
  const auto mailbox =
      std::make_shared<OutcomeMailbox>(OutcomeMailboxOptions{{}, false, [] {}}, budget);
  const auto slot = OutcomeMailbox::slot_of(mailbox);
  std::string all;
  for (int i = 0; i < 20; ++i) {
    Message message = message_to({"ann@example.net"});
    message.id = std::to_string(i);
    slot(message, std::vector<Outcome>(1));
  }
  const std::size_t bytes = mailbox->line_bytes();
  while (mailbox->line_bytes() > 0) {
    const std::string piece = mailbox->take_lines(100);
    REQUIRE((!piece.empty() && piece.size() <= 100));
    all += piece;
  }
  CHECK(all.size() == bytes);
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = all.find("{\"id\":\"" + std::to_string(i) + "\"", at);
    CHECK(at != std::string::npos);
  }
}

TEST_CASE(
    "mailbox: lines beyond the budget are left out and counted, and what is taken comes back") {
  ByteBudget budget(10'000);
  const auto mailbox =
      std::make_shared<OutcomeMailbox>(OutcomeMailboxOptions{{}, true, [] {}}, budget);
  const auto slot = OutcomeMailbox::slot_of(mailbox);
  Message message = message_to({"ann@example.net"});
  message.metadata_json = "\"" + std::string(1000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    slot(message, std::vector<Outcome>(1));
  }
  CHECK(budget.left() < 10'000);
  const Mail mail = mailbox->take();
  CHECK(mail.messages == 100);
  CHECK(mail.left_out > 0);
  CHECK(mail.left_out < 50);
  CHECK(mailbox->line_bytes() <= 10'000 + bytes_waiting_uncounted);
  static_cast<void>(mailbox->take_lines(std::string::npos));
  CHECK(mailbox->take_failed().size() == 100 - mail.left_out);
  CHECK(budget.left() == 10'000);
}

}  // namespace ringpost::http
