// Time and look-ups are the tests': nothing here waits.
#include <set>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/gate_support.h"

namespace ringpost::engine::test {

using protocol::Pipelining;

TEST_CASE("gate: the name is looked up once, and everybody is woken when it is known") {
  Gate test;
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  REQUIRE(test.asked.size() == 1);
  CHECK(test.asked[0] == std::pair<std::string, std::uint16_t>("mx.example", 587));
  CHECK(test.wakes == 0);
  test.answer_lookup(std::vector<io::SocketAddress>{address("192.0.2.1")});
  CHECK(test.wakes == 1);
  CHECK(test.gate.ask(test.now).addresses.front().text() == "192.0.2.1:587");
}

TEST_CASE("gate: one canary goes first, and nobody beside it until it is ready") {
  Gate test;
  test.resolve();
  const auto first = test.gate.ask(test.now);
  CHECK(first.answer == Answer::go);
  CHECK(first.canary);
  for (int i = 0; i < 10; ++i) {
    const auto other = test.gate.ask(test.now);
    CHECK(other.answer == Answer::wait);
    CHECK(other.try_again_at == never);
  }
  const int wakes = test.wakes;
  test.gate.session_ready(true, protocol::Pipelining::across);
  CHECK(test.wakes == wakes + 1);
  for (int i = 0; i < 10; ++i) {
    const auto other = test.gate.ask(test.now);
    CHECK(other.answer == Answer::go);
    CHECK_FALSE(other.canary);
  }
}

TEST_CASE("gate: a canary that fails is followed by a pause and another canary") {
  Gate test;
  test.resolve();
  test.fail_once(refused);
  CHECK(is_about(test.pause(), 250ms));
  test.pass_pause();
  const auto second = test.gate.ask(test.now);
  CHECK(second.answer == Answer::go);
  CHECK(second.canary);
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
}

TEST_CASE("gate: pauses double, and the last attempt that is allowed ends the endpoint") {
  Gate test(4);
  test.resolve();
  for (const Duration pause : {Duration(250ms), Duration(500ms), Duration(1000ms)}) {
    test.fail_once(refused);
    CHECK(is_about(test.pause(), pause));
    CHECK_FALSE(test.gate.failed());
    test.pass_pause();
  }
  const int wakes = test.wakes;
  test.fail_once(refused);
  CHECK(test.gate.failed());
  CHECK(test.wakes == wakes + 1);
  CHECK(test.gate.failure().kind == CloseKind::connect_failed);
  CHECK(test.gate.failure().detail == refused.detail);
  CHECK(test.gate.ask(test.now + 1h).answer == Answer::failed);
}

TEST_CASE("gate: no pause is longer than a quarter of a minute, and some") {
  Gate test(100);
  test.options.patience = 1h;
  test.resolve();
  Duration longest{};
  for (int i = 0; i < 40; ++i) {
    test.fail_once(refused);
    longest = std::max(longest, test.pause());
    test.pass_pause();
  }
  CHECK(longest >= 15s);
  CHECK(longest <= 15s * 5 / 4);
}

TEST_CASE("gate: a permanent failure of the canary ends the endpoint at once") {
  Gate test;
  test.resolve();
  test.fail_once(reason_of(CloseKind::auth_refused, true));
  CHECK(test.gate.failed());
  CHECK(test.gate.failure().kind == CloseKind::auth_refused);
  CHECK(test.gate.ask(test.now).answer == Answer::failed);
}

TEST_CASE("gate: the reason of the first failure stays") {
  Gate test;
  test.open();
  REQUIRE(test.gate.ask(test.now).answer == Answer::go);
  test.gate.session_ended({}, reason_of(CloseKind::auth_in_clear, true), test.now);
  test.gate.session_ended({}, reason_of(CloseKind::tls_failed, true), test.now);
  CHECK(test.gate.failure().kind == CloseKind::auth_in_clear);
}

TEST_CASE(
    "gate: a name that does not exist ends the endpoint, and one that may come is tried again") {
  SECTION("for good") {
    Gate test;
    REQUIRE(test.gate.ask(test.now).answer == Answer::wait);
    test.answer_lookup(Failure(io::ResolveError{"no such host", false}));
    CHECK(test.gate.failed());
    CHECK(test.gate.failure().message() == "no connection: no such host");
    CHECK(test.wakes == 1);
  }
  SECTION("a name without an address") {
    Gate test;
    REQUIRE(test.gate.ask(test.now).answer == Answer::wait);
    test.answer_lookup(std::vector<io::SocketAddress>{});
    CHECK(test.gate.failed());
  }
  SECTION("the name server did not answer") {
    Gate test(3);
    for (int i = 0; i < 3; ++i) {
      REQUIRE_FALSE(test.gate.failed());
      REQUIRE(test.gate.ask(test.now).answer == Answer::wait);
      REQUIRE(test.lookups.size() == 1);
      test.answer_lookup(Failure(io::ResolveError{"try again", true}));
      // Nobody asks again during the pause.
      const auto asked = test.gate.ask(test.now);
      CHECK(asked.answer != Answer::go);
      CHECK(test.lookups.empty());
      test.now = std::max(test.now, std::min(asked.try_again_at, test.now + 1min));
    }
    CHECK(test.gate.failed());
    CHECK(test.asked.size() == 3);
  }
  SECTION("and then it answers") {
    Gate test;
    REQUIRE(test.gate.ask(test.now).answer == Answer::wait);
    test.answer_lookup(Failure(io::ResolveError{"try again", true}));
    test.now += 1min;
    test.resolve();
    CHECK(test.gate.ask(test.now).answer == Answer::go);
  }
}

TEST_CASE("gate: every address is tried once, without a pause, and then all of them after one") {
  Gate test(10);
  test.resolve({"192.0.2.1", "192.0.2.2", "2001:db8::3"});
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> tried;
    for (int i = 0; i < 3; ++i) {
      tried.insert(test.fail_there(lost));
    }
    CHECK(tried == std::set<std::string>{"192.0.2.1:587", "192.0.2.2:587", "[2001:db8::3]:587"});
    test.pass_pause();
  }
}

