// OAuth tokens at the gate: when one is read, tried, and given up. Time, look-ups and tokens are
// the tests': nothing here waits.
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "engine/endpoint_gate.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using protocol::CloseKind;
using protocol::CloseReason;
using Answer = EndpointGate::Answer;

CloseReason refusal(bool permanent = true) {
  CloseReason reason;
  reason.kind = CloseKind::auth_refused;
  reason.stage = Stage::auth;
  reason.code = permanent ? 535 : 454;
  reason.permanent = permanent;
  return reason;
}

EndpointOptions options_with_token() {
  EndpointOptions options;
  options.name = "esp";
  options.host = "192.0.2.1";
  options.username = "u";
  options.connect_attempts_max = 4;
  options.read_token = [] { return TokenResult(AccessToken{"not asked here"}); };
  return options;
}

struct TokenGate {
  // Answers the read that is under way.
  void answer(TokenResult token) {
    REQUIRE(reads.size() == 1);
    const auto done = std::move(reads.front());
    reads.pop_front();
    done(std::move(token));
  }
  void give(std::string token, std::optional<Duration> lifetime = {}) {
    answer(AccessToken{std::move(token), lifetime});
  }
  // Asks for a session that must be let through with `token`.
  EndpointGate::Admission go(const std::string& token) {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::go);
    REQUIRE(admission.login != nullptr);
    CHECK(admission.login->credentials.token == token);
    CHECK(admission.login->credentials.password.empty());
    return admission;
  }
  void ready(const EndpointGate::Admission& admission) {
    gate.session_ready(admission.canary, protocol::Pipelining::off, admission.login->token_number);
  }
  void end(const EndpointGate::Admission& admission, const CloseReason& reason) {
    gate.session_ended({.canary = admission.canary, .token_number = admission.login->token_number},
                       reason, now);
  }
  // The gate with a first token in hand.
  void begin(std::string token, std::optional<Duration> lifetime = {}) {
    CHECK(gate.ask(now).answer == Answer::wait);
    give(std::move(token), lifetime);
  }

  EndpointOptions options = options_with_token();
  Instant now = Instant(1000h);
  int wakes = 0;
  std::deque<std::function<void(TokenResult)>> reads;
  EndpointGate gate{
      options,
      [](const std::string& host, std::uint16_t port, const io::Resolver::Callback& done) {
        done(std::vector<io::SocketAddress>{*io::address_of_literal(host, port)});
      },
      [this] { ++wakes; }, [this] { return now; },
      [this](std::function<void(TokenResult)> done) { reads.push_back(std::move(done)); }};
};

}  // namespace

TEST_CASE("token: it is read once before the first session, which waits for it") {
  TokenGate test;
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  REQUIRE(test.reads.size() == 1);
  const int wakes = test.wakes;
  test.give("first");
  CHECK(test.wakes == wakes + 1);
  CHECK(test.go("first").canary);
  test.now += 1000h;
  CHECK(test.gate.ask(test.now).answer == Answer::wait);  // for the canary
  CHECK(test.reads.empty());  // a token without an end is good until it is refused
}

TEST_CASE("token: on another port it is the same token, with the port that it is said on") {
  EndpointOptions options = options_with_token();
  options.port = 25;  // of no meaning beside a list
  options.ports = {{587, TransportSecurity::starttls}, {465, TransportSecurity::implicit}};
  LoginSource source(options);
  std::string error;
  const auto read = [&source, &error](std::string token) {
    REQUIRE(source.start_reading(Instant(1h)));
    CHECK(source.take(AccessToken{std::move(token), {}}, Instant(1h), error) ==
          LoginSource::Taken::good);
  };
  read("first");
  const auto before = source.login();
  CHECK(before->credentials.port == 587);
  source.use_port(465);
  CHECK(source.login()->credentials.port == 465);
  CHECK(source.login()->credentials.token == "first");
  CHECK(source.login()->token_number == before->token_number);
  CHECK(before->credentials.port == 587);
  REQUIRE(source.refused(before->token_number));
  read("second");
  CHECK(source.login()->credentials.port == 465);
}

TEST_CASE("token: one that comes when the endpoint has failed changes nothing") {
  TokenGate test;
  test.begin("first", 1h);
  const auto admission = test.go("first");
  test.now += 56min;
  CHECK(test.gate.ask(test.now).answer == Answer::wait);  // for the canary; a token is read
  REQUIRE(test.reads.size() == 1);
  CloseReason untrusted;
  untrusted.kind = CloseKind::tls_failed;
  untrusted.stage = Stage::tls;
  untrusted.permanent = true;
  test.end(admission, untrusted);
  REQUIRE(test.gate.failed());
  const int wakes = test.wakes;
  test.answer(Failure(std::string("the command failed")));
  CHECK(test.wakes == wakes);
  REQUIRE(test.gate.trouble());
  CHECK(test.gate.trouble()->kind == CloseKind::tls_failed);
  CHECK(test.gate.failure().kind == CloseKind::tls_failed);
}

TEST_CASE("token: it is read anew ahead of its end, and the old one serves meanwhile") {
  TokenGate test;
  test.begin("first", 1h);
  test.ready(test.go("first"));
  test.now += 54min;
  test.go("first");
  CHECK(test.reads.empty());
  test.now += 1min;
  test.go("first");
  CHECK(test.reads.size() == 1);
  test.go("first");
  CHECK(test.reads.size() == 1);
  SECTION("and the new one is taken when it comes") {
    test.give("second", 1h);
    test.go("second");
    CHECK(test.reads.empty());
  }
  SECTION("and when it does not come in time, sessions wait") {
    test.now += 5min;
    CHECK(test.gate.ask(test.now).answer == Answer::wait);
    test.give("second", 1h);
    test.go("second");
  }
  SECTION("and when it cannot be read, it is tried again after a while") {
    test.answer(Failure(std::string("no network")));
    test.go("first");
    CHECK(test.reads.empty());
    test.now += 30s;
    test.go("first");
    CHECK(test.reads.size() == 1);
    CHECK_FALSE(test.gate.failed());
  }
}

