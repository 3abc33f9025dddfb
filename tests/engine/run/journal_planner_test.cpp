// What a resume sends of a message, by what a journal says of its recipients: of a job that is one
// message, and of one that is a message for each of them.
#include "engine/run/journal_planner.h"

#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::run {

namespace {

constexpr std::uint64_t ordinal = 7;
constexpr std::uint64_t line_hash = std::uint64_t{3} << 60;

codec::JournalRecord intent_of(std::uint32_t begin, std::uint32_t end) {
  codec::JournalRecord record;
  record.kind = codec::JournalRecordKind::intents;
  record.intents = {{ordinal, line_hash, begin, end}};
  return record;
}

codec::JournalRecord outcome_of_recipient(std::uint32_t index, std::uint32_t count, Status status) {
  codec::JournalRecord record;
  record.kind = codec::JournalRecordKind::outcome;
  record.outcome = {ordinal, line_hash, index, count, status, "{}\n"};
  return record;
}

// One of five messages of a line.
Message message_of(std::uint32_t first_recipient) {
  Message message;
  message.recipients.add("a@b.example");
  message.origin.ordinal = ordinal;
  message.origin.line_hash = line_hash;
  message.origin.first_recipient = first_recipient;
  message.origin.job_recipients = 5;
  return message;
}

}  // namespace

TEST_CASE("journal planner: each message of a line has the fate of its own recipient") {
  queue::JournalHistory history;
  history.add(outcome_of_recipient(0, 5, Status::accepted), 0);
  history.add(intent_of(1, 2), 0);
  history.add(outcome_of_recipient(2, 5, Status::deferred), 0);
  history.add(outcome_of_recipient(3, 5, Status::unknown), 0);
  JournalPlanner planner(history, {});
  std::vector<PriorFate> fates;
  const auto plan = [&](std::uint32_t first_recipient) {
    fates.clear();
    return *planner.plan(message_of(first_recipient), fates);
  };
  CHECK(plan(0) == Planner::Plan::skip);
  CHECK(plan(1) == Planner::Plan::send);
  CHECK(fates == std::vector{PriorFate::in_doubt});
  CHECK(plan(2) == Planner::Plan::send);
  CHECK(fates.empty());
  CHECK(plan(3) == Planner::Plan::skip);
  CHECK(plan(4) == Planner::Plan::send);
  CHECK(fates.empty());

  JournalPlanner resending(history, {.resend_unknown = true});
  fates.clear();
  CHECK(*resending.plan(message_of(3), fates) == Planner::Plan::send);
  CHECK(fates == std::vector{PriorFate::resend_apart});
}

TEST_CASE("journal planner: a message of which nothing is known is of the line that is known") {
  queue::JournalHistory history;
  history.add(outcome_of_recipient(0, 5, Status::accepted), 0);
  JournalPlanner planner(history, {});
  std::vector<PriorFate> fates;
  Message other = message_of(4);
  other.origin.line_hash = ~line_hash;
  CHECK_FALSE(planner.plan(other, fates));
}

}  // namespace ringpost::run