TEST_CASE("gate: sessions that fail together are one failure, not many, and move one address on") {
  Gate test(4);
  test.resolve({"192.0.2.1", "192.0.2.2"});
  REQUIRE(test.gate.ask(test.now).canary);
  test.gate.session_ready(true, protocol::Pipelining::across);
  for (int i = 0; i < 9; ++i) {
    REQUIRE(test.gate.ask(test.now).answer == Answer::go);
  }
  // The server is restarted: the one that worked and nine that were being opened all end.
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost, test.now);
  for (int i = 0; i < 9; ++i) {
    test.gate.session_ended({}, lost, test.now + i * 1ms);
  }
  CHECK_FALSE(test.gate.failed());
  CHECK(is_about(test.pause(), 250ms));
  test.pass_pause();
  const auto next = test.gate.ask(test.now);
  CHECK(next.answer == Answer::go);
  CHECK(next.canary);
  CHECK(next.addresses.size() == 2);
}

TEST_CASE("gate: a greeting that refuses one too many stops more sessions, not the endpoint") {
  Gate test(4);
  test.open();
  const bool permanent = GENERATE(false, true);
  for (int i = 0; i < 20; ++i) {
    const auto admission = test.gate.ask(test.now);
    REQUIRE(admission.answer == Answer::go);
    test.gate.session_ended({}, reason_of(CloseKind::greeting_refused, permanent), test.now);
    REQUIRE_FALSE(test.gate.failed());
    test.pass_pause();
  }
  // And all that does not count against it when its one session ends some day and the next try
  // fails.
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost, test.now);
  test.fail_once(refused);
  CHECK_FALSE(test.gate.failed());
}

TEST_CASE("gate: a greeting that refuses the very first session for good ends the endpoint") {
  Gate test;
  test.resolve();
  test.fail_once(reason_of(CloseKind::greeting_refused, true));
  CHECK(test.gate.failed());
}

