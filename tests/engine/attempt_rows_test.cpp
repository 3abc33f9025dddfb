// What becomes of a message whose attempts fare badly, in one row for each way: what the server
// does to each attempt, under which circumstances, and all that the outcomes say, with the times of
// the attempts. The rows stand in attempts.rows. `engine_unit_test "[.rows]"` prints them, and
// `"[.all-rows]"` those of every three ways, one after the other: two versions of the engine that
// should do the same print the same.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <span>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/engine/worker_world.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeChoice;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;
using test::World;
using test::WorldOptions;

// How the server answers one command of an attempt; everything else is taken.
struct Fate {
  std::string_view name;
  std::string_view command;  // what it begins with
  std::string_view reply;    // empty: none, ever
  bool close = false;
};

constexpr std::array fates = {
    Fate{"taken", "never", ""},
    Fate{"451@mail", "MAIL", "451 4.3.0 later\r\n"},
    Fate{"452@rcpt", "RCPT TO:<a@", "452 4.2.2 mailbox full\r\n"},
    Fate{"451@data", "DATA", "451 4.3.0 not now\r\n"},
    Fate{"451@eod", ".", "451 4.7.1 come\r\n"},
    Fate{"550@rcpt", "RCPT TO:<a@", "550 5.1.1 no such user\r\n"},
    Fate{"554@eod", ".", "554 5.7.1 spam\r\n"},
    Fate{"name@mail", "MAIL", "550 5.7.1 Helo command rejected: need fully-qualified hostname\r\n"},
    Fate{"quota@mail", "MAIL", "452 4.7.1 daily quota exceeded\r\n"},
    Fate{"full@mail", "MAIL", "421 4.7.0 too many messages in this session\r\n", true},
    Fate{"lost@mail", "MAIL", "", true},
    Fate{"lost@rcpt", "RCPT", "", true},
    Fate{"lost@data", "DATA", "", true},
    Fate{"lost@eod", ".", "", true},
    Fate{"421@data", "DATA", "421 4.3.2 going down\r\n", true},
    Fate{"mute@data", "DATA", ""},
    Fate{"mute@eod", ".", ""},
};

// What is so around the message, beside what the server does to it.
struct Setting {
  std::string_view name;
  WorldOptions options;
  bool has_sent = false;       // the session has had a message accepted
  bool stops_at_once = false;  // the run is stopped while the first fate comes
  bool goes_away = false;      // behind the first fate no connection comes about
  Duration stop_after = 0s;    // or so long behind the beginning
  std::int64_t expires_after_us = 0;
};

std::vector<Setting> make_settings() {
  return {
      {.name = "one-attempt", .options = {.attempts_max = 1}},
      {.name = "four-attempts", .options = {.attempts_max = 4}},
      {.name = "has-sent", .options = {.attempts_max = 3}, .has_sent = true},
      {.name = "no-room", .options = {.attempts_max = 3, .retry_messages_max = 0}},
      {.name = "stops-at-once", .options = {.attempts_max = 3}, .stops_at_once = true},
      {.name = "stops", .options = {.attempts_max = 3}, .stop_after = 500ms},
      {.name = "deadline", .options = {.attempts_max = 9, .deadline = 3s}},
      {.name = "expires", .options = {.attempts_max = 9}, .expires_after_us = 3'000'000},
      {.name = "goes-away",
       .options = {.attempts_max = 3, .connect_attempts_max = 2},
       .goes_away = true},
      {.name = "goes-away-deadline",
       .options = {.attempts_max = 3, .connect_attempts_max = 0, .deadline = 5s},
       .has_sent = true,
       .goes_away = true},
      {.name = "goes-away-expires",
       .options = {.attempts_max = 3, .connect_attempts_max = 0, .patience = 60s},
       .has_sent = true,
       .goes_away = true,
       .expires_after_us = 2'000'000},
      {.name = "two-sessions", .options = {.connections_max = 2, .attempts_max = 5}},
      {.name = "ready-sessions",
       .options = {.connections_max = 4,
                   .attempts_max = 5,
                   .pipelining = protocol::Pipelining::off},
       .has_sent = true},
  };
}

const Fate& fate_named(std::string_view name) {
  for (const Fate& fate : fates) {
    if (fate.name == name) {
      return fate;
    }
  }
  FAIL("no such fate: " << name);
  return fates.front();
}

// The server's part: the fate of each attempt, the last one's for all that follow.
class Fates {
 public:
  Fates(World& world, const Setting& setting, std::vector<const Fate*> attempts)
      : world_(world), setting_(setting), attempts_(std::move(attempts)), begin_(world.io.now()) {}

  FakeChoice answer(const FakeSession& session, const std::string& command) {
    bool& is_ours = is_ours_[session.handle];
    if (command.starts_with("MAIL")) {
      is_ours = command.starts_with("MAIL FROM:<one@");
      begun_ += is_ours ? 1 : 0;
      times_ += is_ours ? fmt::format(" {}", milliseconds_since_begin()) : "";
    }
    if (!is_ours || begun_ == 0) {
      return ordinary;
    }
    const Fate& fate = *attempts_[std::min(begun_, attempts_.size()) - 1];
    if (!command.starts_with(fate.command)) {
      return ordinary;
    }
    is_away_ = setting_.goes_away;
    if (setting_.stops_at_once) {
      world_.give(WorkerOrder::stop_sending);
    }
    return says(std::string(fate.reply), fate.close);
  }
  [[nodiscard]] bool is_away() const { return is_away_; }
  [[nodiscard]] const std::string& times() const { return times_; }

