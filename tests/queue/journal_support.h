// Journals for the tests of what writes and reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "queue/journal.h"

namespace ringpost::queue::test_journal {

inline codec::JournalHeader some_header() {
  return {.created_us = 1'795'000'000'000'000,
          .date_us = 1'795'000'000'000'001,
          .newlines = codec::NewlinePolicy::strict,
          .files = {{"jobs.jsonl", 12'345, 0x1234'5678'9abc'def0}, {"-", UINT64_MAX, 0}}};
}

inline std::unique_ptr<Journal> create(const std::string& path,
                                       Durability durability = Durability::process,
                                       const JournalCalls& calls = {}) {
  auto journal = Journal::create(path, some_header(), durability, calls);
  REQUIRE(journal);
  return std::move(*journal);
}

inline ResumedJournal resume(const std::string& path, bool repair = false,
                             Durability durability = Durability::process) {
  auto resumed = Journal::resume(path, durability, repair);
  INFO((resumed ? "" : resumed.error().message));
  REQUIRE(resumed);
  return std::move(*resumed);
}

inline std::uint64_t hash_of(std::uint64_t ordinal) { return (ordinal + 1) << 40; }

inline void append_intent(Journal& journal, std::uint64_t ordinal, std::uint32_t begin = 0,
                          std::uint32_t end = 1) {
  const codec::JournalIntent intent{ordinal, hash_of(ordinal), begin, end};
  REQUIRE(journal.append_intents({&intent, 1}));
}

inline void append_put_off(Journal& journal, std::uint64_t ordinal) {
  const codec::JournalIntent put_off{ordinal, hash_of(ordinal), 0, 1, true};
  REQUIRE(journal.append_intents({&put_off, 1}));
}

// Recipient `index` of `count`.
inline void append_outcome(Journal& journal, std::uint64_t ordinal, Status status,
                           std::uint32_t index = 0, std::uint32_t count = 1,
                           Bytes line = "{\"id\":\"x\"}\n") {
  const codec::JournalOutcome outcome{ordinal, hash_of(ordinal), index, count, status, line};
  REQUIRE(journal.append_outcomes({&outcome, 1}));
}

inline codec::JournalRun some_run(std::uint32_t number = 1) {
  return {.number = number,
          .started_us = 5,
          .program_version = "1.2.3",
          .survives_power_cut = false,
          .outcomes_path = "outcomes.jsonl",
          .outcomes_bytes = 77};
}

}  // namespace ringpost::queue::test_journal