TEST_CASE("gate: a session that did its work and ended is no failure, and needs no pause") {
  Gate test;
  test.open();
  for (int i = 0; i < 50; ++i) {
    test.gate.session_progressed();
    test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost,
                            test.now);
    const auto next = test.gate.ask(test.now);
    REQUIRE(next.answer == Answer::go);
    REQUIRE(next.canary);
    test.gate.session_ready(true, protocol::Pipelining::across);
  }
  CHECK_FALSE(test.gate.failed());
}

TEST_CASE("gate: sessions that are let in and end without an answer to any message count") {
  Gate test(3);
  test.resolve();
  for (int i = 0; i < 3; ++i) {
    REQUIRE_FALSE(test.gate.failed());
    REQUIRE(test.gate.ask(test.now).canary);
    test.gate.session_ready(true, protocol::Pipelining::across);
    test.gate.session_ended({.canary = true, .was_ready = true}, lost, test.now);
    test.now = std::min(test.gate.ask(test.now).try_again_at, test.now + 1min);
  }
  CHECK(test.gate.failed());
}

TEST_CASE("gate: so they do when they are many and end at different times") {
  Gate test(3);
  test.resolve();
  int rounds = 0;
  for (; rounds < 10 && !test.gate.failed(); ++rounds) {
    REQUIRE(test.gate.ask(test.now).canary);
    test.gate.session_ready(true, protocol::Pipelining::across);
    for (int i = 0; i < 4; ++i) {
      REQUIRE(test.gate.ask(test.now).answer == Answer::go);
      test.gate.session_ready(false, protocol::Pipelining::across);
    }
    for (int i = 0; i < 5; ++i) {
      test.gate.session_ended({.canary = i == 0, .was_ready = true}, lost, test.now + i * 10ms);
    }
    test.now = std::min(test.gate.ask(test.now).try_again_at, test.now + 1min);
  }
  CHECK(rounds == 3);
}

TEST_CASE("gate: idle sessions that a server ends are no reason to give it up") {
  Gate test(4);
  test.open();
  for (int i = 0; i < 9; ++i) {
    REQUIRE(test.gate.ask(test.now).answer == Answer::go);
    test.gate.session_ready(false, protocol::Pipelining::across);
  }
  test.gate.session_progressed();
  // Five minutes later: one of them had something to do.
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost, test.now);
  for (int i = 0; i < 9; ++i) {
    test.gate.session_ended({.was_ready = true}, lost, test.now + i * 1s);
  }
  CHECK_FALSE(test.gate.failed());
  test.now += 1min;
  CHECK(test.gate.ask(test.now).canary);
}

TEST_CASE("gate: progress makes the failures before it forgotten") {
  Gate test(2);
  test.resolve();
  for (int i = 0; i < 10; ++i) {
    test.fail_once(refused);
    CHECK(is_about(test.pause(), 250ms));
    test.pass_pause();
    REQUIRE(test.gate.ask(test.now).canary);
    test.gate.session_ready(true, protocol::Pipelining::across);
    test.gate.session_progressed();
    test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost,
                            test.now);
  }
  CHECK_FALSE(test.gate.failed());
}

TEST_CASE(
    "gate: what we end ourselves is no failure, and a canary that we end leaves room for one") {
  const CloseKind kind = GENERATE(CloseKind::quit, CloseKind::aborted);
  Gate test(1);
  test.resolve();
  test.fail_once(reason_of(kind));
  CHECK_FALSE(test.gate.failed());
  const auto next = test.gate.ask(test.now);
  CHECK(next.answer == Answer::go);
  CHECK(next.canary);
}

TEST_CASE("gate: when the last session has gone the next one is a canary again") {
  Gate test;
  test.open();
  REQUIRE_FALSE(test.gate.ask(test.now).canary);
  test.gate.session_ready(false, protocol::Pipelining::across);
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost, test.now);
  CHECK_FALSE(test.gate.ask(test.now).canary);
  test.gate.session_ended({.was_ready = true, .progressed = true}, lost, test.now);
  CHECK(test.gate.ask(test.now).canary);
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
}

