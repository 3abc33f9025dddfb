#include "engine/server/login.h"

#include <optional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "codec/smtp/sasl.h"
#include "tls/sasl_crypto.h"

using namespace ringpost;
using namespace ringpost::server;

namespace {

// Our own client's exchange with `login`, up to the server's verdict.
LoginStep converse(Login& login, AuthMechanism mechanism, const codec::Credentials& credentials) {
  codec::ScramCache cache;
  codec::SaslExchange client(mechanism, credentials, {&tls::sasl_crypto(), &cache});
  const std::string initial = client.initial_response();
  LoginStep step =
      login.begin(std::string(codec::name_of(mechanism)) + (initial.empty() ? "" : " " + initial));
  while (step == LoginStep::challenge) {
    const auto answer = client.respond(login.challenge());
    if (!answer) {
      return LoginStep::cancelled;
    }
    step = login.answer(*answer);
  }
  CHECK((step != LoginStep::granted || client.succeed()));
  return step;
}

// One account, by its password and a token.
class OneAccount final : public Accounts {
 public:
  [[nodiscard]] bool is_password(Bytes user, Bytes word) override {
    return user == "ringpost" && word == password;
  }
  [[nodiscard]] std::optional<Bytes> password_of(Bytes user) override {
    return user == "ringpost" ? std::optional<Bytes>(password) : std::nullopt;
  }
  [[nodiscard]] bool use_token(Bytes user, Bytes token) override {
    return user == "ringpost" && token == "first";
  }

  std::string password = "ringpost";
};

// A Login and what it is made of.
struct LoginSetup {
  explicit LoginSetup(ServerOptions wanted = {}) : options(std::move(wanted)) {}

  ServerOptions options;
  OneAccount account;
  ServerSetup setup{.options = &options,
                    .policy = {},
                    .accounts = &account,
                    .crypto = &tls::sasl_crypto(),
                    .counts = nullptr};
  Login login{setup};
};

ServerOptions offering_all() {
  ServerOptions options;
  options.mechanisms = {AuthMechanism::plain,    AuthMechanism::login,
                        AuthMechanism::cram_md5, AuthMechanism::scram_sha_256,
                        AuthMechanism::xoauth2,  AuthMechanism::oauthbearer};
  return options;
}

}  // namespace

TEST_CASE("base64: canonical text only") {
  REQUIRE(decode_base64("").value().empty());
  REQUIRE(decode_base64("Zg==").value() == "f");
  REQUIRE(decode_base64("Zm8=").value() == "fo");
  REQUIRE(decode_base64("Zm9v").value() == "foo");
  REQUIRE(decode_base64("AHJpbmdwb3N0AHJpbmdwb3N0").value() == Bytes("\0ringpost\0ringpost", 18));
  for (const Bytes text : {"Z", "Zg", "Zg=", "Zh==", "Zm9", "Zm9v=", "Zm 9v", "====", "Zg==Zg=="}) {
    INFO(text);
    REQUIRE_FALSE(decode_base64(text));
  }
}

TEST_CASE("login: PLAIN with its answer in the same line, or behind a challenge") {
  LoginSetup with;
  Login& login = with.login;
  REQUIRE(login.begin("PLAIN AHJpbmdwb3N0AHJpbmdwb3N0") == LoginStep::granted);
  REQUIRE(login.one_round_trip());
  REQUIRE(login.user() == "ringpost");
  REQUIRE(login.begin("plain") == LoginStep::challenge);
  REQUIRE(login.challenge().empty());
  REQUIRE(login.answer("AHJpbmdwb3N0AHJpbmdwb3N0") == LoginStep::granted);
  REQUIRE_FALSE(login.one_round_trip());
  // "ringpost\0ringpost\0ringpost": authorized as oneself.
  REQUIRE(login.begin("PLAIN cmluZ3Bvc3QAcmluZ3Bvc3QAcmluZ3Bvc3Q=") == LoginStep::granted);
  // "x\0ringpost\0ringpost": as somebody else.
  REQUIRE(login.begin("PLAIN eAByaW5ncG9zdAByaW5ncG9zdA==") == LoginStep::wrong);
}

TEST_CASE("login: LOGIN asks for user and password") {
  LoginSetup with;
  Login& login = with.login;
  REQUIRE(login.begin("LOGIN") == LoginStep::challenge);
  REQUIRE(decode_base64(login.challenge()).value() == "Username:");
  REQUIRE(login.answer("cmluZ3Bvc3Q=") == LoginStep::challenge);
  REQUIRE(decode_base64(login.challenge()).value() == "Password:");
  REQUIRE(login.answer("cmluZ3Bvc3Q=") == LoginStep::granted);
  REQUIRE(login.begin("LOGIN cmluZ3Bvc3Q=") == LoginStep::challenge);
  REQUIRE(login.answer("d3Jvbmc=") == LoginStep::wrong);
}

