// What lies within a subtree, for each kind of name; whole chains are path_test.py's.
#include "tls/name_constraints.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "tls/certificate.h"
#include "tls/der.h"
#include "tls/distinguished_name.h"

namespace ringpost::tls::test {

namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t mail_tag = der::context(1);
constexpr std::uint8_t host_tag = der::context(2);
constexpr std::uint8_t uri_tag = der::context(6);
constexpr std::uint8_t address_tag = der::context(7);
constexpr std::uint8_t registered_id_tag = der::context(8);
constexpr Bytes common_name_id = "\x55\x04\x03"sv;
constexpr Bytes organisation_id = "\x55\x04\x0a"sv;

std::string attribute(Bytes id, Bytes value, std::uint8_t tag = der::utf8_string) {
  return der::make(der::set, der::make(der::sequence, {der::make(der::object_identifier, id),
                                                       der::make(tag, value)}));
}

std::string general_name(std::uint8_t tag, Bytes value) { return der::make(tag, value); }

std::string directory_name(Bytes relative) {
  return der::make(der::context_constructed(4), der::make(der::sequence, relative));
}

std::string subtree(const std::string& base) { return der::make(der::sequence, base); }

// The value of the extension.
std::string constraints_of(std::string_view permitted, std::string_view excluded) {
  return der::make(
      der::sequence,
      {permitted.empty() ? std::string() : der::make(der::context_constructed(0), permitted),
       excluded.empty() ? std::string() : der::make(der::context_constructed(1), excluded)});
}

// Whether a leaf with this alternative name and subject may stand below a CA with these.
bool is_allowed(const std::string& value, const std::string& name, const std::string& subject) {
  const auto constraints = parse_name_constraints(value);
  REQUIRE(constraints);
  Certificate certificate;
  certificate.alternative_names = name;
  certificate.subject = subject;
  const auto comparable = comparable_name(subject);
  REQUIRE(comparable);
  certificate.comparable_subject = *comparable;
  return !find_violation(certificate, *constraints, true);
}

// The same for one subtree, permitted; excluded has to say the opposite.
bool lies_within(std::uint8_t tag, Bytes name, Bytes base) {
  const std::string one = subtree(general_name(tag, base));
  const std::string of_leaf = general_name(tag, name);
  const bool permitted = is_allowed(constraints_of(one, {}), of_leaf, {});
  CHECK(is_allowed(constraints_of({}, one), of_leaf, {}) != permitted);
  return permitted;
}

}  // namespace

TEST_CASE("name constraints: hosts are compared by whole labels, from the right") {
  CHECK(lies_within(host_tag, "mail.example.com", "example.com"));
  CHECK(lies_within(host_tag, "example.com", "example.com"));
  CHECK(lies_within(host_tag, "MAIL.Example.com", "example.COM"));
  CHECK(lies_within(host_tag, "mail.example.com", ""));
  CHECK(lies_within(host_tag, "mail.example.com", ".example.com"));
  CHECK_FALSE(lies_within(host_tag, "example.com", ".example.com"));
  CHECK_FALSE(lies_within(host_tag, "badexample.com", "example.com"));
  CHECK_FALSE(lies_within(host_tag, "com", "example.com"));
  CHECK_FALSE(lies_within(host_tag, "example.com.evil.org", "example.com"));
}

TEST_CASE("name constraints: addresses are compared by mask, and never across families") {
  CHECK(lies_within(address_tag, "\x7f\x00\x00\x01"sv, "\x7f\x00\x00\x00\xff\x00\x00\x00"sv));
  CHECK(lies_within(address_tag, "\x7f\x00\x00\x01"sv, "\x00\x00\x00\x00\x00\x00\x00\x00"sv));
  CHECK_FALSE(lies_within(address_tag, "\x7f\x00\x00\x01"sv, "\x0a\x00\x00\x00\xff\x00\x00\x00"sv));
  CHECK_FALSE(lies_within(address_tag, "\x7f\x00\x00\x01"sv, std::string(32, '\0')));
  CHECK(lies_within(address_tag, std::string(16, '\1'), std::string(32, '\0')));
  // A base without a mask, an address of five octets: not to be compared, so never allowed.
  for (const Bytes base : {"\x7f\x00\x00\x01"sv, ""sv}) {
    const std::string one = subtree(general_name(address_tag, base));
    const std::string name = general_name(address_tag, "\x7f\x00\x00\x01"sv);
    CHECK_FALSE(is_allowed(constraints_of(one, {}), name, {}));
    CHECK_FALSE(is_allowed(constraints_of({}, one), name, {}));
  }
}

TEST_CASE("name constraints: mail addresses by mailbox, by host and by domain") {
  CHECK(lies_within(mail_tag, "a@example.com", "example.com"));
  CHECK(lies_within(mail_tag, "a@example.com", "a@EXAMPLE.com"));
  CHECK(lies_within(mail_tag, "a@mail.example.com", ".example.com"));
  CHECK_FALSE(lies_within(mail_tag, "a@mail.example.com", "example.com"));
  CHECK_FALSE(lies_within(mail_tag, "a@example.com", ".example.com"));
  CHECK_FALSE(lies_within(mail_tag, "A@example.com", "a@example.com"));  // local parts have case
  CHECK_FALSE(lies_within(mail_tag, "aa@example.com", "a@example.com"));
}

