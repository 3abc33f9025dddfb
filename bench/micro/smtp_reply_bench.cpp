// Replies out of the octets of a pipelined session.
#include <benchmark/benchmark.h>

#include "codec/smtp/smtp_reply.h"

namespace {

void parse_group(benchmark::State& state) {
  const std::string octets =
      "250 2.0.0 Ok: queued as 4F1C2A3B\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"
      "354 End data with <CR><LF>.<CR><LF>\r\n";
  ringpost::codec::ReplyParser parser;
  for (auto _ : state) {
    ringpost::Bytes input = octets;
    ringpost::codec::Reply reply;
    while (!input.empty()) {
      const auto complete = parser.parse(input, reply);
      benchmark::DoNotOptimize(complete);
    }
  }
  state.SetItemsProcessed(state.iterations() * 4);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets.size()));
}

BENCHMARK(parse_group);

}  // namespace
