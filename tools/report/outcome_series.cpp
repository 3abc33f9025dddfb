// The problem: a run takes a second or a week, and nobody knows which before its last line. The
// idea: stretches of a second at first, and whenever there are too many, two become one. Limits:
// stretches without a line are not there.
#include "tools/report/outcome_series.h"

#include <utility>

#include "codec/text/unix_date.h"

namespace ringpost::cli {

namespace {

std::int64_t floor_of(std::int64_t number, std::int64_t divisor) {
  return number / divisor - (number % divisor < 0 ? 1 : 0);
}

}  // namespace

void OutcomeSeries::add(const OutcomeRecord& record) {
  const auto time_us = codec::parse_rfc3339(record.timestamp);
  if (!time_us || !record.is_final) {
    return;
  }
  Stretch& stretch = stretches_[floor_of(*time_us, width_s_ * 1'000'000)];
  ++stretch.counts[static_cast<std::size_t>(record.status)];
  if (record.status == Status::accepted && record.submit_ms >= 0) {
    stretch.submit_times.note(record.submit_ms);
  }
  while (stretches_.size() > stretches_max) {
    widen();
  }
}

void OutcomeSeries::widen() {
  width_s_ *= 2;
  std::map<std::int64_t, Stretch> wider;
  for (auto& [number, stretch] : stretches_) {
    Stretch& into = wider[floor_of(number, 2)];
    for (std::size_t i = 0; i < status_count; ++i) {
      into.counts[i] += stretch.counts[i];
    }
    into.submit_times.add(stretch.submit_times);
  }
  stretches_ = std::move(wider);
}

}  // namespace ringpost::cli
