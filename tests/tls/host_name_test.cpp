#include "tls/host_name.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tls/der.h"

namespace ringpost::tls::test {

namespace {

CertificateNames hosts(std::vector<std::string> names) { return {std::move(names), {}}; }

// As little of a certificate as certificate_names() walks through.
std::string certificate(Bytes extensions_field) {
  return der::make(
      der::sequence,
      {der::make(der::sequence, {der::make(der::context_constructed(0), "v"),
                                 der::make(der::integer, "1"), extensions_field}),
       der::make(der::sequence, "algorithm"), der::make(der::bit_string, "signature")});
}

std::string extensions(Bytes list) {
  return der::make(der::context_constructed(3), der::make(der::sequence, list));
}

std::string alternative_names(Bytes names, bool critical = false) {
  return der::make(der::sequence, {der::make(der::object_identifier, "\x55\x1d\x11"),
                                   critical ? der::make(der::boolean, "\xff") : std::string(),
                                   der::make(der::octet_string, der::make(der::sequence, names))});
}

}  // namespace

TEST_CASE("host name: case does not count, everything else does") {
  CHECK(names_match(hosts({"mail.example.com"}), "MAIL.Example.COM"));
  CHECK(names_match(hosts({"MAIL.EXAMPLE.COM"}), "mail.example.com"));
  CHECK(names_match(hosts({"a.example", "mail.example.com"}), "mail.example.com"));
  CHECK(names_match(hosts({"mail.example.com"}), "mail.example.com."));
  CHECK(names_match(hosts({"mail.example.com."}), "mail.example.com"));
  CHECK_FALSE(names_match(hosts({"mail.example.com"}), "mail.example.co"));
  CHECK_FALSE(names_match(hosts({"mail.example.com"}), "xmail.example.com"));
  CHECK_FALSE(names_match(hosts({"mail.example.com"}), "example.com"));
  CHECK_FALSE(names_match(hosts({""}), ""));
  CHECK_FALSE(names_match(hosts({}), "mail.example.com"));
  // A NUL ends nothing: the classic certificate for "mail.example.com\0.evil.example".
  CHECK_FALSE(
      names_match(hosts({std::string("mail.example.com\0.evil.example", 30)}), "mail.example.com"));
}

TEST_CASE("host name: a wildcard is the whole first label and stands for exactly one") {
  CHECK(names_match(hosts({"*.example.com"}), "a.example.com"));
  CHECK(names_match(hosts({"*.Example.com"}), "A.example.COM"));
  CHECK_FALSE(names_match(hosts({"*.example.com"}), "a.b.example.com"));
  CHECK_FALSE(names_match(hosts({"*.example.com"}), "example.com"));
  CHECK_FALSE(names_match(hosts({"*.example.com"}), ".example.com"));
  CHECK_FALSE(names_match(hosts({"*.com"}), "example.com"));
  CHECK_FALSE(names_match(hosts({"*"}), "example"));
  CHECK_FALSE(names_match(hosts({"*."}), "example."));
  CHECK_FALSE(names_match(hosts({"m*.example.com"}), "mail.example.com"));
  CHECK_FALSE(names_match(hosts({"mail.*.com"}), "mail.example.com"));
  CHECK_FALSE(names_match(hosts({"*.*.com"}), "mail.example.com"));
}

TEST_CASE("host name: an address matches an equal address and never a name") {
  const CertificateNames addresses = {{}, {std::string("\xc0\0\x02\x01", 4)}};
  CHECK(names_match(addresses, "192.0.2.1"));
  CHECK_FALSE(names_match(addresses, "192.0.2.2"));
  CHECK_FALSE(names_match(hosts({"192.0.2.1"}), "192.0.2.1"));
  CHECK_FALSE(names_match(hosts({"*.0.2.1"}), "192.0.2.1"));
  std::string six(16, '\0');
  six[15] = 1;
  CHECK(names_match({{}, {six}}, "::1"));
  CHECK(names_match({{}, {six}}, "0:0:0:0:0:0:0:1"));
  CHECK_FALSE(names_match({{}, {six}}, "::2"));
  CHECK_FALSE(names_match({{}, {six}}, "0.0.0.1"));
}

TEST_CASE("host name: names are read from the alternative names and from nowhere else") {
  const std::string names = der::make(der::context(2), "a.example") +
                            der::make(der::context(1), "somebody@mail.example") +
                            der::make(der::context(6), "https://c.example/") +
                            der::make(der::context(7), "\x7f\x01\x02\x03") +
                            der::make(der::context(2), "b.example");
  const bool critical = GENERATE(false, true);
  const std::string other = der::make(
      der::sequence,
      {der::make(der::object_identifier, "\x55\x1d\x0e"), der::make(der::octet_string, "key")});
  const auto read =
      certificate_names(certificate(extensions(other + alternative_names(names, critical))));
  REQUIRE(read);
  CHECK(read->hosts == std::vector<std::string>{"a.example", "b.example"});
  CHECK(read->addresses == std::vector<std::string>{"\x7f\x01\x02\x03"});
}

TEST_CASE("host name: a certificate without alternative names has none, which is no error") {
  const auto without_extensions = certificate_names(certificate(""));
  REQUIRE(without_extensions);
  CHECK(without_extensions->hosts.empty());
  const auto empty_extensions = certificate_names(certificate(extensions("")));
  REQUIRE(empty_extensions);
  CHECK(empty_extensions->hosts.empty());
}

TEST_CASE("host name: no truncation and no changed octet of a certificate makes the reader fall") {
  const std::string whole =
      certificate(extensions(alternative_names(der::make(der::context(2), std::string(300, 'a')))));
  REQUIRE(certificate_names(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string cut(whole, 0, length);  // its own memory, for the sanitizer
    CHECK_FALSE(certificate_names(cut));
  }
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = whole;
      changed[place] = static_cast<char>(changed[place] ^ change);
      static_cast<void>(certificate_names(changed));
    }
  }
}

