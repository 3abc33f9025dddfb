// Records of the journal, and what of them costs a worker's turn and an outcome.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "codec/journal/journal_record.h"

namespace {

using namespace ringpost;

// As many intents as one turn of a worker has.
void append_intents(benchmark::State& state) {
  std::vector<codec::JournalIntent> intents;
  for (std::int64_t ordinal = 0; ordinal < state.range(0); ++ordinal) {
    const auto number = static_cast<std::uint64_t>(ordinal);
    intents.push_back({number, number * 0x9e3779b97f4a7c15U, 0, 1});
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(codec::append_journal_intents(out, intents));
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

std::string outcome_line() { return std::string(330, 'x') + "\n"; }

void append_outcome(benchmark::State& state) {
  const std::string line = outcome_line();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(
        codec::append_journal_outcome(out, {7, 9, 0, 1, Status::accepted, line}));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void parse_outcome(benchmark::State& state) {
  const std::string line = outcome_line();
  std::string octets;
  if (!codec::append_journal_outcome(octets, {7, 9, 0, 1, Status::accepted, line})) {
    state.SkipWithError("the record does not fit");
  }
  codec::JournalRecord record;
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec::parse_journal_record(octets, record));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets.size()));
}

BENCHMARK(append_intents)->Arg(1)->Arg(32)->Arg(1000);
BENCHMARK(append_outcome);
BENCHMARK(parse_outcome);

}  // namespace
