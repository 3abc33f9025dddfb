// The commands of one message in a flight.
#include <benchmark/benchmark.h>

#include "codec/smtp/smtp_command.h"

namespace {

void write_envelope(benchmark::State& state) {
  const ringpost::DsnRequest dsn;
  ringpost::codec::MailParameters parameters;
  parameters.size_bytes = 2048;
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_rset(out);
    ringpost::codec::append_mail(out, "bounce-1234@news.example.com", parameters, dsn);
    ringpost::codec::append_rcpt(out, "reader.1234567@mail.example.net", {});
    ringpost::codec::append_bdat_last(out, 2048);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

BENCHMARK(write_envelope);

}  // namespace
