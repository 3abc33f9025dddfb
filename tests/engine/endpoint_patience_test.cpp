// How long, how often and where a gate tries an endpoint that is away, or some of whose servers
// are. Time, look-ups and servers are the tests': nothing here waits.
#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/gate_support.h"

namespace ringpost::engine::test {

namespace {

const CloseReason not_welcome = reason_of(CloseKind::greeting_refused, true);
const CloseReason closing = reason_of(CloseKind::greeting_refused);
const CloseReason wrong_password = reason_of(CloseKind::auth_refused, true);

// One that has worked, and has just lost its only session.
void lose_it(Gate& test, const std::string& there = "192.0.2.1:587") {
  test.gate.session_progressed();
  test.gate.session_ended({.canary = true, .was_ready = true, .progressed = true, .address = there},
                          lost, test.now);
}

std::set<std::string> texts(const std::vector<io::SocketAddress>& addresses) {
  std::set<std::string> result;
  for (const io::SocketAddress& one : addresses) {
    result.insert(one.text());
  }
  return result;
}

}  // namespace

TEST_CASE("patience: ten minutes for one that has worked, one for one that has not") {
  Gate test(0);
  test.resolve();
  SECTION("never worked") { CHECK(is_about(test.be_away(), 1min)); }
  SECTION("worked") {
    test.begin_at("192.0.2.1:587", true);
    lose_it(test);
    const Duration tried = test.be_away();
    CHECK(tried >= 10min);
    CHECK(tried <= 10min + 1s);
  }
  SECTION("let in and nothing more is not worked") {
    test.begin_at("192.0.2.1:587", true);
    test.gate.session_ended({.canary = true, .was_ready = true, .address = "192.0.2.1:587"}, lost,
                            test.now);
    CHECK(test.be_away() <= 1min + 1s);
  }
  CHECK(test.gate.failure().kind == CloseKind::connect_failed);
  CHECK(test.gate.effort().starts_with("; tried for "));
}

TEST_CASE("patience: a greeting is waited for longer each round where all other addresses failed") {
  const EndpointOptions options;
  EndpointPatience patience(options);
  const Instant now{std::chrono::hours(1)};
  patience.wanted(now);
  CHECK(patience.with_greeting() == 30s);
  static_cast<void>(patience.pause_after_round(now));
  CHECK(patience.with_greeting() == 60s);
  for (int round = 0; round < 9; ++round) {
    static_cast<void>(patience.pause_after_round(now));
  }
  CHECK(patience.with_greeting() == 5min);
  patience.progressed();
  CHECK(patience.with_greeting() == 30s);
}

TEST_CASE("patience: the user's holds for both, and its last try is at its very end") {
  Gate test(0);
  test.options.patience = GENERATE(Duration(2s), Duration(90s), Duration(1h));
  const bool has_worked = GENERATE(true, false);
  test.resolve();
  if (has_worked) {
    test.begin_at("192.0.2.1:587", true);
    lose_it(test);
  }
  CHECK(test.be_away() == *test.options.patience);
}

TEST_CASE("patience: a canary's connection is bounded by it, the session only by the user's") {
  Gate test(0);
  const bool is_set = GENERATE(true, false);
  if (is_set) {
    test.options.patience = 1min;
  }
  test.resolve();
  const auto canary = test.gate.ask(test.now);
  CHECK(canary.connect_by == test.now + 1min);
  CHECK(canary.ready_by == (is_set ? test.now + 1min : never));
  test.gate.session_ready(true, protocol::Pipelining::across, 0, "192.0.2.1:587");
  CHECK(test.gate.ask(test.now).connect_by == never);
}

TEST_CASE("patience: time in which nobody wants a session does not count") {
  Gate test(0);
  test.resolve();
  SECTION("between two tries") {
    for (int i = 0; i < 30; ++i) {
      test.fail_once(refused);
      REQUIRE_FALSE(test.gate.failed());
      test.now += 1h;
    }
  }
  SECTION("with a session that had nothing to do") {
    test.begin_at("192.0.2.1:587", true);
    test.now += 10h;
    test.gate.session_ended(
        {.canary = true, .was_ready = true, .address = "192.0.2.1:587", .had_message = false}, lost,
        test.now);
    test.fail_once(refused);
    test.pass_pause();
    test.fail_once(refused);
    CHECK_FALSE(test.gate.failed());
  }
}

TEST_CASE("patience: while it is away one canary tries, and few of them") {
  Gate test(0);
  test.resolve();
  test.begin_at("192.0.2.1:587", true);
  lose_it(test);
  int canaries = 0;
  while (!test.gate.failed()) {
    const auto canary = test.gate.ask(test.now);
    if (canary.answer == Answer::wait) {
      if (!test.lookups.empty()) {
        test.answer_lookup(Failure(io::ResolveError{"no answer", true}));
        continue;
      }
      REQUIRE(canary.try_again_at > test.now);
      test.now = canary.try_again_at;
      continue;
    }
    ++canaries;
    REQUIRE(canary.canary);
    for (int i = 0; i < 20; ++i) {
      REQUIRE(test.gate.ask(test.now).answer == Answer::wait);
    }
    test.gate.session_ended({.canary = true}, refused, test.now);
  }
  CHECK(canaries >= 40);
  CHECK(canaries <= 60);
}

TEST_CASE("patience: it is said once that it is away, and once that it is back") {
  Gate test(0);
  test.resolve();
  test.begin_at("192.0.2.1:587", true);
  for (int outage = 0; outage < 2; ++outage) {
    lose_it(test);
    CHECK_FALSE(test.gate.away_for(test.now));
    for (int i = 0; i < 4; ++i) {
      test.fail_once(refused);
      test.pass_pause();
    }
    CHECK(test.gate.away_for(test.now + 1s));
    CHECK(test.gate.trouble());
    test.begin_at("192.0.2.1:587", true);
    test.gate.session_progressed();
    CHECK_FALSE(test.gate.away_for(test.now));
    CHECK_FALSE(test.gate.trouble());
  }
  const std::string away =
      "mx.example:587 is away (no connection: as the test wants it); trying again for up to 10 m";
  CHECK(test.notices ==
        std::vector<std::string>{away, "mx.example:587 is back", away, "mx.example:587 is back"});
}

TEST_CASE("nodes: what one of them refuses for good is its own, at the start and later") {
  const CloseReason refusal = GENERATE(not_welcome, closing);
  Gate test(0);
  test.resolve({"192.0.2.1", "192.0.2.2"});
  const std::string bad = "192.0.2.1:587";
  const std::string good = "192.0.2.2:587";
  // The canary meets one or the other; the good one lets everybody in.
  int refusals = 0;
  std::vector<std::string> sessions;
  for (int i = 0; i < 10; ++i) {
    const auto admission = test.gate.ask(test.now);
    REQUIRE(admission.answer == Answer::go);
    const std::string there = admission.addresses.front().text();
    if (there == bad) {
      ++refusals;
      test.gate.session_ended({.canary = admission.canary, .address = there}, refusal, test.now);
    } else {
      test.gate.session_ready(admission.canary, protocol::Pipelining::across, 0, there);
      sessions.push_back(there);
    }
  }
  CHECK_FALSE(test.gate.failed());
  CHECK(refusals == 1);
  CHECK(sessions.size() == 9);
  CHECK(test.notices.empty());
}

TEST_CASE("nodes: when all that answer refuse for good, one that never worked is given up") {
  Gate test(0);
  test.resolve({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  SECTION("all of them do") {
    test.fail_there(not_welcome);
    test.fail_there(reason_of(CloseKind::tls_failed, true));
    CHECK_FALSE(test.gate.failed());
    test.fail_there(not_welcome);
    CHECK(test.gate.failed());
  }
  SECTION("the others are not there") {
    test.fail_there(not_welcome);
    test.refuse_all();
    REQUIRE(test.gate.failed());
    CHECK(test.gate.failure().kind == CloseKind::greeting_refused);
  }
  SECTION("one may be well some day") {
    test.fail_there(not_welcome);
    test.fail_there(not_welcome);
    test.fail_there(closing);
    CHECK_FALSE(test.gate.failed());
    CHECK(is_about(test.pause(), 250ms));
  }
  SECTION("one has worked") {
    test.begin_at("192.0.2.1:587", true);
    lose_it(test);
    for (int i = 0; i < 3; ++i) {
      test.fail_there(not_welcome);
    }
    CHECK_FALSE(test.gate.failed());
    CHECK(is_about(test.pause(), 250ms));
  }
}

TEST_CASE("nodes: sessions take turns among those that are well") {
  Gate test(0);
  test.resolve({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
  test.begin_at("192.0.2.1:587", true);
  test.gate.addresses_failed(std::vector<std::string>{"192.0.2.3:587"}, test.now);
  std::map<std::string, int> first;
  for (int i = 0; i < 30; ++i) {
    ++first[test.gate.ask(test.now).addresses.front().text()];
  }
  CHECK(first == std::map<std::string, int>{
                     {"192.0.2.1:587", 10}, {"192.0.2.2:587", 10}, {"192.0.2.4:587", 10}});
}

TEST_CASE("logins: one refusal behind a success is not the end, three in a row are") {
  Gate test(0);
  test.resolve();
  test.begin_at("192.0.2.1:587", true);
  lose_it(test);
  for (int refusals = 1; refusals <= 2; ++refusals) {
    test.fail_there(wrong_password);
    REQUIRE_FALSE(test.gate.failed());
    CHECK(is_about(test.pause(), 2s * refusals));
    test.pass_pause();
  }
  SECTION("the third") {
    test.fail_there(wrong_password);
    CHECK(test.gate.failed());
    CHECK(test.gate.failure().kind == CloseKind::auth_refused);
  }
  SECTION("one that is taken makes them forgotten") {
    test.begin_at("192.0.2.1:587", true);
    lose_it(test);
    for (int i = 0; i < 2; ++i) {
      test.fail_there(wrong_password);
      REQUIRE_FALSE(test.gate.failed());
      test.pass_pause();
    }
  }
  CHECK(test.notices.front().find("refuses a login that it has taken before") != std::string::npos);
}

TEST_CASE("logins: while they are refused one session at a time asks, and the others go on") {
  Gate test(0);
  test.resolve();
  test.begin_at("192.0.2.1:587", true);
  for (int i = 0; i < 3; ++i) {
    test.begin_at("192.0.2.1:587", false);
  }
  for (int i = 0; i < 6; ++i) {
    REQUIRE(test.gate.ask(test.now).answer == Answer::go);
  }
  // Six that were under way together are one refusal.
  for (int i = 0; i < 6; ++i) {
    test.gate.session_ended({.address = "192.0.2.1:587"}, wrong_password, test.now);
  }
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(test.gate.failed());
    test.pass_pause();
    CHECK(test.fail_there(wrong_password) == "192.0.2.1:587");
  }
  // The four that were let in still work.
  CHECK_FALSE(test.gate.failed());
  CHECK(is_about(test.pause(), 8s));
  CHECK(test.gate.ask(test.now).answer == Answer::wait);
  for (int i = 0; i < 4; ++i) {
    test.gate.session_ended(
        {.canary = i == 0, .was_ready = true, .progressed = true, .address = "192.0.2.1:587"}, lost,
        test.now);
  }
  CHECK_FALSE(test.gate.failed());
  test.pass_pause();
  test.fail_there(wrong_password);
  CHECK(test.gate.failed());
}

TEST_CASE("names: looked up again after a round of failures, and when the answer is old") {
  Gate test(0);
  test.resolve();
  SECTION("after a round") {
    test.begin_at("192.0.2.1:587", true);
    lose_it(test);
    CHECK(test.asked.size() == 1);
    test.refuse_all();
    test.pass_pause();
    test.refuse_all();  // nobody waits for the look-up
    REQUIRE(test.asked.size() == 2);
    // It has moved, and is tried without waiting for the end of the pause.
    CHECK(test.pause() > 0s);
    test.answer_lookup(std::vector<io::SocketAddress>{address("192.0.2.9")});
    test.begin_at("192.0.2.9:587", true);
  }
  SECTION("with an old answer") {
    test.begin_at("192.0.2.1:587", true);
    test.now += 4min;
    test.begin_at("192.0.2.1:587", false);
    CHECK(test.asked.size() == 1);
    test.now += 2min;
    test.begin_at("192.0.2.1:587", false);
    REQUIRE(test.asked.size() == 2);
    test.answer_lookup(std::vector<io::SocketAddress>{address("192.0.2.9")});
    test.begin_at("192.0.2.9:587", false);
  }
  SECTION("and when that fails the old one stays, and it is asked again later") {
    test.now += 6min;
    const auto canary = test.gate.ask(test.now);
    CHECK(texts(canary.addresses) == std::set<std::string>{"192.0.2.1:587"});
    test.answer_lookup(Failure(io::ResolveError{"no such host", false}));
    CHECK_FALSE(test.gate.failed());
    test.gate.session_ready(true, protocol::Pipelining::across, 0, "192.0.2.1:587");
    test.begin_at("192.0.2.1:587", false);
    CHECK(test.lookups.empty());
    test.now += 31s;
    test.begin_at("192.0.2.1:587", false);
    CHECK(test.lookups.size() == 1);
  }
  SECTION("a name whose answers never stay the same does not make us hurry") {
    int canaries = 0;
    const Instant begin = test.now;
    for (int i = 2; !test.gate.failed(); ++i) {
      const auto asked = test.gate.ask(test.now);
      if (!test.lookups.empty()) {
        test.answer_lookup(
            std::vector<io::SocketAddress>{address("192.0.2." + std::to_string(i % 200 + 1))});
      }
      if (asked.answer == Answer::go) {
        ++canaries;
        test.gate.session_ended({.canary = true}, refused, test.now);
      } else if (asked.try_again_at != never) {
        test.now = std::max(test.now, asked.try_again_at);
      }
    }
    CHECK(test.now - begin >= 1min);
    CHECK(canaries < 20);
  }
}

// ---- The address book ---------------------------------------------------------------------------

TEST_CASE("addresses: families alternate, the preferred one first, and none stands there twice") {
  AddressBook book;
  CHECK(book.empty());
  CHECK(book.replace({address("2001:db8::1"), address("2001:db8::2"), address("2001:db8::1"),
                      address("2001:db8::3"), address("192.0.2.1")}));
  const auto order = book.order(Instant(1h));
  REQUIRE(order.size() == 4);
  CHECK(order[0].family() == AF_INET6);
  CHECK(order[1].text() == "192.0.2.1:587");
  CHECK(order[2].family() == AF_INET6);
  CHECK_FALSE(book.replace({address("2001:db8::1")}));
  CHECK(book.order(Instant(1h)).size() == 1);
}

TEST_CASE("addresses: sessions take turns among the well ones of the preferred family") {
  AddressBook book;
  static_cast<void>(book.replace(
      {address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3"), address("2001:db8::1")}));
  Instant now(1h);
  std::map<std::string, int> first;
  for (int i = 0; i < 30; ++i) {
    ++first[book.order(now).front().text()];
  }
  CHECK(first == std::map<std::string, int>{
                     {"192.0.2.1:587", 10}, {"192.0.2.2:587", 10}, {"192.0.2.3:587", 10}});
  book.failed("192.0.2.2:587", AddressBook::Answer::none, now);
  first.clear();
  for (int i = 0; i < 30; ++i) {
    const auto order = book.order(now);
    ++first[order.front().text()];
    CHECK(order.back().text() == "192.0.2.2:587");
    CHECK(order.size() == 4);
  }
  CHECK(first.size() == 2);
}

TEST_CASE("addresses: rests grow with each failure, and end with a success") {
  AddressBook book;
  static_cast<void>(book.replace({address("192.0.2.1")}));
  Instant now(1h);
  const auto rest = [&] {
    const Instant begin = now;
    while (!book.has_rested(now)) {
      now += 1s;
    }
    return now - begin;
  };
  for (const Duration length : {10s, 20s, 40s, 80s}) {
    book.failed("192.0.2.1:587", AddressBook::Answer::none, now);
    // Another session meets the same.
    book.failed("192.0.2.1:587", AddressBook::Answer::none, now);
    const Duration rested = rest();
    CHECK(rested >= length * 3 / 4);
    CHECK(rested <= length * 5 / 4 + 1s);
  }
  for (int i = 0; i < 10; ++i) {
    book.failed("192.0.2.1:587", AddressBook::Answer::none, now);
    CHECK(rest() <= 751s);
  }
  book.failed("192.0.2.1:587", AddressBook::Answer::none, now);
  book.session_began("192.0.2.1:587");
  CHECK(book.has_rested(now));
  // An address that nobody knows is nobody's.
  book.failed("192.0.2.77:587", AddressBook::Answer::refusal, now);
  book.session_ended("192.0.2.77:587");
  CHECK(book.has_rested(now));
}

}  // namespace ringpost::engine::test
