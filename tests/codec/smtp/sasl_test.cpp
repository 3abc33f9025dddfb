#include "codec/smtp/sasl.h"

#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/base64.h"
#include "tests/support/fixed_nonce.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::Capabilities;
using codec::Credentials;
using codec::MechanismChoice;
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

// The choices as the better ones are taken away, one after another.
std::vector<AuthMechanism> in_order(Capabilities capabilities, const MechanismChoice& choice) {
  std::vector<AuthMechanism> order;
  while (const auto best = codec::choose_mechanism(capabilities, choice)) {
    order.push_back(*best);
    capabilities.auth_mechanisms &=
        static_cast<std::uint8_t>(~(1u << static_cast<unsigned>(*best)));
  }
  return order;
}

std::string encoded(std::string_view text) {
  std::string out;
  codec::append_base64(out, text);
  return out;
}

std::string decoded(std::string_view text) {
  std::string out;
  REQUIRE(codec::decode_base64(text, codec::Base64Space::refused, out));
  return out;
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

TEST_CASE("sasl: a token that would become a field of its message is not valid") {
  CHECK(codec::valid_credentials({"u", "", "ya29.a-b_c~d+e/f=="}));
  for (const std::string& bad : {std::string("a b"), std::string("a\x01"), std::string("\xc3\xa9"),
                                 std::string("a\n"), std::string("\0", 1)}) {
    CHECK_FALSE(codec::valid_credentials({"u", "", bad}));
  }
  CHECK_FALSE(codec::valid_credentials({"u\x01", "", "token"}));
}

TEST_CASE("sasl: the order under TLS, in clear, and with a token") {
  using enum AuthMechanism;
  const Capabilities all = offering({plain, login, cram_md5, scram_sha_256, xoauth2, oauthbearer});
  const MechanismChoice password = {.has_crypto = true};
  const MechanismChoice token = {.has_token = true, .has_crypto = true};
  CHECK(in_order(all, password) ==
        std::vector<AuthMechanism>{scram_sha_256, plain, login, cram_md5});
  CHECK(in_order(all, {.has_crypto = true, .in_clear = true}) ==
        std::vector<AuthMechanism>{scram_sha_256, cram_md5, plain, login});
  CHECK(in_order(all, token) == std::vector<AuthMechanism>{oauthbearer, xoauth2});
  CHECK(in_order(all, {.has_token = true, .has_crypto = true, .in_clear = true}).empty());
  CHECK(in_order(all, {}) == std::vector<AuthMechanism>{plain, login});
  CHECK_FALSE(codec::choose_mechanism({}, password));
}

TEST_CASE("sasl: the mechanism that was named is taken, or none") {
  using enum AuthMechanism;
  const Capabilities some = offering({plain, cram_md5, scram_sha_256, xoauth2});
  const auto named = [&](AuthMechanism mechanism, bool has_token = false) {
    return codec::choose_mechanism(
        some, {.named = mechanism, .has_token = has_token, .has_crypto = true});
  };
  CHECK(named(cram_md5) == cram_md5);
  CHECK(named(plain) == plain);
  CHECK(named(xoauth2, true) == xoauth2);
  CHECK_FALSE(named(login));
  CHECK_FALSE(named(oauthbearer, true));
  CHECK_FALSE(named(xoauth2));
  CHECK_FALSE(named(plain, true));
}

TEST_CASE("sasl: PLAIN says everything at once") {
  SaslExchange plain(AuthMechanism::plain, alice, {});
  CHECK(plain.mechanism() == AuthMechanism::plain);
  CHECK(plain.initial_response() == "AGFsaWNlAHdvbmRlcmxhbmQ=");
  CHECK(plain.succeed());
  CHECK(plain.respond("").value() == "AGFsaWNlAHdvbmRlcmxhbmQ=");  // passed over, it seems
  const auto more = plain.respond("");
  REQUIRE_FALSE(more);
  CHECK(more.error() == SaslError::unexpected_challenge);
}

TEST_CASE("sasl: LOGIN answers two prompts, whatever they ask") {
  SaslExchange login(AuthMechanism::login, alice, {});
  CHECK(login.initial_response().empty());
  CHECK(login.respond("UGFzc3dvcmQ6").value() == "YWxpY2U=");
  CHECK(login.respond("").value() == "d29uZGVybGFuZA==");
  const auto more = login.respond("UGFzc3dvcmQ6");
  REQUIRE_FALSE(more);
  CHECK(more.error() == SaslError::unexpected_challenge);
}

TEST_CASE("sasl: an initial response that was withheld answers the first challenge") {
  SaslExchange plain(AuthMechanism::plain, alice, {});
  plain.withhold_initial_response();
  CHECK(plain.respond("").value() == "AGFsaWNlAHdvbmRlcmxhbmQ=");
  CHECK_FALSE(plain.respond(""));
}

TEST_CASE("sasl: empty credentials are said as such") {
  const Credentials nobody;
  CHECK(SaslExchange(AuthMechanism::plain, nobody, {}).initial_response() == "AAA=");
  SaslExchange login(AuthMechanism::login, nobody, {});
  CHECK(login.respond("").value().empty());
}

TEST_CASE("sasl: CRAM-MD5 as in RFC 2195 section 2") {
  const Credentials tim = {"tim", "tanstaaftanstaaf"};
  SaslExchange cram(AuthMechanism::cram_md5, tim, {&tls::sasl_crypto(), nullptr});
  CHECK(cram.initial_response().empty());
  CHECK(cram.respond("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+").value() ==
        "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
  CHECK(cram.succeed());
  CHECK_FALSE(cram.respond(""));
}

TEST_CASE("sasl: SCRAM-SHA-256 as in RFC 7677 section 3, and PBKDF2 once for many sessions") {
  const Credentials user = {"user", "pencil"};
  const test::FixedNonce crypto;
  codec::ScramCache cache;
  for (int session = 0; session < 3; ++session) {
    SaslExchange scram(AuthMechanism::scram_sha_256, user, {&crypto, &cache});
    CHECK(decoded(scram.initial_response()) == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    const auto proof = scram.respond(
        encoded("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i="
                "4096"));
    REQUIRE(proof);
    CHECK(decoded(*proof) ==
          "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    CHECK_FALSE(scram.succeed());
    CHECK(scram.respond(encoded("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).value().empty());
    CHECK(scram.succeed());
  }
  CHECK(crypto.derivations == 1);
}

TEST_CASE("sasl: what SCRAM remembers belongs to one password, one salt and one count") {
  const test::FixedNonce crypto;
  codec::ScramCache cache;
  const auto first = cache.salted_password(crypto, "pencil", "salt", 4096);
  CHECK(cache.salted_password(crypto, "pencil", "salt", 4096) == first);
  CHECK(crypto.derivations == 1);
  CHECK(cache.salted_password(crypto, "pencils", "salt", 4096) != first);
  CHECK(cache.salted_password(crypto, "pencil", "salz", 4096) != first);
  CHECK(cache.salted_password(crypto, "pencil", "salt", 4097) != first);
  CHECK(cache.salted_password(crypto, "pencil", "salt", 4096) == first);
  CHECK(crypto.derivations == 5);
}

TEST_CASE("sasl: each refusal of SCRAM says what was wrong") {
  const auto error_of = [](std::string_view server_first) {
    const Credentials user = {"user", "pencil"};
    const test::FixedNonce crypto;
    codec::ScramCache cache;
    SaslExchange scram(AuthMechanism::scram_sha_256, user, {&crypto, &cache});
    const auto proof = scram.respond(encoded(server_first));
    REQUIRE_FALSE(proof);
    CHECK(crypto.derivations == 0);
    return proof.error();
  };
  CHECK(error_of("r=other,s=W22Z,i=4096") == SaslError::foreign_nonce);
  CHECK(error_of("r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096") == SaslError::foreign_nonce);
  CHECK(error_of("r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4000000000") == SaslError::scram_iterations);
  CHECK(error_of("r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4095") == SaslError::scram_iterations);
  CHECK(error_of("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096") == SaslError::malformed_scram);
  CHECK(error_of("s=W22Z,i=4096") == SaslError::malformed_scram);
}

TEST_CASE("sasl: nonces are long, printable and never the same") {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    const std::string nonce = tls::sasl_crypto().nonce();
    CHECK(nonce.size() >= 22);
    CHECK(nonce.find(',') == std::string::npos);
    nonces.insert(nonce);
  }
  CHECK(nonces.size() == 100);
}

TEST_CASE("sasl: OAUTHBEARER as in RFC 7628 section 4") {
  const Credentials user = {"user@example.com", "",
                            "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com",
                            143};
  SaslExchange oauth(AuthMechanism::oauthbearer, user, {});
  CHECK(oauth.initial_response() ==
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI"
        "HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB");
  // Section 4.3: the error is answered with %x01.
  CHECK(oauth.respond("eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=").value() == "AQ==");
  CHECK_FALSE(oauth.respond(""));
}

TEST_CASE("sasl: XOAUTH2 as its makers describe it") {
  const Credentials user = {"someuser@example.com", "",
                            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", "mx.example", 587};
  SaslExchange oauth(AuthMechanism::xoauth2, user, {});
  CHECK(oauth.initial_response() ==
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkS"
        "FJoZG1semRHRXVZMjl0Q2cBAQ==");
  CHECK(oauth.respond("eyJzdGF0dXMiOiI0MDEifQ==").value().empty());
  CHECK_FALSE(oauth.respond(""));
}

TEST_CASE("sasl: a challenge that is read and is no base64, or is too long, is an error") {
  for (const std::string& bad :
       {std::string("Username:"), std::string("V"), std::string("a=b="), std::string("\xff\xff"),
        std::string(), std::string(" "), std::string("===="),
        std::string(limits::auth_challenge_bytes_max + 4, 'A')}) {
    INFO(bad.substr(0, 40));
    SaslExchange cram(AuthMechanism::cram_md5, alice, {&tls::sasl_crypto(), nullptr});
    const auto answer = cram.respond(bad);
    REQUIRE_FALSE(answer);
    CHECK(answer.error() == SaslError::bad_challenge);
  }
  SaslExchange login(AuthMechanism::login, alice, {});
  CHECK(login.respond(std::string(limits::auth_challenge_bytes_max, 'A')));
  CHECK_FALSE(login.respond(std::string(limits::auth_challenge_bytes_max + 1, 'A')));
}

TEST_CASE("sasl: prompts that nobody reads may be anything") {
  for (const std::string prompt :
       {"Username:", "VXNlcm5hbWU", "VXNlcm5hbWU6 ", "ok. go on", "a\nb=", "\xff", "", "334"}) {
    INFO(prompt);
    SaslExchange login(AuthMechanism::login, alice, {});
    CHECK(login.respond(prompt).value() == "YWxpY2U=");
    CHECK(login.respond(prompt).value() == "d29uZGVybGFuZA==");
    CHECK_FALSE(login.respond(prompt));
    SaslExchange plain(AuthMechanism::plain, alice, {});
    plain.withhold_initial_response();
    CHECK(plain.respond(prompt).value() == "AGFsaWNlAHdvbmRlcmxhbmQ=");
  }
}

TEST_CASE("sasl: blanks, line ends and missing padding are overlooked where a challenge is read") {
  const Credentials tim = {"tim", "tanstaaftanstaaf"};
  for (const std::string challenge :
       {"PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+ \t",
        " PDE4OTYuNjk3MTcwOTUyQHBvc3Rv\nZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
        "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+==="}) {
    INFO(challenge);
    SaslExchange cram(AuthMechanism::cram_md5, tim, {&tls::sasl_crypto(), nullptr});
    CHECK(cram.respond(challenge).value() == "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
  }
  for (const std::string challenge : {"YWI", "YWI=", "YWI==", "Y WI = "}) {
    SaslExchange cram(AuthMechanism::cram_md5, tim, {&tls::sasl_crypto(), nullptr});
    SaslExchange right(AuthMechanism::cram_md5, tim, {&tls::sasl_crypto(), nullptr});
    CHECK(cram.respond(challenge).value() == right.respond("YWI=").value());
  }
}

TEST_CASE("sasl: an initial response that was passed over is said once more") {
  SaslExchange plain(AuthMechanism::plain, alice, {});
  CHECK(plain.respond("go on").value() == plain.initial_response());
  CHECK_FALSE(plain.respond("go on"));
  const Credentials user = {"user@example.com", "", "token", "server.example.com", 143};
  for (const AuthMechanism mechanism : {AuthMechanism::xoauth2, AuthMechanism::oauthbearer}) {
    SaslExchange oauth(mechanism, user, {});
    CHECK(oauth.respond(" ").value() == oauth.initial_response());
    // What comes next is the error, whatever it looks like.
    CHECK(oauth.respond("{}").value() == (mechanism == AuthMechanism::xoauth2 ? "" : "AQ=="));
    CHECK_FALSE(oauth.respond(""));
  }
}

TEST_CASE("sasl: mechanisms that have failed are left out") {
  using enum AuthMechanism;
  const Capabilities all = offering({plain, login, cram_md5, scram_sha_256, xoauth2, oauthbearer});
  MechanismChoice choice = {.has_crypto = true};
  std::vector<AuthMechanism> order;
  while (const auto next = codec::choose_mechanism(all, choice)) {
    order.push_back(*next);
    choice.without |= codec::bit_of(*next);
  }
  CHECK(order == std::vector<AuthMechanism>{scram_sha_256, plain, login, cram_md5});
  choice = {.named = plain, .has_crypto = true, .without = codec::bit_of(plain)};
  CHECK_FALSE(codec::choose_mechanism(all, choice));
}

TEST_CASE("sasl: the password is found in clear and in both base64 forms, as often as it stands") {
  CHECK(redacted("no wonderland here, wonderland") == "no [redacted] here, [redacted]");
  CHECK(redacted("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=") == "AUTH PLAIN [redacted]");
  CHECK(redacted("d29uZGVybGFuZA==, unknown") == "[redacted], unknown");
  CHECK(redacted("wonderlandwonderland") == "[redacted][redacted]");
  CHECK(redacted("alice is no secret, nor is YWxpY2U=") == "alice is no secret, nor is YWxpY2U=");
  CHECK(redacted("") == "");
}

TEST_CASE("sasl: a token is found in clear and in every base64 form") {
  const Credentials user = {"user@example.com", "", "ya29.secret-token", "mx.example", 587};
  for (const AuthMechanism mechanism : {AuthMechanism::xoauth2, AuthMechanism::oauthbearer}) {
    const std::string said = SaslExchange(mechanism, user, {}).initial_response();
    CHECK(redacted("bad: " + said, user) == "bad: [redacted]");
  }
  CHECK(redacted("ya29.secret-token, " + encoded("ya29.secret-token"), user) ==
        "[redacted], [redacted]");
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

TEST_CASE("sasl: a password that is a word of the reply leaves the reply readable") {
  const Credentials weak = {"alice", "wrong"};
  CHECK(redacted("5.7.8 wrong password", weak) == "5.7.8 wrong password");
  CHECK(redacted("5.7.8 password 'wrong' is wrong", weak) ==
        "5.7.8 password '[redacted]' is wrong");
  CHECK(redacted("AUTH PLAIN AGFsaWNlAHdyb25n d3Jvbmc=", weak) ==
        "AUTH PLAIN [redacted] [redacted]");
  CHECK_FALSE(Redactor(weak).finds_secret("5.7.8 wrong password"));
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