TEST_CASE("host name: what a certificate says is shown printable and not endlessly") {
  CHECK(describe({}).empty());
  CHECK(describe(hosts({"a.example"})) == "a.example");
  CHECK(describe({{"a.example"}, {std::string("\x7f\0\0\x01", 4), "?"}}) ==
        "a.example, 127.0.0.1, a malformed address");
  CHECK(describe(hosts({"1", "2", "3", "4", "5", "6", "7"})) == "1, 2, 3, 4, 5 and 2 more");
  CHECK(describe(hosts({"a\r\nb\x1b[0m\xff"})) == "a??b?[0m?");
  CHECK(printable("abcdef", 3) == "abc");
}

TEST_CASE("der: what was made is taken, at each form of the length") {
  const std::size_t size = GENERATE(0u, 1u, 127u, 128u, 255u, 256u, 65535u);
  const std::string content(size, 'x');
  const std::string element = der::make(der::octet_string, content) + "rest";
  Bytes rest = element;
  CHECK_FALSE(der::take(rest, der::sequence));
  CHECK(rest.size() == element.size());
  const auto taken = der::take(rest, der::octet_string);
  REQUIRE(taken);
  CHECK(*taken == content);
  CHECK(rest == "rest");
}

TEST_CASE("der: lengths that are not the shortest, endless or too long are refused") {
  using namespace std::string_view_literals;
  for (const Bytes bytes :
       {""sv, "\x30"sv, "\x30\x01"sv, "\x30\x80\0\0"sv, "\x30\x81\x7fx"sv, "\x30\x82\0\x80"sv,
        "\x30\x83\0\0\x01x"sv, "\x30\x81"sv, "\x30\x82\x01"sv, "\x1f\x01\x01"sv, "\x30\xff"sv}) {
    Bytes rest = bytes;
    CHECK_FALSE(der::take(rest));
    CHECK(rest.size() == bytes.size());
  }
}

}  // namespace ringpost::tls::test
