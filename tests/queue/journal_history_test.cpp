// What is known of each recipient, and in how much memory.
#include "queue/journal_history.h"

#include <map>
#include <random>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "tests/queue/journal_support.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

using test_journal::hash_of;

namespace {

void add_intent(JournalHistory& history, std::uint64_t ordinal, std::uint32_t begin = 0,
                std::uint32_t end = 1) {
  codec::JournalRecord record;
  record.kind = codec::JournalRecordKind::intents;
  record.intents = {{ordinal, hash_of(ordinal), begin, end}};
  history.add(record, 100);
}

void add_put_off(JournalHistory& history, std::uint64_t ordinal, std::uint32_t begin = 0,
                 std::uint32_t end = 1) {
  codec::JournalRecord record;
  record.kind = codec::JournalRecordKind::put_off;
  record.intents = {{ordinal, hash_of(ordinal), begin, end, true}};
  history.add(record, 100);
}

void add_outcome(JournalHistory& history, std::uint64_t ordinal, Status status,
                 std::uint32_t index = 0, std::uint32_t count = 1) {
  codec::JournalRecord record;
  record.kind = codec::JournalRecordKind::outcome;
  record.outcome = {ordinal, hash_of(ordinal), index, count, status, "{}\n"};
  history.add(record, 100);
}

}  // namespace

TEST_CASE("journal history: each status is final or to be sent again") {
  JournalHistory history;
  std::uint64_t ordinal = 0;
  for (const auto& [status, expected] : {std::pair{Status::accepted, RecipientHistory::final},
                                         {Status::rejected, RecipientHistory::final},
                                         {Status::deferred, RecipientHistory::again},
                                         {Status::unsent, RecipientHistory::again},
                                         {Status::unknown, RecipientHistory::final},
                                         {Status::invalid, RecipientHistory::final},
                                         {Status::expired, RecipientHistory::final},
                                         {Status::skipped, RecipientHistory::final}}) {
    add_outcome(history, ordinal, status);
    CHECK(history.of(ordinal).of(0) == expected);
    CHECK(history.of(ordinal).status(0) == status);
    CHECK(history.count(status) == 1);
    ++ordinal;
  }
  CHECK(history.front(0).jobs_end == status_count);
}

