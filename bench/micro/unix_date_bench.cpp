// Time stamps of outcome lines and Date fields.
#include <benchmark/benchmark.h>

#include "codec/text/unix_date.h"

namespace {

constexpr std::int64_t some_time_us = 1'795'000'000'123'456;

// Many lines a second: what the writer remembers of the last one pays.
void write_timestamps(benchmark::State& state) {
  ringpost::codec::Rfc3339Writer writer;
  std::int64_t time_us = some_time_us;
  std::string out;
  for (auto _ : state) {
    out.clear();
    writer.append(out, time_us);
    time_us += 7;
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void write_date_field(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_rfc5322_date(out, some_time_us / 1'000'000);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void parse_expiry(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(ringpost::codec::parse_rfc3339("2026-11-25T21:30:00.250+01:00"));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(write_timestamps);
BENCHMARK(write_date_field);
BENCHMARK(parse_expiry);

}  // namespace
