#include "codec/sasl.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/limits.h"

using namespace ringpost;
using codec::AuthMechanism;
using codec::Capabilities;
using codec::Credentials;
using codec::Redactor;
using codec::SaslError;
using codec::SaslExchange;

namespace {

const Credentials alice = {"alice", "wonderland"};

Capabilities offering(std::initializer_list<AuthMechanism> mechanisms) {
  Capabilities capabilities;
  for (const AuthMechanism mechanism : mechanisms) {
    capabilities.auth_mechanisms |=
        static_cast<std::uint8_t>(1u << static_cast<unsigned>(mechanism));
  }
  return capabilities;
}

std::string redacted(std::string text, const Credentials& credentials = alice) {
  Redactor(credentials).redact(text);
  return text;
}

}  // namespace

TEST_CASE("sasl: credentials that would become commands are not valid") {
  CHECK(codec::valid_credentials(alice));
  CHECK(codec::valid_credentials({"", ""}));
  CHECK(codec::valid_credentials({"\xc3\xa9 =,", "a b\x7f"}));
  for (const std::string& bad : {std::string("a\rb"), std::string("a\n"), std::string("\0", 1)}) {
    CHECK_FALSE(codec::valid_credentials({bad, "x"}));
    CHECK_FALSE(codec::valid_credentials({"x", bad}));
  }
}

TEST_CASE("sasl: PLAIN before LOGIN, and nothing else") {
  CHECK(codec::choose_mechanism(offering({AuthMechanism::plain, AuthMechanism::login})) ==
        AuthMechanism::plain);
  CHECK(codec::choose_mechanism(offering({AuthMechanism::login, AuthMechanism::cram_md5})) ==
        AuthMechanism::login);
  CHECK_FALSE(codec::choose_mechanism({}));
  CHECK_FALSE(
      codec::choose_mechanism(offering({AuthMechanism::cram_md5, AuthMechanism::scram_sha_256,
                                        AuthMechanism::xoauth2, AuthMechanism::oauthbearer})));
}

TEST_CASE("sasl: PLAIN says everything at once") {
  SaslExchange plain(AuthMechanism::plain);
  CHECK(plain.mechanism() == AuthMechanism::plain);
  CHECK(plain.initial_response(alice) == "AGFsaWNlAHdvbmRlcmxhbmQ=");
  const auto more = plain.respond("", alice);
  REQUIRE_FALSE(more);
  CHECK(more.error() == SaslError::unexpected_challenge);
}

TEST_CASE("sasl: LOGIN answers two prompts, whatever they ask") {
  SaslExchange login(AuthMechanism::login);
  CHECK(login.initial_response(alice).empty());
  CHECK(login.respond("UGFzc3dvcmQ6", alice).value() == "YWxpY2U=");
  CHECK(login.respond("", alice).value() == "d29uZGVybGFuZA==");
  const auto more = login.respond("UGFzc3dvcmQ6", alice);
  REQUIRE_FALSE(more);
  CHECK(more.error() == SaslError::unexpected_challenge);
}

TEST_CASE("sasl: empty credentials are said as such") {
  SaslExchange plain(AuthMechanism::plain);
  CHECK(plain.initial_response({}) == "AAA=");
  SaslExchange login(AuthMechanism::login);
  CHECK(login.respond("", {}).value().empty());
}

TEST_CASE("sasl: a challenge that is no base64, or too long, is an error") {
  for (const std::string& bad :
       {std::string("Username:"), std::string("VXNlcm5hbWU"), std::string("a\nb="),
        std::string("\xff\xff\xff\xff"), std::string("VXNlcm5hbWU6 "),
        std::string(limits::auth_challenge_bytes_max + 4, 'A')}) {
    INFO(bad.substr(0, 40));
    SaslExchange login(AuthMechanism::login);
    const auto answer = login.respond(bad, alice);
    REQUIRE_FALSE(answer);
    CHECK(answer.error() == SaslError::bad_challenge);
  }
  SaslExchange login(AuthMechanism::login);
  CHECK(login.respond(std::string(limits::auth_challenge_bytes_max, 'A'), alice));
}

TEST_CASE("sasl: the password is found in clear and in both base64 forms, as often as it stands") {
  CHECK(redacted("no wonderland here, wonderland") == "no [redacted] here, [redacted]");
  CHECK(redacted("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=") == "AUTH PLAIN [redacted]");
  CHECK(redacted("d29uZGVybGFuZA==, unknown") == "[redacted], unknown");
  CHECK(redacted("wonderlandwonderland") == "[redacted][redacted]");
  CHECK(redacted("alice is no secret, nor is YWxpY2U=") == "alice is no secret, nor is YWxpY2U=");
  CHECK(redacted("") == "");
}

TEST_CASE("sasl: what is redacted is what is found") {
  const Redactor redactor(alice);
  for (std::string text : {"x wonderland", "AGFsaWNlAHdvbmRlcmxhbmQ=", "d29uZGVybGFuZA=="}) {
    CHECK(redactor.finds_secret(text));
    redactor.redact(text);
    CHECK_FALSE(redactor.finds_secret(text));
  }
  CHECK_FALSE(redactor.finds_secret("wonder land"));
  CHECK_FALSE(redactor.finds_secret(""));
}

TEST_CASE("sasl: a secret of less than four octets would match by chance") {
  const Credentials shorter = {"alice", "ok"};
  CHECK(redacted("250 ok", shorter) == "250 ok");
  // Its longer forms do not.
  CHECK(redacted("AUTH PLAIN AGFsaWNlAG9r", shorter) == "AUTH PLAIN [redacted]");
}

TEST_CASE("sasl: a password that stands in its own replacement comes to an end") {
  CHECK(redacted("it is redacted", {"alice", "redacted"}) == "it is [redacted]");
  CHECK(redacted("[redacted][redacted]", {"alice", "[redacted]"}) == "[redacted][redacted]");
}

TEST_CASE("sasl: without a password there is nothing to hide") {
  CHECK(redacted("AGFsaWNlAA==", {"alice", ""}) == "AGFsaWNlAA==");
  CHECK_FALSE(Redactor({"alice", ""}).finds_secret("AGFsaWNlAA=="));
}

TEST_CASE("sasl: each error has a text of its own") {
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < codec::sasl_error_count; ++i) {
    const std::string_view text = codec::text_of(static_cast<SaslError>(i));
    CHECK(!text.empty());
    CHECK(texts.insert(text).second);
  }
}
