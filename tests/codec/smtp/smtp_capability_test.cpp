#include "codec/smtp/smtp_capability.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;
using codec::Capabilities;
using codec::parse_capabilities;

namespace {

// Keywords behind the greeting line.
Capabilities announced(const std::string& lines) {
  return parse_capabilities("mx.example greets you\n" + lines);
}

}  // namespace

TEST_CASE("capability: nothing is announced by the greeting line") {
  for (const char* const text : {"", "PIPELINING", "mx.example", "STARTTLS AUTH PLAIN"}) {
    const Capabilities none = parse_capabilities(text);
    CHECK_FALSE(none.pipelining);
    CHECK_FALSE(none.starttls);
    CHECK_FALSE(none.auth);
  }
}

TEST_CASE("capability: every keyword that is used") {
  const Capabilities all = announced(
      "STARTTLS\nPIPELINING\nCHUNKING\n8BITMIME\nSMTPUTF8\nDSN\nENHANCEDSTATUSCODES\nSIZE "
      "35882577\n"
      "AUTH PLAIN LOGIN");
  CHECK(all.starttls);
  CHECK(all.pipelining);
  CHECK(all.chunking);
  CHECK(all.eight_bit_mime);
  CHECK(all.smtputf8);
  CHECK(all.dsn);
  CHECK(all.enhanced_status_codes);
  CHECK(all.size);
  CHECK(all.message_bytes_max == 35882577);
  CHECK(all.auth);
}

TEST_CASE("capability: one keyword announces nothing else") {
  CHECK(announced("PIPELINING").pipelining);
  CHECK_FALSE(announced("PIPELINING").chunking);
  CHECK_FALSE(announced("PIPELINING").size);
  CHECK_FALSE(announced("CHUNKING").pipelining);
  CHECK_FALSE(announced("AUTH PLAIN").starttls);
}

TEST_CASE("capability: keywords are case-insensitive and whole words") {
  CHECK(announced("pipelining").pipelining);
  CHECK(announced("PipeLining").pipelining);
  CHECK(announced("  PIPELINING  ").pipelining);
  CHECK(announced("PIPELINING with parameters").pipelining);
  CHECK_FALSE(announced("PIPELINING2").pipelining);
  CHECK_FALSE(announced("XPIPELINING").pipelining);
  CHECK_FALSE(announced("PIPE").pipelining);
  CHECK_FALSE(announced("X PIPELINING").pipelining);
}

TEST_CASE("capability: what is unknown, empty or said twice does no harm") {
  const Capabilities some = announced("Ok\n\n \n=\nXFILTERED\nDSN\nDSN\nHELP\n\xff\xfe");
  CHECK(some.dsn);
  CHECK_FALSE(some.starttls);
}

TEST_CASE("capability: SIZE without a usable number is no limit") {
  for (const char* const line :
       {"SIZE", "SIZE ", "SIZE 0", "SIZE -1", "SIZE +5", "SIZE 1e9", "SIZE x", "SIZE 12x",
        "SIZE 99999999999999999999", "SIZE 18446744073709551616"}) {
    INFO(line);
    CHECK(announced(line).size);
    CHECK(announced(line).message_bytes_max == 0);
  }
  CHECK(announced("size 1").message_bytes_max == 1);
  CHECK(announced("SIZE 18446744073709551615").message_bytes_max == 18446744073709551615u);
}

TEST_CASE("capability: AUTH lists mechanisms, in any case, in several lines, and the old way") {
  const Capabilities usual = announced("AUTH login PLAIN XYZZY");
  CHECK(usual.offers(AuthMechanism::login));
  CHECK(usual.offers(AuthMechanism::plain));
  CHECK_FALSE(usual.offers(AuthMechanism::cram_md5));
  CHECK(announced("AUTH=LOGIN PLAIN").offers(AuthMechanism::login));
  CHECK(announced("AUTH=LOGIN PLAIN").offers(AuthMechanism::plain));
  CHECK(announced("AUTH LOGIN\nAUTH=PLAIN").offers(AuthMechanism::login));
  CHECK(announced("AUTH LOGIN\nAUTH=PLAIN").offers(AuthMechanism::plain));
  CHECK(announced("AUTH").auth);
  CHECK(announced("AUTH").auth_mechanisms == 0);
  CHECK_FALSE(announced("AUTH PLAINLY").offers(AuthMechanism::plain));
}

