#include "engine/protocol/flight.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/mail.h"
#include "tests/support/shown.h"

using namespace ringpost;
using protocol::Flight;
using protocol::Frontier;
using protocol::Pipelining;
using protocol::ServerTraits;
using protocol::SessionOptions;
using protocol::Transaction;

namespace {

test::Mail letter(std::vector<std::string> recipients = {"r@b.example"}) {
  return test::make_mail(
      {.recipients = std::move(recipients), .content = "Subject: x\r\n\r\ny\r\n"});
}

// With a server that was seen to go along with flights.
struct Airfield {
  Airfield() {
    codec::Capabilities capabilities;
    capabilities.pipelining = capabilities.chunking = true;
    traits.hear_hello({250, {}, "mx.example", 1}, capabilities);
  }

  // As many as there is room for.
  std::size_t fill() {
    while (flight.has_room()) {
      mails.push_back(letter());
      flight.add(mails.back().delivery, flight.recipients_room(0));
    }
    return flight.size();
  }

  // All of it is sent and accepted.
  void land() {
    while (!flight.empty()) {
      flight.grow();
      flight.pop();
    }
  }

  SessionOptions options;
  ServerTraits traits{options, test::shown(Pipelining::flights)};
  Flight flight{options, traits};
  std::vector<test::Mail> mails;
};

}  // namespace

TEST_CASE("flight: messages keep their numbers while its ring grows, and leave in their order") {
  Airfield field;
  field.options.messages_in_flight_max = 20;
  CHECK(field.fill() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(field.flight.at(i).delivery == &field.mails[i].delivery);
  }
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(field.flight.done() == i);
    CHECK(&field.flight.pop() == &field.mails[i].delivery);
  }
  CHECK(field.flight.empty());
  CHECK(field.flight.sending() == 20);
}

TEST_CASE("flight: one that was full and came back doubles, up to a limit") {
  Airfield field;
  std::vector<std::size_t> depths;
  for (int i = 0; i < 4; ++i) {
    depths.push_back(field.fill());
    field.land();
  }
  CHECK(depths == std::vector<std::size_t>{8, 16, 32, limits::flight_messages_max});
}

TEST_CASE("flight: the octets in flight end it, but for the second message") {
  Airfield field;
  field.options.flight_bytes_max = 1;
  CHECK(field.fill() == 2);
}

TEST_CASE("flight: a transaction has the recipients that are open, and no more than it may") {
  Airfield field;
  test::Mail mail = letter({"a@b.example", "b@b.example", "c@b.example", "d@b.example"});
  mail.delivery.recipients[0].decided = true;
  Transaction& added = field.flight.add(mail.delivery, 2);
  CHECK(added.offered == 2);
  CHECK(added.recipients_begin == 1);
  CHECK(added.recipients_end == 3);
  CHECK(mail.delivery.recipients[3].progress == RecipientProgress::waiting);
  added.skip_to_next_recipient();
  CHECK(added.next_recipient == 2);
  added.skip_to_next_recipient();
  CHECK(added.next_recipient == added.recipients_end);
}

TEST_CASE("flight: an end of data is announced once, and anew when its message begins anew") {
  Airfield field;
  field.options.messages_in_flight_max = 2;
  field.fill();
  CHECK(field.flight.announce(1000) == nullptr);
  field.flight.at(0).end_offset = 100;
  field.flight.at(1).end_offset = 200;
  CHECK(field.flight.announce(99) == nullptr);
  CHECK(field.flight.announce(150) == &field.flight.at(0));
  CHECK(field.flight.announce(150) == nullptr);
  CHECK(field.flight.announce(200) == &field.flight.at(1));
  field.flight.restart(field.flight.front().in_lock_step());
  CHECK(field.flight.sending() == 0);
  CHECK(field.flight.front().one_by_one);
  CHECK(field.flight.announce(1000) == nullptr);
  field.flight.front().end_offset = 300;
  CHECK(field.flight.announce(1000) == &field.flight.front());
}

TEST_CASE("flight: of two at one endpoint one is the scout, until it is over") {
  Frontier frontier;
  Airfield scout;
  Airfield other;
  scout.flight.go_with(frontier);
  other.flight.go_with(frontier);
  CHECK(scout.fill() == 8);
  CHECK(other.fill() == 1);
  scout.flight.end();
  CHECK(other.fill() == 8);
  scout.land();  // tells nobody any more
  CHECK(other.fill() == 8);
}
