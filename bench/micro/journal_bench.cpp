// Appends to a journal on the disk of the temporary folder, which the kernel takes without waiting.
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "queue/journal.h"

namespace {

using namespace ringpost;

// A journal in a file that has no name any more.
std::unique_ptr<queue::Journal> journal() {
  std::string path = "/tmp/ringpost-bench.XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  auto created = queue::Journal::create(path, {}, queue::Durability::process);
  ::close(descriptor);
  ::unlink(path.c_str());
  return created ? std::move(*created) : nullptr;
}

void append_intents(benchmark::State& state) {
  const auto to = journal();
  std::vector<codec::JournalIntent> intents;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    intents.push_back({static_cast<std::uint64_t>(i), 77, 0, 1});
  }
  for (auto _ : state) {
    if (to == nullptr || !to->append_intents(intents)) {
      state.SkipWithError("the journal could not be written");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void append_outcomes(benchmark::State& state) {
  const auto to = journal();
  const std::string line(330, 'x');
  std::vector<codec::JournalOutcome> outcomes;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    outcomes.push_back({static_cast<std::uint64_t>(i), 77, 0, 1, Status::accepted, line});
  }
  for (auto _ : state) {
    if (to == nullptr || !to->append_outcomes(outcomes)) {
      state.SkipWithError("the journal could not be written");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) *
                          static_cast<std::int64_t>(line.size()));
}

// So many times that the file stays below 100 MB.
BENCHMARK(append_intents)->ArgName("intents")->Arg(1)->Arg(32)->Iterations(20'000);
BENCHMARK(append_outcomes)->ArgName("lines")->Arg(1)->Arg(64)->Iterations(4000);

}  // namespace