TEST_CASE("name constraints: of a URI its host counts") {
  CHECK(lies_within(uri_tag, "https://example.com/a", "example.com"));
  CHECK(lies_within(uri_tag, "https://Example.com:443", "example.com"));
  CHECK(lies_within(uri_tag, "https://www.example.com/", ".example.com"));
  CHECK_FALSE(lies_within(uri_tag, "https://www.example.com/", "example.com"));
  CHECK_FALSE(lies_within(uri_tag, "https://example.org/?example.com", "example.com"));
}

TEST_CASE("name constraints: a directory name begins with the base, whatever its spelling") {
  const std::string base = attribute(organisation_id, "Example");
  const std::string subject =
      attribute(organisation_id, " EXAMPLE ", 0x13) + attribute(common_name_id, "mail");
  const std::string within = constraints_of(subtree(directory_name(base)), {});
  CHECK(is_allowed(within, {}, subject));
  CHECK(is_allowed(within, {}, {}));  // no subject, no name to be compared
  CHECK_FALSE(is_allowed(within, {}, attribute(organisation_id, "Other")));
  CHECK_FALSE(is_allowed(within, {}, attribute(organisation_id, "Exam")));
  CHECK_FALSE(is_allowed(within, directory_name(attribute(organisation_id, "Other")), subject));
  CHECK_FALSE(is_allowed(constraints_of({}, subtree(directory_name(base))), {}, subject));
}

TEST_CASE("name constraints: without a dNSName the common name counts, if it looks like one") {
  const std::string within = constraints_of(subtree(general_name(host_tag, "example.com")), {});
  const std::string address = general_name(address_tag, "\x7f\x00\x00\x01"sv);
  CHECK_FALSE(is_allowed(within, address, attribute(common_name_id, "www.example.org")));
  CHECK(is_allowed(within, address, attribute(common_name_id, "www.example.com")));
  CHECK(is_allowed(within, address, attribute(common_name_id, "The Server")));
  CHECK(is_allowed(within, address, attribute(common_name_id, "server")));
  CHECK(is_allowed(within, general_name(host_tag, "example.com"),
                   attribute(common_name_id, "www.example.org")));
}

TEST_CASE("name constraints: a kind that cannot be compared is refused where it is constrained") {
  const std::string one = subtree(general_name(registered_id_tag, "\x2a"));
  for (const std::string& value : {constraints_of(one, {}), constraints_of({}, one)}) {
    CHECK_FALSE(is_allowed(value, general_name(registered_id_tag, "\x2a\x03"), {}));
    CHECK(is_allowed(value, general_name(host_tag, "example.com"), {}));
  }
  const std::string bounded = der::make(der::sequence, {general_name(host_tag, "example.com"),
                                                        der::make(der::context(0), Bytes("\x01"))});
  CHECK_FALSE(is_allowed(constraints_of(bounded, {}), general_name(host_tag, "example.com"), {}));
}

TEST_CASE("name constraints: an excluded subtree wins, and one permitted of several is enough") {
  const std::string com = subtree(general_name(host_tag, "example.com"));
  const std::string org = subtree(general_name(host_tag, "example.org"));
  const std::string mail = subtree(general_name(host_tag, "mail.example.com"));
  const std::string name = general_name(host_tag, "mail.example.com");
  CHECK(is_allowed(constraints_of(org + com, {}), name, {}));
  CHECK_FALSE(is_allowed(constraints_of(com, mail), name, {}));
  CHECK(is_allowed(constraints_of({}, org), name, {}));
  // Every name of a certificate counts.
  CHECK_FALSE(is_allowed(constraints_of(com, {}), name + general_name(host_tag, "a.org"), {}));
}

TEST_CASE("name constraints: what is malformed is not read, and names without end are refused") {
  for (const Bytes value : {""sv, "\x30"sv, "\x30\x02\xa0\x01"sv, "\x30\x00\x00"sv,
                            "\x30\x02\x05\x00"sv, "\x30\x04\xa0\x02\x30\x00"sv}) {
    CHECK_FALSE(parse_name_constraints(value));
  }
  std::string subtrees;
  std::string names;
  for (int count = 0; count < 1000; ++count) {
    subtrees += subtree(general_name(host_tag, "example.com"));
    names += general_name(host_tag, "mail.example.com");
  }
  CHECK_FALSE(is_allowed(constraints_of(subtrees, {}), names, {}));
}

TEST_CASE("distinguished name: the same name in another spelling compares as equal") {
  const auto form = [](const std::string& name) {
    const auto comparable = comparable_name(name);
    REQUIRE(comparable);
    return *comparable;
  };
  const std::string plain = form(attribute(common_name_id, "test ca"));
  CHECK(form(attribute(common_name_id, "Test CA", 0x13)) == plain);
  CHECK(form(attribute(common_name_id, "  Test \t CA ")) == plain);
  CHECK(form(attribute(common_name_id, "\0T\0e\0s\0t\0 \0C\0A"sv, 0x1e)) == plain);
  CHECK(form(attribute(common_name_id, "testca")) != plain);
  CHECK(form(attribute(organisation_id, "test ca")) != plain);
  CHECK(form(attribute(common_name_id, "\xe4", 0x14)) ==
        form(attribute(common_name_id, "\xc3\xa4")));
  CHECK(form({}) != plain);
  CHECK_FALSE(comparable_name("\x31\x00"sv));
  CHECK_FALSE(comparable_name("\x30\x00"sv));
}

}  // namespace ringpost::tls::test
