// Text that is not 7-bit.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/mail/quoted_printable.h"

namespace {

// One letter of each line needs an escape.
std::string text_with_umlauts(std::size_t bytes) {
  std::string text = ringpost::bench::mail_text(bytes, 0);
  for (std::size_t line = 0; line + 2 < text.size(); line += 78) {
    text[line] = '\xc3';
    text[line + 1] = '\xbc';
  }
  return text;
}

void encode(benchmark::State& state) {
  const std::string text = text_with_umlauts(static_cast<std::size_t>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_quoted_printable(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(encode)->ArgName("bytes")->Arg(2048)->Arg(76800);

}  // namespace
