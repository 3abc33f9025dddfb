// Recipients as they stand in jobs.
#include <benchmark/benchmark.h>

#include "codec/mail/address.h"

namespace {

using ringpost::codec::Mailbox;

void parse(benchmark::State& state, ringpost::Bytes text) {
  Mailbox mailbox;
  for (auto _ : state) {
    if (!ringpost::codec::parse_mailbox(text, mailbox)) {
      state.SkipWithError("the address was refused");
      break;
    }
    benchmark::DoNotOptimize(mailbox.address.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(parse, bare, "reader.1234567@mail.example.net");
BENCHMARK_CAPTURE(parse, named, "\"Jane Q. Reader\" <reader.1234567@mail.example.net>");
BENCHMARK_CAPTURE(parse, idna,
                  "reader@b\xc3\xbc"
                  "cher.example");

}  // namespace
