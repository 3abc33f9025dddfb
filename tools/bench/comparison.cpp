// The problem: a figure alone does not say whether something became slower, and two of them differ
// by chance. The idea: what is worse than the base by more than a tolerance counts, and a tenth of
// a millisecond never does: that is what a busy machine adds. A rate is worse by as much as one of
// its messages takes longer, so that 100 percent are twice the time and half the rate. Limits:
// nobody looks whether both ran on the same machine; the JSON has its facts.
#include "tools/bench/comparison.h"

#include <algorithm>

namespace ringpost::cli {

namespace {

constexpr double noise_us = 100;

bool is_compared(std::string_view percentile) {
  return percentile == "p50" || percentile == "p99" || percentile == "p99.9";
}

}  // namespace

bool Comparison::is_worse() const {
  return std::any_of(figures.begin(), figures.end(),
                     [](const ComparedFigure& figure) { return figure.is_worse; });
}

Comparison compare(const BenchFinding& finding, const std::vector<BenchFinding>& base,
                   double tolerance) {
  Comparison comparison;
  comparison.varied = finding.varied;
  const auto found = std::find_if(base.begin(), base.end(), [&finding](const BenchFinding& run) {
    return run.varied == finding.varied;
  });
  if (found == base.end()) {
    return comparison;
  }
  comparison.has_base = true;
  const TimeSummary& before = found->of(Series::latency);
  const TimeSummary& now = finding.of(Series::latency);
  for (std::size_t i = 0; before.count > 0 && now.count > 0 && i < percentiles.size(); ++i) {
    const auto base_us = static_cast<double>(before.at[i]);
    const auto now_us = static_cast<double>(now.at[i]);
    if (is_compared(percentiles[i].name)) {
      const bool is_worse = now_us > base_us * (1 + tolerance) && now_us > base_us + noise_us;
      comparison.figures.push_back({std::string(percentiles[i].name), base_us, now_us, is_worse});
    }
  }
  const auto add = [&](const char* name, double base_figure, double figure) {
    comparison.figures.push_back(
        {name, base_figure, figure, figure * (1 + tolerance) < base_figure});
  };
  add("messages/s", found->messages_per_second(), finding.messages_per_second());
  add("accepted", found->accepted_share(), finding.accepted_share());
  return comparison;
}

}  // namespace ringpost::cli
