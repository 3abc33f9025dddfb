#include "tls/ticket_answer.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::tls::test {

namespace {

std::string record(char type, std::string_view content) {
  std::string text(1, type);
  text += "\x03\x03";
  text += static_cast<char>(content.size() >> 8);
  text += static_cast<char>(content.size() & 0xff);
  return text.append(content);
}

std::string message(char type, std::string_view content) {
  std::string text(1, type);
  text += '\0';
  text += static_cast<char>(content.size() >> 8);
  text += static_cast<char>(content.size() & 0xff);
  return text.append(content);
}

const std::string hello = message(2, std::string(70, 'h'));
const std::string certificate_message = message(11, std::string(900, 'c'));
const std::string ticket = message(4, std::string(170, 't'));

}  // namespace

TEST_CASE("ticket answer: a certificate behind the ServerHello means refused, however it is cut") {
  const std::string together = record(22, hello + certificate_message);
  const std::string apart = record(22, hello) + record(22, certificate_message);
  std::string crumbs;
  for (const char octet : hello + certificate_message) {
    crumbs += record(22, std::string(1, octet));
  }
  for (const std::string& flight : {together, apart, crumbs}) {
    CHECK(ticket_verdict(flight) == TicketVerdict::refused);
    bool known = false;
    for (std::size_t length = 0; length <= flight.size(); ++length) {
      const auto verdict = ticket_verdict(Bytes(flight).substr(0, length));
      known = known || verdict != TicketVerdict::unknown;
      REQUIRE(verdict == (known ? TicketVerdict::refused : TicketVerdict::unknown));
    }
  }
}

TEST_CASE("ticket answer: a new ticket or a change of cipher means taken") {
  CHECK(ticket_verdict(record(22, hello + ticket)) == TicketVerdict::taken);
  CHECK(ticket_verdict(record(22, hello) + record(22, ticket)) == TicketVerdict::taken);
  CHECK(ticket_verdict(record(22, hello) + record(20, "\x01")) == TicketVerdict::taken);
}

TEST_CASE("ticket answer: whatever else it is, wolfSSL is to look at it") {
  CHECK(ticket_verdict("220 mail.example.com") == TicketVerdict::other);
  CHECK(ticket_verdict(record(21, "\x02\x28")) == TicketVerdict::other);
  CHECK(ticket_verdict(record(20, "\x01")) == TicketVerdict::other);
  CHECK(ticket_verdict(record(22, certificate_message)) == TicketVerdict::other);
  CHECK(ticket_verdict(record(22, hello + hello)) == TicketVerdict::other);
  CHECK(ticket_verdict(record(22, hello) + record(21, "\x02\x28")) == TicketVerdict::other);
}

TEST_CASE("ticket answer: an endless ServerHello is not waited for") {
  std::string endless = record(22, message(2, std::string(60000, 'h')));
  endless[6] = '\x7f';
  CHECK(ticket_verdict(Bytes(endless).substr(0, 10000)) == TicketVerdict::unknown);
  CHECK(ticket_verdict(endless) == TicketVerdict::other);
}

}  // namespace ringpost::tls::test