 private:
  [[nodiscard]] std::int64_t milliseconds_since_begin() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(world_.io.now() - begin_).count();
  }

  World& world_;
  const Setting& setting_;
  std::vector<const Fate*> attempts_;
  Instant begin_;
  std::map<io::Handle, bool> is_ours_;
  std::size_t begun_ = 0;
  bool is_away_ = false;
  std::string times_;
};

std::string words_of_outcome(const Outcome& outcome, std::int64_t begin_us) {
  const EnhancedStatus& enhanced = outcome.enhanced;
  return fmt::format(
      "{}@{} {} {}.{}.{} \"{}\" \"{}\" id \"{}\" peer \"{}\" x{} at {} took {:.3f}+{:.3f}={:.3f}",
      name_of(outcome.status), name_of(outcome.stage), outcome.code, enhanced.status_class,
      enhanced.subject, enhanced.detail, outcome.text, outcome.reason, outcome.queue_id,
      outcome.peer, outcome.attempts, (outcome.timestamp_us - begin_us) / 1000, outcome.queue_ms,
      outcome.submit_ms, outcome.total_ms);
}

std::string make_row(const Setting& setting, std::span<const Fate* const> attempts) {
  World world(setting.options);
  if (setting.has_sent) {
    // As many as it takes for all sessions to be opened.
    const std::uint32_t sessions = setting.options.connections_max;
    for (std::uint32_t i = 0; i < 2 * sessions - 1; ++i) {
      world.submit("before-" + std::to_string(i));
    }
    world.run_for(10ms);
    world.io.pause(10ms);
  }
  Fates server(world, setting, {attempts.begin(), attempts.end()});
  world.server.answer = [&](FakeSession& session, const std::string& command) {
    return server.answer(session, command);
  };
  world.server.refuses = [&](const std::string&) { return server.is_away(); };
  const std::int64_t begin_us = world.io.unix_time_us();
  Consignment& job = world.add_job("one", {"a@b.example", "b@b.example"});
  job.message.sender = "one@a.example";
  job.message.expires_at_us =
      setting.expires_after_us == 0 ? 0 : begin_us + setting.expires_after_us;
  world.push({&job});
  if (setting.stop_after != 0s) {
    world.run_for(setting.stop_after);
    world.give(WorkerOrder::stop_sending);
  }
  world.run();
  std::string row = std::string(setting.name) + ":";
  for (const Fate* const fate : attempts) {
    row += fmt::format(" {}", fate->name);
  }
  row += fmt::format(" | begun{}", server.times());
  const std::string first = words_of_outcome(world.outcome(job, 0), begin_us);
  const std::string second = words_of_outcome(world.outcome(job, 1), begin_us);
  row += " | " + first + (second == first ? " | the same" : " | " + second);
  return row;
}

// As the row's beginning has it: "setting: fate fate |".
std::string make_row_again(std::string_view row) {
  std::string_view rest = row.substr(0, row.find(" |"));
  const std::size_t colon = std::min(rest.find(':'), rest.size());
  const std::string_view name = rest.substr(0, colon);
  rest.remove_prefix(colon);
  std::vector<const Fate*> attempts;
  for (std::size_t at = rest.find(' '); at != std::string_view::npos; at = rest.find(' ')) {
    rest.remove_prefix(at + 1);
    attempts.push_back(&fate_named(rest.substr(0, rest.find(' '))));
  }
  for (const Setting& setting : make_settings()) {
    if (setting.name == name && !attempts.empty()) {
      return make_row(setting, attempts);
    }
  }
  FAIL("no such setting: " << name);
  return {};
}

}  // namespace

TEST_CASE("attempt rows: a message's fate is decided as it always was") {
  std::ifstream file(RINGPOST_ATTEMPT_ROWS);
  std::size_t rows = 0;
  for (std::string row; std::getline(file, row); ++rows) {
    CHECK(make_row_again(row) == row);
  }
  CHECK(rows >= fates.size() * make_settings().size());
}

TEST_CASE("attempt rows: printed", "[.rows]") {
  for (const Setting& setting : make_settings()) {
    for (const Fate& fate : fates) {
      const std::array<const Fate*, 1> attempts = {&fate};
      fmt::print("{}\n", make_row(setting, attempts));
      // And with something else between two losses.
      const Fate& lost = fate_named("lost@data");
      const std::array between = {&lost, &fate, &lost};
      if (setting.options.attempts_max > 3) {
        fmt::print("{}\n", make_row(setting, between));
      }
    }
  }
}

TEST_CASE("attempt rows: every three ways printed", "[.all-rows]") {
  for (const Setting& setting : make_settings()) {
    for (const Fate& first : fates) {
      for (const Fate& second : fates) {
        for (const Fate& third : fates) {
          const std::array attempts = {&first, &second, &third};
          fmt::print("{}\n", make_row(setting, attempts));
        }
      }
    }
  }
}

}  // namespace ringpost::engine
