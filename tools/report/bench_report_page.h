// Benchmarks beside one another: as text, Markdown, JSON, and as a page with a curve for each run.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/bench_file.h"

namespace ringpost::cli {

[[nodiscard]] std::string bench_files_text(const std::vector<BenchFile>& files);
[[nodiscard]] std::string bench_files_markdown(const std::vector<BenchFile>& files);
// {"benches":[{"file":...,"bench":...}]}, each as it was written.
[[nodiscard]] std::string bench_files_json(const std::vector<BenchFile>& files);
[[nodiscard]] std::string bench_files_page(const std::vector<BenchFile>& files);

}  // namespace ringpost::cli
