#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/delivery.h"
#include <ringpost/limits.h>
#include <ringpost/message.h>

using namespace ringpost;

TEST_CASE("recipient list: addresses come back as they went in, in their order") {
  RecipientList list;
  CHECK(list.empty());
  std::string before;
  std::vector<std::string> given;
  for (int i = 0; i < 300; ++i) {
    given.push_back(std::string(static_cast<std::size_t>(i % 7), 'x') + std::to_string(i));
    list.add(given.back());
    before += given.back() + "\n";
  }
  REQUIRE(list.size() == given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    CHECK(list[i] == given[i]);
  }
  CHECK(list.in_front_of(0).empty());
  CHECK(list.in_front_of(1) == "0\n");
  CHECK(list.in_front_of(300) == before);
  list.clear();
  CHECK(list.empty());
  list.add("a@b");
  CHECK(list[0] == "a@b");
  CHECK(list.in_front_of(1) == "a@b\n");
}

TEST_CASE("recipient list: one takes those of another, and an address may be empty") {
  RecipientList list;
  RecipientList others;
  others.add("a@b");
  others.add("");
  list.take(others);
  RecipientList more;
  more.add("c@d");
  more.add("e\n@f");
  list.take(more);
  REQUIRE(list.size() == 4);
  CHECK(list[0] == "a@b");
  CHECK(list[1].empty());
  CHECK(list[2] == "c@d");
  CHECK(list[3] == "e\n@f");
}

TEST_CASE("message: clearing empties everything") {
  Message message;
  message.id = message.origin.file = message.sender = message.endpoint = "x";
  message.idempotency_key = "x";
  message.tags_json = message.metadata_json = "{}";
  message.dsn.notify = message.dsn.return_kind = message.dsn.envelope_id = "x";
  message.recipient_id = "x";
  message.origin = {"f", 1, 2, 3, 4, 5};
  message.needs_smtputf8 = true;
  REQUIRE(ContentMaker().assign(message.content, ".\xc3\xa4\r\n"));
  message.expires_at_us = 1;
  message.recipients.add("a@b");
  message.clear();
  CHECK((message.id + message.origin.file + message.sender + message.endpoint +
         message.idempotency_key + message.recipient_id + message.tags_json +
         message.metadata_json + message.dsn.notify + message.dsn.return_kind +
         message.dsn.envelope_id)
            .empty());
  CHECK(message.origin.line == 0);
  CHECK(message.origin.ordinal == 0);
  CHECK(message.origin.line_hash == 0);
  CHECK(message.origin.first_recipient == 0);
  CHECK(message.origin.job_recipients == 0);
  CHECK_FALSE(message.needs_smtputf8);
  CHECK(message.content.empty());
  CHECK(message.content.traits() == ContentTraits{});
  CHECK(message.expires_at_us == 0);
  CHECK(message.recipients.empty());
}

TEST_CASE("message: small buffers are kept, swollen ones are given back") {
  Message message;
  ContentMaker::open(message.content).assign(1000, 'x');
  const char* const kept = message.content.own_data();
  message.clear();
  CHECK(message.content.own_data() == kept);
  ContentMaker::open(message.content).assign(limits::job_bytes_kept_max * 2, 'x');
  for (int i = 0; i < 100'000; ++i) {
    message.recipients.add("reader@example.net");
  }
  message.clear();
  CHECK(message.content.own_bytes() <= limits::job_bytes_kept_max);
  CHECK(message.recipients.bytes() <= 2 * limits::job_bytes_kept_max);
}

TEST_CASE("delivery: a recipient that is used again has nothing of the one before") {
  Message message;
  for (const char* const address : {"a@b", "c@d", "e@f"}) {
    message.recipients.add(address);
  }
  Delivery delivery;
  delivery.message = &message;
  delivery.begin = 1;
  delivery.end = 3;
  delivery.open();
  REQUIRE(delivery.active_recipients().size() == 2);
  CHECK(delivery.address(0) == "c@d");
  CHECK(delivery.address(1) == "e@f");
  Recipient& first = delivery.recipients[0];
  first.outcome.status = Status::accepted;
  first.outcome.text = "ok";
  first.progress = RecipientProgress::refused;
  first.decided = first.reported = first.postponed = first.noted_in_flight = true;
  delivery.end = 2;
  delivery.open();
  CHECK(&delivery.active_recipients()[0] == &first);
  CHECK(delivery.active_recipients().size() == 1);
  CHECK(first.outcome.status == Status::unsent);
  CHECK(first.outcome.text.empty());
  CHECK(first.progress == RecipientProgress::waiting);
  CHECK_FALSE((first.decided || first.reported || first.postponed || first.noted_in_flight));
}
