// An outcome into its line.
#include <benchmark/benchmark.h>

#include "codec/job/outcome_writer.h"

namespace {

void write_accepted(benchmark::State& state) {
  const std::string endpoint_names[] = {"esp"};
  ringpost::codec::OutcomeWriter writer(endpoint_names);
  ringpost::Job job;
  job.id = "job-00000001";
  job.content.assign(2048, 'x');
  ringpost::Recipient& recipient = job.add_recipient();
  recipient.address = "reader1@example.net";
  recipient.outcome.status = ringpost::Status::accepted;
  recipient.outcome.stage = ringpost::Stage::eod;
  recipient.outcome.code = 250;
  recipient.outcome.enhanced = {2, 0, 0};
  recipient.outcome.text = "Ok: queued as 4F1C2A3B";
  recipient.outcome.queue_id = "4F1C2A3B";
  recipient.outcome.attempts = 1;
  recipient.outcome.timestamp_us = 1'795'000'000'123'456;
  recipient.outcome.peer = "192.0.2.1:587";
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    writer.append(lines, job, 0);
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}

BENCHMARK(write_accepted);

}  // namespace
