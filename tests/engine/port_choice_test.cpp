#include "engine/port_choice.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using protocol::CloseKind;
using Next = PortChoice::Next;
using PortAnswer = AddressBook::Answer;

const Instant port_start = Instant(1000h);
const PortOption submission{587, TransportSecurity::starttls};
const PortOption alternate{2525, TransportSecurity::starttls};
const PortOption implicit{465, TransportSecurity::implicit};

PortChoice three() { return PortChoice({submission, alternate, implicit}); }

Next fail(PortChoice& choice, PortEnd end, Duration after = 0s,
          PortAnswer answer = PortAnswer::none) {
  choice.failed(end);
  return choice.ended(answer, port_start + after);
}

}  // namespace

TEST_CASE("port choice: what another port may mend") {
  struct Row {
    CloseKind kind;
    Stage stage;
    bool certificate;
    PortEnd end;
  };
  const Row row =
      GENERATE(Row{CloseKind::connect_failed, Stage::connect, false, PortEnd::not_connected},
               Row{CloseKind::timeout, Stage::connect, false, PortEnd::not_connected},
               Row{CloseKind::timeout, Stage::greeting, false, PortEnd::not_greeted},
               Row{CloseKind::peer_closed, Stage::greeting, false, PortEnd::not_greeted},
               Row{CloseKind::protocol_error, Stage::greeting, false, PortEnd::not_greeted},
               Row{CloseKind::starttls_missing, Stage::greeting, false, PortEnd::not_greeted},
               Row{CloseKind::io_error, Stage::tls, false, PortEnd::no_tls},
               Row{CloseKind::timeout, Stage::tls, false, PortEnd::no_tls},
               Row{CloseKind::tls_failed, Stage::tls, false, PortEnd::no_tls},
               Row{CloseKind::tls_failed, Stage::tls, true, PortEnd::other},
               Row{CloseKind::starttls_missing, Stage::ehlo, false, PortEnd::no_starttls},
               Row{CloseKind::starttls_refused, Stage::starttls, false, PortEnd::no_starttls},
               Row{CloseKind::peer_closed, Stage::starttls, false, PortEnd::no_starttls},
               Row{CloseKind::starttls_injected, Stage::starttls, false, PortEnd::other},
               Row{CloseKind::greeting_refused, Stage::greeting, false, PortEnd::other},
               Row{CloseKind::peer_closing, Stage::greeting, false, PortEnd::other},
               Row{CloseKind::ehlo_refused, Stage::ehlo, false, PortEnd::other},
               Row{CloseKind::auth_refused, Stage::auth, false, PortEnd::other},
               Row{CloseKind::auth_missing, Stage::ehlo, false, PortEnd::other},
               Row{CloseKind::io_error, Stage::connect, false, PortEnd::other},
               Row{CloseKind::timeout, Stage::eod, false, PortEnd::other},
               Row{CloseKind::peer_closed, Stage::mail, false, PortEnd::other});
  CAPTURE(row.kind, row.stage);
  CHECK(port_end_of(protocol::reason_of(row.kind, row.stage), row.certificate) == row.end);
  CHECK(another_port_may_help(row.end) == (row.end != PortEnd::other));
  CHECK_FALSE(text_of(row.end).empty());
}

TEST_CASE("port choice: ports are tried in their order, and once a round") {
  PortChoice choice = three();
  CHECK(choice.current() == submission);
  CHECK(choice.has_next());
  CHECK(fail(choice, PortEnd::not_connected) == Next::another);
  CHECK(choice.current() == alternate);
  CHECK(choice.has_next());
  CHECK(fail(choice, PortEnd::not_connected) == Next::another);
  CHECK(choice.current() == implicit);
  CHECK_FALSE(choice.has_next());
  CHECK(fail(choice, PortEnd::no_tls) == Next::round);
  CHECK(choice.current() == submission);
  CHECK(choice.explanation() == "no connection came about on 587, 2525; no TLS came about on 465");
  CHECK(choice.passed_over().empty());
}

TEST_CASE("port choice: a port alone is tried again") {
  PortChoice choice({submission});
  CHECK_FALSE(choice.has_next());
  CHECK(fail(choice, PortEnd::not_connected) == Next::stay);
  CHECK(fail(choice, PortEnd::no_starttls, 1h, PortAnswer::refusal) == Next::stay);
  CHECK(choice.answer_of_round() == PortAnswer::refusal);
  CHECK_FALSE(choice.served());
}

