// What a client hears when chance is against it, and that the record tells the truth all the same.
#include <catch2/catch_test_macros.hpp>

#include "engine/server/server_session.h"
#include "tests/sink/support.h"

using namespace ringpost;
using namespace ringpost::sink;
using namespace ringpost::sink::test;

namespace {

const std::string closing = "421 4.3.2 The sink has had enough\r\n";
const std::string envelope = "MAIL FROM:<a@b> SIZE=12\r\nRCPT TO:<c@d>\r\n";
const std::string twelve_octets = "0123456789\r\n";

FaultOptions with(std::initializer_list<const char*> faults) {
  FaultOptions options;
  options.chances.seed = 5;
  for (const char* const fault : faults) {
    REQUIRE(add_fault(fault, options.chances));
  }
  return options;
}

// One message by DATA, another by BDAT, as far as the session goes along.
Played play_message(const char* fault, bool chunked, std::string hears) {
  const std::string data =
      chunked ? "BDAT 12 LAST\r\n" + twelve_octets : "DATA\r\n" + twelve_octets + ".\r\n";
  return require_dialogue(
      {.exchanges = {{"EHLO x\r\n", play({.exchanges = {{"EHLO x\r\n", {}}}}).heard.at(0)},
                     {envelope + data, std::move(hears)},
                     {"NOOP\r\n", {}}},
       .faults = with({fault})});
}

// NOOP behind it is heard no more.
void require_over(const Played& played) {
  REQUIRE(is_end(played.next));
  REQUIRE(played.heard.back().empty());
  REQUIRE(played.tally.faults_total() == 1);
}

}  // namespace

TEST_CASE("fault: in place of obeying nothing is taken") {
  for (const bool chunked : {false, true}) {
    INFO("chunked: " << chunked);
    const std::string until_end = mail_ok + rcpt_ok + (chunked ? "" : go_ahead);
    const std::array<std::pair<const char*, std::string>, 4> stages = {{
        {"@mail=100", ""},
        {"@rcpt=100", mail_ok},
        {"@data=100", mail_ok + rcpt_ok},
        {"@end=100", until_end},
    }};
    for (const auto& [stage, hears] : stages) {
      const Played dropped = play_message(("drop" + std::string(stage)).c_str(), chunked, hears);
      require_over(dropped);
      REQUIRE(dropped.next != Next::close);
      REQUIRE(dropped.messages.empty());
      const Played closed =
          play_message(("421" + std::string(stage)).c_str(), chunked, hears + closing);
      require_over(closed);
      REQUIRE(closed.next == Next::close);
      REQUIRE(closed.messages.empty());
    }
    require_over(play_message("drop@content=100", chunked, until_end));
  }
}

TEST_CASE("fault: what was taken stays so, whatever becomes of its reply") {
  for (const bool chunked : {false, true}) {
    INFO("chunked: " << chunked);
    const std::string before = mail_ok + rcpt_ok + (chunked ? "" : go_ahead);
    const Played lost = play_message("drop-reply=100", chunked, before);
    require_over(lost);
    REQUIRE(lost.messages.size() == 1);
    const Played half = play_message("half-reply@end=100", chunked,
                                     before + queued().substr(0, queued().size() / 2));
    require_over(half);
    REQUIRE(half.messages.size() == 1);
  }
}

TEST_CASE("fault: behind a spoilt reply the session goes on") {
  const auto hear = [](const char* fault) {
    return play({.exchanges = {{"EHLO x\r\n", {}},
                               {envelope + "BDAT 12 LAST\r\n" + twelve_octets, {}},
                               {"RSET\r\n", {}}},
                 .faults = with({fault})});
  };
  const Played surplus = hear("surplus@end=100");
  REQUIRE(surplus.heard[1] == mail_ok + rcpt_ok + queued() + ok);
  const Played garbage = hear("garbage@rcpt=100");
  REQUIRE(garbage.heard[1].starts_with(mail_ok));
  REQUIRE(garbage.heard[1].ends_with(queued()));
  REQUIRE(garbage.heard[1].find(rcpt_ok) == std::string::npos);
  REQUIRE(garbage.heard[1] != mail_ok + queued());
  const Played noise = hear("noise@rcpt=100");
  REQUIRE(noise.heard[1].ends_with(rcpt_ok + queued()));
  REQUIRE(noise.heard[1] == garbage.heard[1].substr(0, garbage.heard[1].size() - queued().size()) +
                                rcpt_ok + queued());
  for (const Played& played : {surplus, garbage, noise}) {
    REQUIRE(played.next == Next::receive);
    REQUIRE(played.heard[2] == ok);
    REQUIRE(played.messages.size() == 1);
    REQUIRE(played.tally.violations_total() == 0);
  }
}