TEST_CASE("gate: what sessions learn comes together, and what goes wrong is said once") {
  Gate test;
  test.open();
  protocol::PipeliningKnowledge one;
  one.prove(protocol::Pipelining::within);
  one.recipients_max = 50;
  protocol::PipeliningKnowledge two;
  two.prove(protocol::Pipelining::flights);
  two.recipients_max = 20;
  test.gate.learn(one);
  test.gate.learn(two);
  const protocol::PipeliningKnowledge known = test.gate.ask(test.now).knowledge;
  CHECK(known.proven == protocol::Pipelining::flights);
  CHECK(known.recipients_max == 20);
  protocol::CloseReason why = reason_of(protocol::CloseKind::way_refused, Stage::mail);
  why.fall_back = protocol::Pipelining::within;
  std::size_t notices = 0;
  test.gate.on_notice([&](const EndpointNotice&) { ++notices; });
  test.gate.fell_back(why);
  test.gate.fell_back(why);
  CHECK(test.gate.ask(test.now).knowledge.most == protocol::Pipelining::within);
  CHECK(notices == 1);
}

TEST_CASE("gate: a session that was opened before others fell back does not say their way") {
  Gate test(0);
  test.open();
  REQUIRE_FALSE(test.gate.ask(test.now).canary);  // on its way
  SECTION("one that goes on") {
    protocol::CloseReason why = reason_of(protocol::CloseKind::way_refused, Stage::mail);
    why.fall_back = protocol::Pipelining::within;
    test.gate.fell_back(why);
  }
  SECTION("one that ended") {
    protocol::CloseReason why = reason_of(protocol::CloseKind::protocol_error, Stage::mail);
    why.fall_back = protocol::Pipelining::within;
    test.gate.session_ended({.was_ready = true, .progressed = true}, why, test.now);
  }
  test.gate.session_ready(false, protocol::Pipelining::across);
  CHECK(test.gate.pipelining() == protocol::Pipelining::within);
}

TEST_CASE("gate: a canary beside a session that works has the time that it needs") {
  Gate test(0);
  test.options.patience = 3s;
  test.open();
  // The last session ends while another one is on its way, and a canary is let through.
  REQUIRE_FALSE(test.gate.ask(test.now).canary);
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true}, lost, test.now);
  const auto canary = test.gate.ask(test.now);
  REQUIRE(canary.canary);
  CHECK(canary.ready_by < never);
  test.gate.session_ready(false, Pipelining::across);
  test.now += 60s;
  test.gate.session_ended({.canary = true, .address = "192.0.2.1:587"}, refused, test.now);
  test.pass_pause();
  const auto next = test.gate.ask(test.now);
  REQUIRE(next.canary);
  CHECK(next.connect_by == never);
  CHECK(next.ready_by == never);
}

// ---- Steps of the ladder
// -------------------------------------------------------------------------

namespace {

CloseReason doubt_of(Pipelining step, CloseKind kind = CloseKind::peer_closed) {
  CloseReason reason = reason_of(kind);
  reason.of_trial = true;
  reason.doubted = step;
  return reason;
}

CloseReason fall_from(Pipelining step, CloseKind kind = CloseKind::peer_closed) {
  CloseReason reason = reason_of(kind);
  reason.of_trial = true;
  reason.fall_back = one_less(step);
  return reason;
}

void end_working(Gate& test, const CloseReason& reason, protocol::StepSet next = 0) {
  test.gate.session_ready(false, Pipelining::across);
  test.gate.session_ended({.was_ready = true, .progressed = true, .next = next}, reason, test.now);
}

}  // namespace

TEST_CASE("gate: a step that was ended once is in doubt, and one session at a time tries again") {
  constexpr protocol::StepSet across = bit_of(Pipelining::across);
  Gate test;
  test.open();
  test.gate.session_ready(false, Pipelining::across);
  end_working(test, doubt_of(Pipelining::across));
  // Those that were under way at the same time have met the same accident.
  end_working(test, doubt_of(Pipelining::across));
  const protocol::StepDoubts chosen = test.gate.ask(test.now).knowledge.doubts;
  CHECK(chosen.steps == across);
  CHECK(chosen.next == across);
  CHECK(chosen.silent == 0);
  const protocol::StepDoubts other = test.gate.ask(test.now).knowledge.doubts;
  CHECK(other.steps == across);
  CHECK(other.next == 0);
  // The one that was chosen ended for another cause: another one is.
  end_working(test, lost, across);
  CHECK(test.gate.ask(test.now).knowledge.doubts.next == across);
  CHECK(test.gate.ask(test.now).knowledge.doubts.next == 0);
  CHECK(test.gate.ask(test.now).knowledge.most == Pipelining::flights);
  CHECK(test.notices.empty());
  end_working(test, fall_from(Pipelining::across), across);
  CHECK(test.gate.ask(test.now).knowledge.most == Pipelining::within);
  CHECK(test.gate.fall_backs().size() == 1);
  CHECK(test.notices.size() == 1);
}

