// A job line with an inline `raw` message into a job.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/job/job_reader.h"
#include "codec/text/json_text.h"

namespace {

void read_raw_job(benchmark::State& state) {
  std::string line =
      R"({"id":"job-1","envelope":{"from":"a@example.com","to":["b@example.net"]},"raw":)";
  ringpost::codec::append_json_string(
      line, "Subject: x\r\n\r\n" +
                ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 100));
  line += "}";
  const std::size_t line_bytes = line.size();
  line.append(ringpost::codec::JobReader::padding_bytes, ' ');
  ringpost::codec::JobReader reader({});
  ringpost::Message job;
  for (auto _ : state) {
    job.clear();
    const auto parsed = reader.parse({line.data(), line_bytes}, {"bench", 1, 0}, job);
    if (!parsed) {
      state.SkipWithError(parsed.error().message().c_str());
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line_bytes));
}

BENCHMARK(read_raw_job)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);

}  // namespace
