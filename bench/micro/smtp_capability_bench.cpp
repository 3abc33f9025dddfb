// The reply to EHLO.
#include <string>

#include <benchmark/benchmark.h>

#include "codec/smtp/smtp_capability.h"

namespace {

void parse(benchmark::State& state) {
  const std::string text =
      "mx.example.com greets you\nPIPELINING\nSIZE 52428800\n8BITMIME\nSMTPUTF8\nCHUNKING\nDSN\n"
      "ENHANCEDSTATUSCODES\nAUTH PLAIN LOGIN SCRAM-SHA-256 XOAUTH2\nVRFY\nETRN\nHELP";
  for (auto _ : state) {
    benchmark::DoNotOptimize(ringpost::codec::parse_capabilities(text));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(parse);

}  // namespace