// One record says so, and it must not cost a walk through all jobs before.
TEST_CASE("journal history: the last job there can be is found at once") {
  JournalHistory history;
  const std::uint64_t last = limits::journal_jobs_max - 1;
  add_intent(history, 5);
  add_intent(history, last);
  CHECK(history.front(0).jobs_end == limits::journal_jobs_max);
  CHECK(history.jobs_in_flight(10) == std::vector<std::uint64_t>{5, last});
  CHECK(history.jobs_in_flight(1) == std::vector<std::uint64_t>{5});
  CHECK(history.bytes() < 10'000);
}

TEST_CASE("journal history: the last word on a recipient counts, whatever came before") {
  JournalHistory history;
  add_outcome(history, 7, Status::unknown);
  CHECK(history.of(7).is_final(1));
  add_intent(history, 7);
  CHECK(history.of(7).of(0) == RecipientHistory::in_flight);
  CHECK_FALSE(history.of(7).status(0));
  CHECK(history.count(Status::unknown) == 0);
  CHECK(history.count_in_flight() == 1);
  add_outcome(history, 7, Status::accepted);
  CHECK(history.of(7).status(0) == Status::accepted);
  CHECK(history.count_in_flight() == 0);
}

TEST_CASE("journal history: whoever was put off is sent again, and has no outcome") {
  JournalHistory history;
  add_intent(history, 7);
  add_put_off(history, 7);
  CHECK(history.of(7).of(0) == RecipientHistory::again);
  CHECK_FALSE(history.of(7).status(0));
  CHECK_FALSE(history.of(7).is_untouched());
  CHECK_FALSE(history.of(7).is_final(1));
  CHECK(history.count_in_flight() == 0);
  CHECK(history.count_put_off() == 1);
  CHECK(history.jobs_in_flight(10).empty());
  add_intent(history, 7);
  CHECK(history.of(7).of(0) == RecipientHistory::in_flight);
  CHECK(history.count_put_off() == 0);
  // Of one transaction, some are put off and the others are not.
  add_intent(history, 8, 0, 5);
  add_put_off(history, 8, 1, 3);
  add_outcome(history, 8, Status::accepted, 0, 5);
  CHECK(history.of(8).status(0) == Status::accepted);
  CHECK(history.of(8).of(2) == RecipientHistory::again);
  CHECK(history.of(8).of(3) == RecipientHistory::in_flight);
  CHECK(history.count_put_off() == 2);
  CHECK(history.count_in_flight() == 3);
}

TEST_CASE("journal history: transactions of one job are known apart") {
  JournalHistory history;
  add_intent(history, 3, 0, 100);
  CHECK(history.of(3).of(99) == RecipientHistory::in_flight);
  CHECK(history.of(3).of(100) == RecipientHistory::none);
  CHECK(history.count_in_flight() == 100);
  add_intent(history, 3, 100, 150);
  for (std::uint32_t index = 0; index < 150; ++index) {
    add_outcome(history, 3, Status::accepted, index, 150);
  }
  CHECK(history.of(3).is_final(150));
  CHECK(history.count(Status::accepted) == 150);
  // One of them is sent again, for whatever reason: the others stay what they are.
  add_intent(history, 3, 20, 21);
  CHECK(history.of(3).of(20) == RecipientHistory::in_flight);
  CHECK(history.of(3).status(0) == Status::accepted);
  CHECK(history.of(3).status(149) == Status::accepted);
  CHECK_FALSE(history.of(3).is_final(150));
  CHECK(history.count(Status::accepted) == 149);
  CHECK(history.jobs_in_flight(10) == std::vector<std::uint64_t>{3});
}

// Against a map of everything, which is as plain as can be.
TEST_CASE("journal history: it is what a plain map would say, for any order of records") {
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 generator(seed);
  const auto below = [&generator](std::uint32_t bound) {
    return static_cast<std::uint32_t>(generator() % bound);
  };
  for (int round = 0; round < 200; ++round) {
    JournalHistory history;
    std::map<std::pair<std::uint64_t, std::uint32_t>, RecipientMark> plain;
    constexpr std::uint32_t counts[] = {1, 2, 5, 1, 3};
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t job = below(std::size(counts));
      const std::uint32_t count = counts[job];
      const std::uint32_t begin = below(count);
      if (below(3) != 0) {
        const std::uint32_t end = begin + 1 + below(count - begin);
        const bool is_put_off = below(2) == 0;
        is_put_off ? add_put_off(history, job * 5000, begin, end)
                   : add_intent(history, job * 5000, begin, end);
        for (std::uint32_t index = begin; index < end; ++index) {
          plain[{job, index}] = is_put_off ? RecipientMark::put_off() : RecipientMark::in_flight();
        }
      } else {
        const auto status = static_cast<Status>(below(status_count));
        add_outcome(history, job * 5000, status, begin, count);
        plain[{job, begin}] = RecipientMark::of(status);
      }
    }
    std::map<std::uint8_t, std::uint64_t> totals;
    for (std::uint64_t job = 0; job < std::size(counts); ++job) {
      for (std::uint32_t index = 0; index < counts[job]; ++index) {
        const RecipientMark mark = plain[{job, index}];
        ++totals[mark.code()];
        REQUIRE(history.of(job * 5000).of(index) == mark.history());
        REQUIRE(history.of(job * 5000).status(index) == mark.status());
      }
    }
    for (std::size_t status = 0; status < status_count; ++status) {
      const auto each = static_cast<Status>(status);
      REQUIRE(history.count(each) == totals[RecipientMark::of(each).code()]);
    }
    REQUIRE(history.count_in_flight() == totals[RecipientMark::in_flight().code()]);
    REQUIRE(history.count_put_off() == totals[RecipientMark::put_off().code()]);
  }
}

