// A run beside one of an earlier benchmark.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/bench_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// A figure of both.
struct ComparedFigure {
  std::string name;  // "p99", "messages/s", "accepted"
  double base = 0;   // microseconds, messages a second, or a share
  double now = 0;
  bool is_worse = false;  // by more than the tolerance
};

struct Comparison {
  std::string varied;  // the value of what is varied
  bool has_base = false;
  std::vector<ComparedFigure> figures;

  [[nodiscard]] bool is_worse() const;
};

// With the base's run of the same value. `tolerance`: a share of the base's figure.
[[nodiscard]] Comparison compare(const BenchFinding& finding, const std::vector<BenchFinding>& base,
                                 double tolerance);

}  // namespace ringpost::cli
