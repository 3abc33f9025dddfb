// Journals on the disk of this machine: what is written is read again, whatever happens in between.
#include "queue/journal.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include "tests/support/temporary_folder.h"

namespace ringpost::queue {

namespace {

codec::JournalHeader some_header() {
  return {.created_us = 1'795'000'000'000'000,
          .date_us = 1'795'000'000'000'001,
          .newlines = codec::NewlinePolicy::strict,
          .files = {{"jobs.jsonl", 12'345, 0x1234'5678'9abc'def0}, {"-", UINT64_MAX, 0}}};
}

std::unique_ptr<Journal> create(const std::string& path,
                                Durability durability = Durability::process,
                                const JournalCalls& calls = {}) {
  auto journal = Journal::create(path, some_header(), durability, calls);
  REQUIRE(journal);
  return std::move(*journal);
}

codec::JournalIntent intent_of(std::uint64_t ordinal) { return {ordinal, ordinal << 40, 0, 1}; }

codec::JournalOutcome outcome_of(std::uint64_t ordinal, Status status, Bytes line) {
  return {ordinal, ordinal << 40, 0, 1, status, line};
}

void append_intent(Journal& journal, std::uint64_t ordinal) {
  const auto intent = intent_of(ordinal);
  REQUIRE(journal.append_intents({&intent, 1}));
}

void append_outcome(Journal& journal, std::uint64_t ordinal, Status status,
                    Bytes line = "{\"id\":\"x\"}\n") {
  const auto outcome = outcome_of(ordinal, status, line);
  REQUIRE(journal.append_outcomes({&outcome, 1}));
}

ResumedJournal resume(const std::string& path, bool repair = false) {
  auto resumed = Journal::resume(path, Durability::process, repair);
  INFO((resumed ? "" : resumed.error().message));
  REQUIRE(resumed);
  return std::move(*resumed);
}

}  // namespace

TEST_CASE("journal: what was appended is known after a resume") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path, durability);
    REQUIRE(journal->append_run({.number = 1,
                                 .started_us = 5,
                                 .program_version = "1.2.3",
                                 .outcomes_path = "outcomes.jsonl",
                                 .outcomes_bytes = 77}));
    append_intent(*journal, 0);
    append_intent(*journal, 1);
    append_intent(*journal, 2);
    append_outcome(*journal, 0, Status::accepted);
    append_outcome(*journal, 2, Status::deferred);
    REQUIRE(journal->append_end({.ended_us = 9, .exit_code = 6}));
  }
  const ResumedJournal resumed = resume(path);
  const JournalHistory& history = resumed.history;
  CHECK(resumed.cut_bytes == 0);
  CHECK(history.header() == some_header());
  REQUIRE(history.runs().size() == 1);
  CHECK(history.runs()[0].run.outcomes_path == "outcomes.jsonl");
  CHECK(history.runs()[0].run.outcomes_bytes == 77);
  CHECK(history.runs()[0].run.survives_power_cut == (durability == Durability::power));
  CHECK(history.runs()[0].outcome_count == 2);
  CHECK(history.runs()[0].outcome_bytes == 22);
  CHECK(history.runs()[0].end == codec::JournalEnd{9, 6});
  CHECK(history.of(0).of(0) == RecipientHistory::final);
  CHECK(history.of(0).status(0) == Status::accepted);
  CHECK(history.of(1).of(0) == RecipientHistory::in_flight);
  CHECK(history.of(2).of(0) == RecipientHistory::again);
  CHECK(history.of(3).is_untouched());
  CHECK(history.line_matches(1, std::uint64_t{1} << 40));
  CHECK_FALSE(history.line_matches(1, std::uint64_t{2} << 40));
  CHECK(history.line_matches(3, 99));
}

TEST_CASE("journal: a file that is not empty is refused, and is left as it was") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("journal", "something");
  const auto journal = Journal::create(path, some_header(), Durability::process);
  REQUIRE_FALSE(journal);
  CHECK(journal.error().message.find("--resume") != std::string::npos);
  CHECK(folder.read("journal") == "something");
  const auto resumed = Journal::resume(path, Durability::process, true);
  REQUIRE_FALSE(resumed);
  CHECK(folder.read("journal") == "something");
}

}  // namespace ringpost::queue