TEST_CASE("gate: a step that was shown since is in doubt no more, whoever failed before") {
  Gate test;
  test.open();
  test.gate.session_ready(false, Pipelining::across);
  end_working(test, doubt_of(Pipelining::within));
  protocol::PipeliningKnowledge knowledge;
  knowledge.prove(Pipelining::within);
  test.gate.learn(knowledge);
  end_working(test, fall_from(Pipelining::within));
  end_working(test, doubt_of(Pipelining::within, CloseKind::timeout));
  const protocol::PipeliningKnowledge known = test.gate.ask(test.now).knowledge;
  CHECK(known.most == Pipelining::flights);
  CHECK(known.doubts.silent == 0);
  CHECK(test.gate.fall_backs().empty());
}

TEST_CASE("gate: silence that is borne out is said with what was waited for then") {
  Gate test;
  test.open();
  test.gate.session_ready(false, Pipelining::across);
  CloseReason silence = doubt_of(Pipelining::across, CloseKind::timeout);
  silence.detail = "no reply to mail in time";
  end_working(test, silence);
  CHECK(test.gate.ask(test.now).knowledge.doubts.silent == bit_of(Pipelining::across));
  CloseReason borne_out = fall_from(Pipelining::across, CloseKind::timeout);
  borne_out.doubted = Pipelining::across;
  borne_out.detail.clear();
  test.gate.fell_back(borne_out);
  REQUIRE(test.gate.fall_backs().size() == 1);
  CHECK(test.gate.fall_backs()[0] ==
        "goes on with command groups: timed out: no reply to mail in time");
}

TEST_CASE("gate: a session that leaves a step in doubt is no failure of the endpoint") {
  Gate test;
  test.resolve();
  REQUIRE(test.gate.ask(test.now).canary);
  test.gate.session_ready(true, Pipelining::across);
  test.gate.session_ended({.canary = true, .was_ready = true}, doubt_of(Pipelining::across),
                          test.now);
  CHECK(test.gate.ask(test.now).answer == Answer::go);
}

TEST_CASE("gate: what is known of ways to log in is handed on before a session is ready") {
  Gate test;
  test.resolve();
  REQUIRE(test.gate.ask(test.now).canary);
  protocol::PipeliningKnowledge knowledge;
  knowledge.mechanisms_failed = codec::bit_of(AuthMechanism::scram_sha_256);
  test.gate.learn_mechanisms(knowledge);
  knowledge = {};
  knowledge.mechanisms_proven = codec::bit_of(AuthMechanism::plain);
  test.gate.learn_mechanisms(knowledge);
  CloseReason reason = lost;
  reason.other_mechanism = true;
  test.gate.session_ended({.canary = true}, reason, test.now);
  // No failure of the endpoint's: the next canary goes at once.
  const auto next = test.gate.ask(test.now);
  REQUIRE(next.answer == Answer::go);
  CHECK(next.canary);
  CHECK(next.knowledge.mechanisms_failed == codec::bit_of(AuthMechanism::scram_sha_256));
  CHECK(next.knowledge.mechanisms_proven == codec::bit_of(AuthMechanism::plain));
}

TEST_CASE("gate: the same is told once") {
  Gate test;
  std::vector<std::string> heard;
  test.gate.on_notice([&](const EndpointNotice& notice) {
    CHECK(notice.endpoint == "esp");
    heard.push_back(notice.message);
  });
  test.gate.tell("silent");
  test.gate.tell("silent");
  test.gate.tell("late");
  test.gate.tell("silent");
  CHECK(heard == std::vector<std::string>{"silent", "late"});
}

