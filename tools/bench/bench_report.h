// A benchmark's findings in words, in tables and as JSON.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/bench_finding.h"
#include "tools/bench/bench_settings.h"
#include "tools/bench/comparison.h"
#include "tools/bench/machine_facts.h"

namespace ringpost::cli {

// "0.412 ms", "31.5 ms", "1.21 s"
[[nodiscard]] std::string micros_text(double us);
// "99.97 %"; never "100 %" of less than all.
[[nodiscard]] std::string share_text(double share);

struct BenchReportInput {
  const BenchSettings& settings;
  const std::vector<BenchFinding>& findings;
  std::vector<Comparison> comparisons = {};  // of each; empty: none was asked for
  std::int64_t began_at_us = 0;
  MachineFacts machine = {};
};

// Both with a newline at the end. The JSON's schema is docs/schema/bench.schema.json.
[[nodiscard]] std::string bench_text(const BenchReportInput& input);
[[nodiscard]] std::string bench_json(const BenchReportInput& input);

}  // namespace ringpost::cli
