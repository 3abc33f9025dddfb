// The problem: who watches a run of hours wants to know when it ends, and counting the jobs of a
// large file first costs as much as a part of sending them. The idea: a count that somebody has
// made stands; else the octets that are read say how many jobs there will be, and what was read to
// its end is known. Speeds are those of the last seconds. Limits: an estimate is as good as the
// jobs at the beginning are like those at the end, and lines with `recipients` are more messages
// than a count of lines knows, so that an estimate that is far above it is believed.
#include "tools/send/run_meter.h"

#include <algorithm>

namespace ringpost::cli {

namespace {

constexpr double window_seconds = 10;

void find_total(RunFacts& facts, std::optional<std::uint64_t> counted) {
  RunProgress& progress = facts.progress;
  if (facts.all_read) {
    progress.messages_total = facts.jobs_read;
    progress.total_is_estimate = false;
    return;
  }
  std::optional<std::uint64_t> estimate;
  if (facts.bytes_total > 0 && facts.bytes_read > 0 && facts.jobs_read > 0) {
    const double share = std::min(
        1.0, static_cast<double>(facts.bytes_read) / static_cast<double>(facts.bytes_total));
    estimate = static_cast<std::uint64_t>(static_cast<double>(facts.jobs_read) / share);
  }
  constexpr std::uint64_t believed_tenths = 15;
  const bool is_believed = !counted || (estimate && *estimate * 10 > *counted * believed_tenths);
  progress.total_is_estimate = is_believed && estimate;
  progress.messages_total = is_believed ? estimate : counted;
  if (progress.messages_total) {
    progress.messages_total = std::max(*progress.messages_total, facts.jobs_read);
  }
}

}  // namespace

void RunMeter::look(RunFacts& facts, std::uint64_t messages_done,
                    std::optional<std::uint64_t> counted) {
  facts.progress.messages_done = messages_done;
  find_total(facts, counted);
  const Sample now{facts.seconds, messages_done, facts.tally->of(Status::accepted)};
  samples_.push_back(now);
  while (samples_.size() > 2 && samples_[1].seconds <= now.seconds - window_seconds) {
    samples_.pop_front();
  }
  const bool is_first = samples_.size() == 1;
  const Sample since = is_first ? Sample{} : samples_.front();
  const double seconds = std::max(now.seconds - since.seconds, 1e-3);
  facts.progress.rate =
      static_cast<double>(now.accepted - std::min(since.accepted, now.accepted)) / seconds;
  const double done_rate = static_cast<double>(now.done - std::min(since.done, now.done)) / seconds;
  if (facts.progress.messages_total && done_rate > 0) {
    const std::uint64_t total = *facts.progress.messages_total;
    facts.progress.seconds_left =
        static_cast<double>(total - std::min(total, now.done)) / done_rate;
  }
}

}  // namespace ringpost::cli