TEST_CASE("fault: a stalled session takes everything and says nothing") {
  for (const char* const fault : {"stall@mail=100", "stall@content=100", "stall@end=100"}) {
    INFO(fault);
    CollectingObserver observer;
    SinkSession sink(sink_session_options(), {.auth_in_clear = true, .auth_required = false},
                     with({fault}), &observer);
    ServerSession& session = sink.session;
    const Tally& tally = sink.tally;
    REQUIRE(session.greet() == Next::receive);
    session.replies_left();
    REQUIRE(session.receive("EHLO x\r\n") == Next::receive);
    session.replies_left();
    const std::string message = envelope + "BDAT 12 LAST\r\n" + twelve_octets;
    REQUIRE(session.receive(message + "RSET\r\n" + message) == Next::receive);
    REQUIRE(session.is_stalled());
    // The end of data was decided before the reply to it was lost.
    REQUIRE(observer.messages.size() == (std::string_view(fault) == "stall@end=100" ? 1 : 0));
    REQUIRE(tally.faults_total() == 1);
    REQUIRE(tally.violations_total() == 0);
  }
}

TEST_CASE("fault: the opening has its own") {
  const auto first_words = [](const char* fault, Next next) {
    SinkSession sink(sink_session_options(), {}, with({fault}));
    REQUIRE(sink.session.greet() == next);
    REQUIRE(sink.tally.faults_total() == 1);
    sink.replies.mark(Instant::min());
    return std::string(sink.replies.due(Instant::min()));
  };
  REQUIRE(first_words("421@greeting=100", Next::close) == closing);
  REQUIRE(first_words("surplus@greeting=100", Next::receive) ==
          "220 localhost ESMTP ringpost sink\r\n" + ok);
  REQUIRE(first_words("stall@greeting=100", Next::receive).empty());
  SinkSession sink(sink_session_options(), {}, with({"drop@greeting=100"}));
  REQUIRE(is_end(sink.session.greet()));
  REQUIRE(sink.replies.empty());
}

TEST_CASE("fault: a refused message that loses its reply is not in the record") {
  const Played played =
      play({.exchanges = {{"EHLO x\r\n", {}},
                          {"MAIL FROM:<a@b>\r\nRCPT TO:<reject-data@d>\r\nBDAT 0 LAST\r\n", {}}},
            .faults = with({"drop-reply=100"})});
  REQUIRE(played.heard[1] == mail_ok + rcpt_ok);
  REQUIRE(played.messages.empty());
}

TEST_CASE("fault: with any of them, any cut gives the same replies, counts and messages") {
  const std::string message = envelope + "BDAT 12 LAST\r\n" + twelve_octets + "RSET\r\n";
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    FaultOptions faults = with({"all=3"});
    faults.chances.seed = seed;
    std::string says;
    for (int i = 0; i < 30; ++i) {
      says += message;
    }
    const Dialogue dialogue{.exchanges = {{"EHLO x\r\n", {}}, {says, {}}}, .faults = faults};
    const Played whole = play(dialogue);
    for (const std::size_t piece_bytes : {1u, 3u, 7u, 64u}) {
      require_same(whole, play(dialogue, [piece_bytes](Bytes octets, const auto& take) {
                     for (std::size_t at = 0; at < octets.size(); at += piece_bytes) {
                       take(octets.substr(at, piece_bytes));
                     }
                   }));
    }
  }
}