TEST_CASE("login: what is no mechanism, no base64 or no answer") {
  LoginSetup with;
  Login& login = with.login;
  REQUIRE(login.begin("CRAM-MD5") == LoginStep::no_mechanism);
  REQUIRE(login.begin("") == LoginStep::no_mechanism);
  REQUIRE(login.begin("PLAIN !!!!") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN =") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN AHJpbmdwb3N0") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN") == LoginStep::challenge);
  REQUIRE(login.answer("*") == LoginStep::cancelled);
}

TEST_CASE("login: each password mechanism lets the right one in and nobody else") {
  const AuthMechanism mechanism = GENERATE(AuthMechanism::plain, AuthMechanism::login,
                                           AuthMechanism::cram_md5, AuthMechanism::scram_sha_256);
  INFO(codec::name_of(mechanism));
  LoginSetup with(offering_all());
  Login& login = with.login;
  CHECK(converse(login, mechanism, {"ringpost", "ringpost"}) == LoginStep::granted);
  CHECK(login.user() == "ringpost");
  CHECK(converse(login, mechanism, {"ringpost", "wrong"}) == LoginStep::wrong);
  CHECK(converse(login, mechanism, {"a=b,c", "ringpost"}) == LoginStep::wrong);
}

TEST_CASE("login: a SCRAM server that knows another password does not prove itself") {
  LoginSetup with(offering_all());
  with.account.password = "another";
  Login& login = with.login;
  CHECK(converse(login, AuthMechanism::scram_sha_256, {"ringpost", "ringpost"}) ==
        LoginStep::wrong);
}

TEST_CASE("login: a token lets its user in, and a refused one is told why first") {
  const AuthMechanism mechanism = GENERATE(AuthMechanism::xoauth2, AuthMechanism::oauthbearer);
  INFO(codec::name_of(mechanism));
  LoginSetup with(offering_all());
  Login& login = with.login;
  CHECK(converse(login, mechanism, {"ringpost", "", "first"}) == LoginStep::granted);
  CHECK(converse(login, mechanism, {"ringpost", "", "first", "mx.example", 587}) ==
        LoginStep::granted);
  CHECK(converse(login, mechanism, {"ringpost", "", "second"}) == LoginStep::wrong);
  CHECK(decode_base64(login.challenge()).value().starts_with("{\"status\":\"401\""));
  CHECK(converse(login, mechanism, {"somebody", "", "first"}) == LoginStep::wrong);
}

TEST_CASE("login: messages that no mechanism has") {
  LoginSetup with(offering_all());
  Login& login = with.login;
  CHECK(login.begin("CRAM-MD5 cmluZ3Bvc3Q=") == LoginStep::bad_encoding);
  REQUIRE(login.begin("CRAM-MD5") == LoginStep::challenge);
  CHECK(login.answer("cmluZ3Bvc3Q=") == LoginStep::bad_encoding);
  CHECK(login.begin("SCRAM-SHA-256 cmluZ3Bvc3Q=") == LoginStep::bad_encoding);
  // "p=tls-exporter,,n=ringpost,r=abc" wants channel binding.
  CHECK(login.begin("SCRAM-SHA-256 cD10bHMtZXhwb3J0ZXIsLG49cmluZ3Bvc3Qscj1hYmM=") ==
        LoginStep::bad_encoding);
  // "n,,n=ringpost,r=abc", and an answer without a proof.
  REQUIRE(login.begin("SCRAM-SHA-256 biwsbj1yaW5ncG9zdCxyPWFiYw==") == LoginStep::challenge);
  CHECK(login.answer("Yz1iaXdzLHI9YWJj") == LoginStep::bad_encoding);
  CHECK(login.begin("XOAUTH2 cmluZ3Bvc3Q=") == LoginStep::bad_encoding);
  CHECK(login.begin("OAUTHBEARER cmluZ3Bvc3Q=") == LoginStep::bad_encoding);
}

TEST_CASE("login: what is not announced is not taken") {
  LoginSetup with;
  Login& login = with.login;
  for (const Bytes mechanism : {"CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}) {
    CHECK(login.begin(mechanism) == LoginStep::no_mechanism);
  }
}