TEST_CASE("port choice: the first that serves stays, and it is said why") {
  PortChoice choice = three();
  CHECK(fail(choice, PortEnd::not_connected) == Next::another);
  CHECK(choice.served() == "uses port 2525: no connection came about on 587");
  CHECK_FALSE(choice.has_next());
  CHECK_FALSE(choice.served());
  REQUIRE(choice.passed_over().size() == 1);
  CHECK(choice.passed_over().front().port == 587);
  CHECK(choice.passed_over().front().end == PortEnd::not_connected);
  CHECK(fail(choice, PortEnd::not_connected, 1min) == Next::stay);
  CHECK(choice.current() == alternate);
  PortChoice other = three();
  CHECK_FALSE(other.served());
  CHECK(other.passed_over().empty());
}

TEST_CASE("port choice: who has spoken is asked again, whatever he said") {
  PortChoice choice = three();
  for (int i = 0; i < 10; ++i) {
    CHECK(fail(choice, PortEnd::other, i * 1min, PortAnswer::trouble) == Next::stay);
    CHECK(choice.current() == submission);
  }
  // One of two addresses.
  choice.failed(PortEnd::other);
  CHECK(fail(choice, PortEnd::not_connected, 1h) == Next::stay);
  CHECK(fail(choice, PortEnd::not_connected, 1h) == Next::another);
}

TEST_CASE("port choice: what all ports of a round say together") {
  struct Row {
    PortAnswer first;
    PortAnswer second;
    PortAnswer third;
    PortAnswer all;
  };
  using enum AddressBook::Answer;
  const Row row = GENERATE(Row{none, none, none, none}, Row{refusal, none, none, refusal},
                           Row{none, none, refusal, refusal}, Row{refusal, trouble, none, trouble},
                           Row{trouble, refusal, refusal, trouble});
  PortChoice choice = three();
  for (int round = 0; round < 2; ++round) {
    CHECK(fail(choice, PortEnd::no_tls, 0s, row.first) == Next::another);
    CHECK(fail(choice, PortEnd::no_tls, 0s, row.second) == Next::another);
    CHECK(fail(choice, PortEnd::no_tls, 0s, row.third) == Next::round);
    CHECK(choice.answer_of_round() == row.all);
  }
}

TEST_CASE("port choice: behind long trouble all have their turn, and it is said where it goes on") {
  PortChoice choice = three();
  CHECK_FALSE(choice.served());
  CHECK(fail(choice, PortEnd::not_connected, 1h) == Next::stay);
  CHECK(fail(choice, PortEnd::not_connected, 1h + 4min) == Next::stay);
  CHECK(fail(choice, PortEnd::not_connected, 1h + 5min) == Next::another);
  CHECK(choice.current() == alternate);
  CHECK(fail(choice, PortEnd::no_starttls, 1h + 5min) == Next::another);
  SECTION("nowhere") {
    CHECK(fail(choice, PortEnd::no_tls, 1h + 5min) == Next::round);
    CHECK(choice.current() == submission);
    CHECK_FALSE(choice.served());
  }
  SECTION("on another, and in the next trouble on the first again") {
    CHECK(choice.served() ==
          "uses port 465: no connection came about on 587; there was no STARTTLS on 2525");
    CHECK(fail(choice, PortEnd::not_connected, 2h) == Next::stay);
    CHECK(fail(choice, PortEnd::not_connected, 3h) == Next::another);
    CHECK(choice.current() == submission);
    CHECK(choice.served() == "uses port 587: no connection came about on 465");
  }
}

TEST_CASE("port choice: whatever was heard in between is the end of the trouble") {
  const bool was_let_in = GENERATE(true, false);
  PortChoice choice = three();
  CHECK_FALSE(choice.served());
  CHECK(fail(choice, PortEnd::not_connected, 1min) == Next::stay);
  if (was_let_in) {
    CHECK_FALSE(choice.served());
  } else {
    CHECK(fail(choice, PortEnd::other, 2min, PortAnswer::trouble) == Next::stay);
  }
  CHECK(fail(choice, PortEnd::not_connected, 20min) == Next::stay);
}

TEST_CASE("port choice: any ends give each port its turn in every round, and never none") {
  const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u);
  std::uint64_t bits = seed * 0x9e3779b97f4a7c15ull;
  PortChoice choice = three();
  std::vector<PortOption> tried;
  for (int i = 0; i < 10'000; ++i) {
    bits = bits * 6364136223846793005ull + 1442695040888963407ull;
    const auto end = static_cast<PortEnd>((bits >> 33) % 5);
    const PortOption port = choice.current();
    const Next next = fail(choice, end, i * 1s);
    if (!another_port_may_help(end)) {
      REQUIRE(next == Next::stay);
      REQUIRE(choice.current() == port);
      continue;
    }
    REQUIRE(std::find(tried.begin(), tried.end(), port) == tried.end());
    tried.push_back(port);
    REQUIRE((next == Next::round) == (tried.size() == 3));
    if (next == Next::round) {
      tried.clear();
    }
  }
}

}  // namespace ringpost::engine
