// What `ringpost bench --json` has written, read back.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/bench_finding.h"
#include "tools/bench/machine_facts.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct BenchFile {
  std::string path;
  std::string json;  // all of it, without the newline
  std::string version;
  std::string endpoint;
  std::string varied;  // the name of what is varied; empty: nothing is
  MachineFacts machine;
  std::vector<BenchFinding> runs;
};

// Whether the file begins as one does. Standard input and packed files do not.
[[nodiscard]] bool is_bench_file(const std::string& path);
// An error is a clause.
[[nodiscard]] Result<BenchFile, std::string> read_bench_file(const std::string& path);

}  // namespace ringpost::cli
