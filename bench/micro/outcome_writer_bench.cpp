// An outcome into its line.
#include <benchmark/benchmark.h>

#include "codec/job/outcome_writer.h"

namespace {

void write_accepted(benchmark::State& state) {
  const std::string endpoint_names[] = {"esp"};
  ringpost::codec::OutcomeWriter writer(endpoint_names);
  ringpost::Message job;
  job.id = "job-00000001";
  ringpost::ContentMaker::open(job.content).assign(2048, 'x');
  ringpost::ContentMaker::abandon(job.content);
  job.recipients.add("reader1@example.net");
  ringpost::Outcome outcome;
  outcome.status = ringpost::Status::accepted;
  outcome.stage = ringpost::Stage::eod;
  outcome.code = 250;
  outcome.enhanced = {2, 0, 0};
  outcome.text = "Ok: queued as 4F1C2A3B";
  outcome.queue_id = "4F1C2A3B";
  outcome.attempts = 1;
  outcome.timestamp_us = 1'795'000'000'123'456;
  outcome.peer = "192.0.2.1:587";
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    writer.append(lines, job, 0, outcome);
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}

BENCHMARK(write_accepted);

}  // namespace
