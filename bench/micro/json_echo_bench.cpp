// Metadata, checked and made compact on its way into the job.
#include <string>

#include <benchmark/benchmark.h>

#include "codec/text/json_echo.h"

namespace {

void echo_metadata(benchmark::State& state) {
  const std::string json =
      R"({ "campaign": "autumn-2026", "segment": ["a", "b", "c"], "score": 12.5e-1,
           "nested": { "reader": { "since": "2019-04-01", "active": true, "note": null } } })";
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(ringpost::codec::append_compact_json(out, json, 32));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}

BENCHMARK(echo_metadata);

}  // namespace