TEST_CASE("gate: an endpoint that says the same no to everybody is not asked for ever") {
  Gate test;
  test.options.equal_refusals_max = 3;
  test.open();
  const auto refuse = [&](Bytes text) {
    test.gate.recipient_refused(Stage::rcpt, {550, {5, 7, 1}, text, 1});
  };
  refuse("account 12 is closed");
  refuse("account 12 is closed");
  refuse("no such user");
  refuse("account 12 is closed");
  refuse("account 13 is closed");
  CHECK_FALSE(test.gate.failed());
  refuse("account 12 is closed");
  REQUIRE(test.gate.failed());
  CHECK(test.gate.failure().kind == CloseKind::all_refused);
  CHECK(test.gate.failure().message().find("--max-refusals 0") != std::string::npos);
}

TEST_CASE("gate: refusals of an endpoint that has accepted something are its recipients'") {
  for (const bool asked_to_go_on : {false, true}) {
    Gate test;
    test.options.equal_refusals_max = asked_to_go_on ? 0 : 3;
    test.open();
    if (!asked_to_go_on) {
      test.gate.recipient_accepted();
    }
    for (int i = 0; i < 10; ++i) {
      test.gate.recipient_refused(Stage::rcpt, {550, {5, 1, 1}, "no such user", 1});
    }
    CHECK_FALSE(test.gate.failed());
  }
}