TEST_CASE("journal history: damage puts into doubt whoever was to be sent again") {
  JournalHistory history;
  add_outcome(history, 0, Status::accepted);
  add_outcome(history, 1, Status::deferred);
  add_outcome(history, 2, Status::unsent, 0, 2);
  add_outcome(history, 3, Status::unsent, 0, 2);
  add_outcome(history, 3, Status::rejected, 1, 2);
  add_intent(history, 5);
  add_put_off(history, 5);
  history.add_damage({.offset = 1000, .bytes = 10, .why = "x"});
  add_outcome(history, 4, Status::deferred);
  REQUIRE(history.repair().size() == 1);
  CHECK(history.of(0).status(0) == Status::accepted);
  for (const std::uint64_t ordinal : {1U, 2U, 3U, 5U}) {
    CHECK(history.of(ordinal).of(0) == RecipientHistory::in_flight);
  }
  CHECK(history.of(2).of(1) == RecipientHistory::in_flight);
  CHECK(history.of(3).status(1) == Status::rejected);
  CHECK(history.of(4).of(0) == RecipientHistory::again);
  CHECK(history.count(Status::deferred) == 1);
  CHECK(history.count(Status::unsent) == 0);
  CHECK(history.count_in_flight() == 4);
  CHECK(history.count_put_off() == 0);
}

TEST_CASE("journal history: each source has a count and a front of its own") {
  JournalHistory history;
  codec::JournalRecord header;
  header.header.files.resize(4);
  history.add(header, codec::journal_magic.size());
  add_outcome(history, codec::job_ordinal(0, 7), Status::accepted);
  add_intent(history, codec::job_ordinal(2, 7));
  CHECK(history.of(codec::job_ordinal(0, 7)).status(0) == Status::accepted);
  CHECK(history.of(codec::job_ordinal(1, 7)).is_untouched());
  CHECK(history.of(codec::job_ordinal(2, 7)).of(0) == RecipientHistory::in_flight);
  CHECK(history.front(0).jobs_end == 8);
  CHECK(history.front(1).jobs_end == 0);
  CHECK(history.jobs_in_flight(10) == std::vector<std::uint64_t>{codec::job_ordinal(2, 7)});
  // Files are read in their order: of those in front of the last one any job may be in the lost
  // part, of the others those that can have been under way.
  history.add_damage({.offset = 1000, .bytes = 10, .why = "x"});
  const auto repairs = history.repair();
  REQUIRE(repairs.size() == 1);
  CHECK(repairs[0].doubtful_below ==
        std::vector<std::uint64_t>{limits::journal_jobs_max, limits::journal_jobs_max,
                                   8 + limits::jobs_in_flight_max, limits::jobs_in_flight_max});
  const auto history_of = [&history](std::uint32_t source, std::uint32_t index) {
    return history.of(codec::job_ordinal(source, index)).of(0);
  };
  CHECK(history_of(1, UINT32_MAX) == RecipientHistory::in_flight);
  CHECK(history_of(2, 8 + limits::jobs_in_flight_max) == RecipientHistory::none);
  CHECK(history_of(3, limits::jobs_in_flight_max - 1) == RecipientHistory::in_flight);
  CHECK(history_of(3, limits::jobs_in_flight_max) == RecipientHistory::none);
}

TEST_CASE("journal history: a million jobs take four octets each") {
  JournalHistory history;
  constexpr std::uint64_t jobs = 1'000'000;
  for (std::uint64_t ordinal = 0; ordinal < jobs; ++ordinal) {
    add_intent(history, ordinal);
    // A thousand are under way at any time.
    if (ordinal >= 1000) {
      add_outcome(history, ordinal - 1000, ordinal % 50 == 0 ? Status::deferred : Status::accepted);
    }
  }
  CHECK(history.bytes() < jobs * 4 + 150'000);
  CHECK(history.count_in_flight() == 1000);
  CHECK(history.jobs_in_flight(5).front() == jobs - 1000);
  CHECK(history.of(jobs - 1).of(0) == RecipientHistory::in_flight);
  // One of the last that there can be.
  add_intent(history, limits::journal_jobs_max - 1);
  add_intent(history, codec::job_ordinal(UINT32_MAX, UINT32_MAX));
  CHECK(history.bytes() < jobs * 4 + 200'000);
}

}  // namespace ringpost::queue