TEST_CASE("token: one that is refused at a message is read anew once, whatever the login says") {
  TokenGate test;
  CloseReason expired = refusal();
  expired.kind = CloseKind::login_wanted;
  expired.stage = Stage::mail;
  expired.code = 450;
  const auto refuse_behind_login = [&](const std::string& token) {
    const auto admission = test.go(token);
    test.ready(admission);
    test.gate.session_ended({.was_ready = true, .token_number = admission.login->token_number},
                            expired, test.now);
  };
  test.begin("old");
  refuse_behind_login("old");
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  SECTION("the next is refused there, too, which is final") {
    test.give("new");
    refuse_behind_login("new");
    REQUIRE(test.gate.failed());
    CHECK(test.gate.failure().code == 450);
    CHECK(test.reads.empty());
  }
  SECTION("so is the same one") {
    test.give("old");
    CHECK(test.gate.failed());
  }
  SECTION("the next works, and when that one ages it all begins anew") {
    test.give("new");
    test.ready(test.go("new"));
    test.gate.session_progressed();
    refuse_behind_login("new");
    CHECK_FALSE(test.gate.failed());
    CHECK(test.gate.ask(test.now).answer == Answer::wait);
    test.give("newer");
    test.go("newer");
  }
}

TEST_CASE("token: one that was refused is read anew once, and a canary tries the next") {
  TokenGate test;
  test.begin("old");
  const auto first = test.go("old");
  test.ready(first);
  const auto second = test.go("old");
  const auto third = test.go("old");
  test.end(second, refusal());
  CHECK_FALSE(test.gate.failed());
  test.end(third, refusal());  // the same token: nothing new
  CHECK_FALSE(test.gate.failed());
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  test.give("new");
  const auto canary = test.go("new");
  CHECK(canary.canary);
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  SECTION("that is let in, and so are the others") {
    test.ready(canary);
    test.go("new");
    // And when that one ages, it all begins anew.
    test.end(test.go("new"), refusal());
    CHECK(test.gate.ask(test.now).answer == Answer::wait);
    test.give("newer");
    test.go("newer");
  }
  SECTION("that is refused, too, which is final") {
    test.end(canary, refusal());
    REQUIRE(test.gate.failed());
    CHECK(test.gate.failure().code == 535);
    CHECK(test.gate.ask(test.now).answer == Answer::failed);
    CHECK(test.reads.empty());
  }
}

TEST_CASE("token: the same one again is not offered to the server again") {
  TokenGate test;
  test.begin("old");
  test.end(test.go("old"), refusal());
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  test.give("old");
  REQUIRE(test.gate.failed());
  CHECK(test.gate.failure().kind == CloseKind::auth_refused);
  CHECK(test.gate.failure().code == 535);
}

TEST_CASE("token: 454 is no refusal of it") {
  TokenGate test;
  test.begin("one");
  test.end(test.go("one"), refusal(false));
  CHECK_FALSE(test.gate.failed());
  const auto paused = test.gate.ask(test.now);
  REQUIRE(paused.answer == Answer::wait);
  REQUIRE(paused.try_again_at != never);
  test.now = paused.try_again_at;
  test.go("one");
  CHECK(test.reads.empty());
}

TEST_CASE("token: none that can be read ends the endpoint after as many tries as connections") {
  TokenGate test;
  for (std::uint32_t i = 0; i < test.options.connect_attempts_max; ++i) {
    CHECK_FALSE(test.gate.failed());
    auto admission = test.gate.ask(test.now);
    if (admission.try_again_at != never) {
      CHECK(test.reads.empty());
      test.now = admission.try_again_at;
      admission = test.gate.ask(test.now);
    }
    CHECK(admission.answer == Answer::wait);
    test.answer(i % 2 == 0 ? TokenResult(Failure(std::string("the command failed")))
                           : TokenResult(AccessToken{"a token with blanks"}));
  }
  REQUIRE(test.gate.failed());
  CHECK(test.gate.failure().kind == CloseKind::token_unavailable);
  CHECK(test.gate.failure().message().starts_with("no OAuth token to log in with: "));
}

TEST_CASE("token: one that is over when it is read is tried, and not read in a loop") {
  TokenGate test;
  test.begin("late", 0s);
  test.ready(test.go("late"));
  test.go("late");
  CHECK(test.reads.empty());
  test.now += 5s;
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  CHECK(test.reads.size() == 1);
}

TEST_CASE("token: with a password there is nothing to read, and a refusal is final") {
  EndpointOptions options;
  options.host = "192.0.2.1";
  options.username = "u";
  options.password = "secret";
  EndpointGate gate(
      options,
      [](const std::string& host, std::uint16_t port, const io::Resolver::Callback& done) {
        done(std::vector<io::SocketAddress>{*io::address_of_literal(host, port)});
      },
      [] {});
  const Instant now = Instant(1000h);
  CHECK(gate.ask(now).answer == Answer::wait);
  const auto canary = gate.ask(now);
  REQUIRE(canary.login != nullptr);
  CHECK(canary.login->credentials.password == "secret");
  CHECK(canary.login->token_number == 0);
  gate.session_ended({.canary = true}, refusal(), now);
  CHECK(gate.failed());
}

}  // namespace ringpost::engine
