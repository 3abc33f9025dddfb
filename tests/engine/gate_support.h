// A gate whose time, look-ups and servers are the test's.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/endpoint_gate.h"

namespace ringpost::engine::test {

using namespace std::chrono_literals;
using protocol::CloseKind;
using protocol::CloseReason;
using Answer = EndpointGate::Answer;
using Ending = EndpointGate::Ending;

inline CloseReason reason_of(CloseKind kind, bool permanent = false) {
  CloseReason reason;
  reason.kind = kind;
  reason.stage = Stage::connect;
  reason.detail = "as the test wants it";
  reason.permanent = permanent;
  return reason;
}

inline const CloseReason refused = reason_of(CloseKind::connect_failed);
inline const CloseReason lost = reason_of(CloseKind::peer_closed);
inline const CloseReason one_too_many = reason_of(CloseKind::greeting_refused);

// A pause of that length has a quarter more or less.
inline bool is_about(Duration pause, Duration length) {
  return pause >= length * 3 / 4 && pause <= length * 5 / 4;
}

inline io::SocketAddress address(std::string_view text) {
  return *io::address_of_literal(text, 587);
}

// A gate whose look-ups wait until the test answers them.
struct Gate {
  // `attempts_max` 0: only patience ends it.
  explicit Gate(std::uint32_t attempts_max = 4) {
    options.name = "esp";
    options.host = "mx.example";
    options.connect_attempts_max = attempts_max;
    gate.on_notice([this](const EndpointNotice& notice) { notices.push_back(notice.message); });
  }

  // Answers the look-up that the first question asked for.
  void resolve(std::vector<std::string> literals = {"192.0.2.1"}) {
    REQUIRE(gate.ask(now).answer == Answer::wait);
    REQUIRE(lookups.size() == 1);
    std::vector<io::SocketAddress> addresses;
    for (const std::string& literal : literals) {
      addresses.push_back(address(literal));
    }
    answer_lookup(std::move(addresses));
  }
  void answer_lookup(io::Resolver::Answer answer) {
    const auto callback = std::move(lookups.front());
    lookups.pop_front();
    callback(std::move(answer));
  }
  // One canary that was let in and works.
  void open() {
    resolve();
    REQUIRE(gate.ask(now).canary);
    gate.session_ready(true, protocol::Pipelining::across);
  }
  // A session that is let through and ends as it is told.
  void fail_once(const CloseReason& reason) {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::go);
    gate.session_ended({.canary = admission.canary}, reason, now);
  }
  // The same, at the first of its addresses, which took the connection. Says which.
  std::string fail_there(const CloseReason& reason) {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::go);
    std::string there = admission.addresses.front().text();
    gate.session_ended({.canary = admission.canary, .address = there}, reason, now);
    return there;
  }
  // A session at this address, which must be among those that it may go to.
  void begin_at(const std::string& there, bool canary) {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::go);
    REQUIRE(admission.canary == canary);
    REQUIRE(std::any_of(admission.addresses.begin(), admission.addresses.end(),
                        [&](const auto& one) { return one.text() == there; }));
    gate.session_ready(canary, protocol::Pipelining::across, 0, there);
  }
  // None of the addresses takes a connection.
  void refuse_all() {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::go);
    std::vector<std::string> tried;
    for (const io::SocketAddress& one : admission.addresses) {
      tried.push_back(one.text());
    }
    gate.addresses_failed(tried, now);
    gate.session_ended({.canary = admission.canary}, refused, now);
  }
  // Nobody is let in any more, until the endpoint has failed. Says how long that took.
  Duration be_away() {
    const Instant begin = now;
    for (int i = 0; i < 10'000 && !gate.failed(); ++i) {
      const auto admission = gate.ask(now);
      if (admission.answer == Answer::go) {
        gate.session_ended({.canary = admission.canary}, refused, now);
      } else if (!lookups.empty()) {
        answer_lookup(Failure(io::ResolveError{"no answer", true}));
      } else {
        REQUIRE(admission.try_again_at > now);
        now = admission.try_again_at;
      }
    }
    REQUIRE(gate.failed());
    return now - begin;
  }
  // To the end of the pause under way.
  void pass_pause() {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::wait);
    REQUIRE(admission.try_again_at != never);
    now = admission.try_again_at;
  }
  Duration pause() {
    const auto admission = gate.ask(now);
    REQUIRE(admission.answer == Answer::wait);
    return admission.try_again_at - now;
  }

  EndpointOptions options;
  Instant now = Instant(1000h);
  int wakes = 0;
  std::vector<std::string> notices;
  std::deque<io::Resolver::Callback> lookups;
  std::vector<std::pair<std::string, std::uint16_t>> asked;
  EndpointGate gate{options,
                    [this](std::string host, std::uint16_t port, io::Resolver::Callback callback) {
                      asked.emplace_back(std::move(host), port);
                      lookups.push_back(std::move(callback));
                    },
                    [this] { ++wakes; }, [this] { return now; }};
};

}  // namespace ringpost::engine::test