TEST_CASE("gate: ports are tried in turn where another one may do better") {
  struct Ports {
    static EndpointOptions options_with_ports() {
      EndpointOptions options;
      options.name = "esp";
      options.host = "192.0.2.1";
      options.ports = {{587, TransportSecurity::starttls}, {465, TransportSecurity::implicit}};
      options.username = "u";
      options.password = "p";
      return options;
    }
    // The answer to a canary, its address looked up on the way where it has to be.
    EndpointGate::Admission ask() {
      const auto first = gate.ask(now);
      return first.answer == Answer::go ? first : gate.ask(now);
    }
    // A canary at `at`, which took the connection; nobody did where it is empty.
    void fail(const CloseReason& reason, std::string_view at = {}, bool certificate = false) {
      Ending ending;
      ending.canary = true;
      ending.address = at;
      ending.certificate_was_judged = certificate;
      gate.session_ended(ending, reason, now);
    }
    void pass_pause() {
      const auto pause = ask();
      REQUIRE(pause.answer == Answer::wait);
      REQUIRE(pause.try_again_at != never);
      now = pause.try_again_at;
    }
    EndpointOptions options = options_with_ports();
    Instant now = Instant{} + 1h;
    std::vector<std::string> notices;
    EndpointGate gate{options,
                      [](const std::string& host, std::uint16_t port, const auto& done) {
                        done(std::vector{*io::address_of_literal(host, port)});
                      },
                      [] {}, [this] { return now; }};
  } test;
  test.gate.on_notice(
      [&test](const EndpointNotice& notice) { test.notices.push_back(notice.message); });
  const auto ended_at = [](CloseKind kind, Stage stage, bool permanent = false) {
    CloseReason reason = reason_of(kind, permanent);
    reason.stage = stage;
    return reason;
  };
  const std::string there = "192.0.2.1:587";
  SECTION("the next one is tried at once, and said when it works") {
    const auto first = test.ask();
    CHECK(first.addresses.front().port() == 587);
    test.fail(refused);
    const auto next = test.ask();
    REQUIRE(next.answer == Answer::go);
    // OAUTHBEARER says the port: that of the session, whatever the options name first.
    CHECK(first.login->credentials.port == 587);
    CHECK(next.login->credentials.port == 465);
    CHECK(next.login->credentials.password == "p");
    CHECK(next.addresses.front().port() == 465);
    CHECK(next.security == TransportSecurity::implicit);
    test.gate.session_ready(true, Pipelining::across, 0, "192.0.2.1:465");
    REQUIRE(test.notices.size() == 1);
    CHECK(test.notices.front() == "uses port 465: no connection came about on 587");
    CHECK(test.gate.place() == "192.0.2.1:465");
    REQUIRE(test.gate.ports().passed_over().size() == 1);
    CHECK(test.gate.ports().passed_over().front().port == 587);
  }
  SECTION("a connection that comes to nothing before the server has a say is no better") {
    const auto reason = GENERATE_REF(ended_at(CloseKind::timeout, Stage::greeting),
                                     ended_at(CloseKind::peer_closed, Stage::greeting),
                                     ended_at(CloseKind::tls_failed, Stage::tls),
                                     ended_at(CloseKind::starttls_missing, Stage::ehlo, true));
    static_cast<void>(test.ask());
    test.fail(reason, there);
    const auto next = test.ask();
    REQUIRE(next.answer == Answer::go);
    CHECK(next.addresses.front().port() == 465);
  }
  SECTION("nobody waits long for a port while another is next, and longer each round") {
    const auto first = test.ask();
    const Duration at_first = first.connect_by - test.now;
    CHECK(at_first < 5s);
    CHECK(first.secured_by - test.now == limits::greeting_patience);
    test.fail(refused);
    const auto last = test.ask();
    CHECK(last.connect_by == test.now + limits::patience_unproven);
    CHECK(last.secured_by == never);
    test.fail(refused);
    test.pass_pause();
    const auto again = test.ask();
    CHECK(again.addresses.front().port() == 587);
    CHECK(again.connect_by - test.now == 2 * at_first);
    CHECK(again.secured_by - test.now == 2 * limits::greeting_patience);
  }
  SECTION("behind the last one comes a pause, and the first again") {
    static_cast<void>(test.ask());
    test.fail(refused);
    static_cast<void>(test.ask());
    test.fail(refused);
    test.pass_pause();
    CHECK(test.ask().addresses.front().port() == 587);
    REQUIRE(test.gate.trouble());
    CHECK(test.gate.trouble()->detail.ends_with("no connection came about on 587, 465"));
  }
  SECTION("where all that answer refuse for good, nobody waits for the others") {
    static_cast<void>(test.ask());
    test.fail(ended_at(CloseKind::starttls_missing, Stage::ehlo, true), there);
    static_cast<void>(test.ask());
    test.fail(refused);
    REQUIRE(test.gate.failed());
    CHECK(test.gate.failure().kind == CloseKind::starttls_missing);
    CHECK(test.gate.failure().detail.ends_with(
        "there was no STARTTLS on 587; no connection came about on 465"));
  }
  SECTION("what a server said holds on all of its ports") {
    static_cast<void>(test.ask());
    test.fail(one_too_many, there);
    test.pass_pause();
    CHECK(test.ask().addresses.front().port() == 587);
  }
  SECTION("a login that is refused is tried nowhere else") {
    static_cast<void>(test.ask());
    test.fail(ended_at(CloseKind::auth_refused, Stage::auth, true), there);
    CHECK(test.gate.failed());
  }
  SECTION("nor is a certificate that does not do") {
    static_cast<void>(test.ask());
    test.fail(ended_at(CloseKind::tls_failed, Stage::tls, true), there, true);
    REQUIRE(test.gate.failed());
    CHECK(test.gate.failure().kind == CloseKind::tls_failed);
  }
  SECTION("one that served is left only behind long trouble") {
    static_cast<void>(test.ask());
    test.gate.session_ready(true, Pipelining::across, 0, there);
    test.gate.session_progressed();
    CHECK(test.notices.empty());
    Ending ending;
    ending.was_ready = true;
    ending.progressed = true;
    ending.address = there;
    test.gate.session_ended(ending, lost, test.now);
    std::set<std::uint16_t> tried;
    const Instant begin = test.now;
    while (!test.gate.failed() && !tried.contains(465)) {
      const auto canary = test.ask();
      if (canary.answer == Answer::wait) {
        REQUIRE(canary.try_again_at > test.now);
        test.now = canary.try_again_at;
        continue;
      }
      tried.insert(canary.addresses.front().port());
      test.fail(refused);
    }
    CHECK(tried == std::set<std::uint16_t>{465, 587});
    CHECK(test.now - begin >= limits::patience / 2);
    CHECK(test.now - begin < limits::patience / 2 + 1min);
  }
}

}  // namespace ringpost::engine::test
