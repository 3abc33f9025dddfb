// Goal: answers are read as RFC 1035 writes them, and no octet of a stranger is trusted.
#include "tools/domain/dns_message.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

namespace {

using namespace std::string_literals;

std::string number(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

// The question is a.example, at offset 12, and each record's owner is written by itself.
std::string message_of(unsigned code, unsigned count, const std::string& records) {
  return "\0\1\x81"s + static_cast<char>(0x80 | code) + number(1) + number(count) + "\0\0\0\0"s +
         "\1a\7example\0"s + number(16) + number(1) + records;
}

std::string record_of(const std::string& owner, DnsType type, const std::string& data) {
  return owner + number(static_cast<unsigned>(type)) + number(1) + "\0\0\0\x3c"s +
         number(static_cast<unsigned>(data.size())) + data;
}

const std::string here = "\xc0\x0c";
const std::string there = "\1b\7example\0"s;

DnsAnswer read(const std::string& message, DnsType type = DnsType::txt) {
  return read_dns_message(message, {"A.example", type});
}

}  // namespace

TEST_CASE("dns message: strings of a record are one text, records are several") {
  const DnsAnswer answer = read(message_of(
      0, 2, record_of(here, DnsType::txt, "\3abc\2de") + record_of(here, DnsType::txt, "\0"s)));
  CHECK(answer.result == DnsResult::found);
  CHECK(answer.values == std::vector<std::string>{"abcde", ""});
  CHECK(answer.alias_of.empty());
}

TEST_CASE("dns message: a CNAME is followed, and told") {
  const std::string alias = record_of(here, DnsType::cname, there);
  const DnsAnswer answer = read(message_of(0, 2, record_of(there, DnsType::txt, "\1x") + alias));
  CHECK(answer.values == std::vector<std::string>{"x"});
  CHECK(answer.alias_of == "b.example");
  const DnsAnswer nowhere = read(message_of(3, 1, alias));
  CHECK(nowhere.result == DnsResult::no_name);
  CHECK(nowhere.alias_of == "b.example");
  const DnsAnswer itself = read(message_of(0, 1, record_of(here, DnsType::cname, here)));
  CHECK(itself.result == DnsResult::no_data);
}

TEST_CASE("dns message: hosts of mail come by preference, addresses as text") {
  const DnsAnswer hosts =
      read(message_of(0, 2,
                      record_of(here, DnsType::mx, number(20) + here) +
                          record_of(here, DnsType::mx, number(10) + "\2mx" + here)),
           DnsType::mx);
  CHECK(hosts.values == std::vector<std::string>{"mx.a.example", "a.example"});
  CHECK(
      read(message_of(0, 1, record_of(here, DnsType::mx, number(0) + "\0"s)), DnsType::mx).values ==
      std::vector<std::string>{""});
  CHECK(read(message_of(0, 1, record_of(here, DnsType::a, "\x7f\0\0\1"s)), DnsType::a).values ==
        std::vector<std::string>{"127.0.0.1"});
}

TEST_CASE("dns message: codes are told from missing records") {
  CHECK(read(message_of(0, 0, "")).result == DnsResult::no_data);
  CHECK(read(message_of(3, 0, "")).result == DnsResult::no_name);
  CHECK(read(message_of(2, 0, "")).error == "SERVFAIL");
  CHECK(read(message_of(5, 0, "")).error == "REFUSED");
  CHECK(read(message_of(11, 0, "")).error == "code 11");
}

TEST_CASE("dns message: what does not hold together is no answer") {
  const std::string good = message_of(0, 1, record_of(here, DnsType::txt, "\3abc"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(read(good.substr(0, size)).result == DnsResult::failed);
  }
  // A record that is longer or shorter than its type, a pointer forwards, a label of no kind.
  CHECK_FALSE(read(message_of(0, 1, record_of(here, DnsType::txt, "\4abc"))).error.empty());
  CHECK_FALSE(read(message_of(0, 1, record_of(here, DnsType::a, "abc")), DnsType::a).error.empty());
  CHECK_FALSE(read(message_of(0, 1, record_of("\xc0\x60", DnsType::txt, "\1a"))).error.empty());
  CHECK_FALSE(read(message_of(0, 1, record_of("\x80\1", DnsType::txt, "\1a"))).error.empty());
  CHECK(read(message_of(0, 1, record_of("\3a\n.\0"s, DnsType::txt, "\1a"))).result ==
        DnsResult::no_data);
}
