// What a run has to come up to: `p99<250ms,accepted>99.9%`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/bench_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct Threshold {
  enum class About : std::uint8_t { percentile, min, mean, max, accepted, rate };
  enum class Relation : std::uint8_t { less, at_most, more, at_least };

  std::string text;  // as it was written
  About about = About::percentile;
  Series series = Series::latency;
  std::size_t percentile = 0;  // index into `percentiles`
  Relation relation = Relation::less;
  double limit = 0;  // microseconds, a share, or messages a second

  // What was measured, in the unit of `limit`; nothing: nothing was.
  [[nodiscard]] std::optional<double> value_in(const BenchFinding& finding) const;
  [[nodiscard]] bool is_held_by(const BenchFinding& finding) const;
  // "p99 was 312 ms".
  [[nodiscard]] std::string measured_text(const BenchFinding& finding) const;
};

// With commas between them. An error is a clause that quotes what is wrong.
[[nodiscard]] Result<std::vector<Threshold>, std::string> parse_thresholds(std::string_view text);

}  // namespace ringpost::cli