TEST_CASE("capability: every mechanism is found by its name, and names are distinct") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < auth_mechanism_count; ++i) {
    const auto mechanism = static_cast<AuthMechanism>(i);
    const std::string_view name = codec::name_of(mechanism);
    CHECK(!name.empty());
    CHECK(names.insert(name).second);
    CHECK(codec::find_mechanism(name) == mechanism);
    const Capabilities one = announced("AUTH " + std::string(name));
    for (std::size_t j = 0; j < auth_mechanism_count; ++j) {
      CHECK(one.offers(static_cast<AuthMechanism>(j)) == (i == j));
    }
  }
}

TEST_CASE("capability: a mechanism's name may stand in lower case") {
  CHECK(codec::find_mechanism("scram-sha-256") == AuthMechanism::scram_sha_256);
  CHECK_FALSE(codec::find_mechanism("scram-sha-25"));
  CHECK_FALSE(codec::find_mechanism(""));
}

TEST_CASE("capability: lines beyond the bound are not read") {
  std::string lines;
  for (std::size_t i = 1; i < limits::ehlo_keywords_max; ++i) {
    lines += "X\n";
  }
  CHECK(announced(lines + "DSN").dsn);
  CHECK_FALSE(announced(lines + "X\nDSN").dsn);
}

TEST_CASE("capability: a thousand mechanisms are a list like any other") {
  std::string line = "AUTH";
  for (int i = 0; i < 1000; ++i) {
    line += " X" + std::to_string(i);
  }
  CHECK(announced(line + " PLAIN").offers(AuthMechanism::plain));
}

TEST_CASE("capabilities: LIMITS says how many transactions and recipients there may be") {
  const auto limits_of = [](const std::string& parameters) {
    return codec::parse_capabilities("mx\nLIMITS" + parameters);
  };
  CHECK(limits_of(" MAILMAX=1000 RCPTMAX=50000").session_messages_max == 1000);
  CHECK(limits_of(" MAILMAX=1000 RCPTMAX=50000").recipients_max == 50000);
  CHECK(limits_of(" RCPTDOMAINMAX=1 RCPTMAX=7").recipients_max == 7);
  CHECK(limits_of(" rcptmax=7").recipients_max == 7);
  for (const std::string nonsense :
       {"", " MAILMAX", " MAILMAX=", " MAILMAX=x", " MAILMAX=-1", " MAILMAX=99999999999", " =5"}) {
    INFO(nonsense);
    CHECK(limits_of(nonsense).session_messages_max == 0);
  }
}

TEST_CASE("capabilities: LIMITS is kept as it stands, also where it binds nobody") {
  const auto told = [](const std::string& line) {
    return codec::parse_capabilities("mx\n" + line).announced_limits;
  };
  const codec::AnnouncedLimits limits =
      told("limits rcptmax=100  MAILMAX=x RCPTDOMAINMAX=3 OTHER=1 MAILMAX");
  CHECK(limits.recipients == 100);
  CHECK_FALSE(limits.session_messages);
  CHECK(limits.recipient_domains == 3);
  CHECK(told("LIMITS MAILMAX=99999999999").session_messages == 99999999999);
  CHECK(told("LIMITS RCPTMAX=0").recipients == 0);
  CHECK_FALSE(told("LIMITS RCPTMAX=99999999999999999999").recipients);
  CHECK_FALSE(told("LIMITS RCPTMAX=").recipients);
  CHECK_FALSE(told("X-LIMITS RCPTMAX=7").recipients);
}
