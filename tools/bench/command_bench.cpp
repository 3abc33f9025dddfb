// `ringpost bench`: the runs one after the other, each with an engine of its own, then what they
// have found. A signal ends the run that is under way, and no other begins.
#include <algorithm>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "tools/bench/bench_file.h"
#include "tools/bench/bench_report.h"
#include "tools/bench/bench_run.h"
#include "tools/bench/bench_settings.h"
#include "tools/process/log.h"
#include "tools/process/out_of_memory.h"
#include "tools/process/signal_watch.h"
#include "tools/process/standard_output.h"
#include "tools/process/terminal.h"
#include "tools/process/unix_time.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"

namespace ringpost::cli {

namespace {

constexpr const char* bench_examples =
    R"(ENDPOINT is as of send. Without --rate a closed loop: as fast as the server answers. With
--rate an open one: latency is counted from when a message was due, so that a server that stalls
cannot hide it. It goes to servers on this machine alone unless --i-own-this-endpoint: it sends
as much as it can.
Exit codes: 0 all accepted, 2 usage, 4 to 6 as of send, 7 no usable endpoint, 10 a threshold or a
comparison failed, 11 a file was not written, 130/143 stopped by a signal.

Examples:
  ringpost bench 'smtp://127.0.0.1:2525?tls=none' --duration 30s --connections 10
  ringpost bench mta --rate 1000/s --duration 5m --warmup 10s --hdr times.hlog
  ringpost bench mta --vary connections=1,10,100 --json > base.json
  ringpost bench mta --threshold 'p99<250ms,accepted>99.9%' --compare base.json)";

// What signals and the clock act on: the run under way.
struct RunUnderWay {
  std::mutex mutex;
  BenchRun* run = nullptr;
};

template <typename Act>
void with_run(RunUnderWay& under_way, Act act) {
  const std::lock_guard lock(under_way.mutex);
  if (under_way.run != nullptr) {
    act(*under_way.run);
  }
}

void set_run(RunUnderWay& under_way, BenchRun* run) {
  const std::lock_guard lock(under_way.mutex);
  under_way.run = run;
}

void show_progress(const BenchRun& run, bool draws) {
  if (draws) {
    write_to_stderr(
        fmt::format("\r{} messages answered \x1b[K", grouped_digits(run.messages_done())));
  }
}

struct Runs {
  std::vector<BenchFinding> findings;
  std::string error;  // empty: there is none
};

Runs run_all(const BenchSettings& settings, HistogramLog* histogram_log, SignalWatch& watch,
             Log& log) {
  Runs runs;
  RunUnderWay under_way;
  const bool draws = can_draw(STDERR_FILENO);
  watch.start({.first_signal = [&] { with_run(under_way, [](BenchRun& run) { run.stop_soon(); }); },
               .second_signal = [&] { with_run(under_way, [](BenchRun& run) { run.stop_now(); }); },
               .tick =
                   [&] {
                     with_run(under_way, [draws](BenchRun& run) {
                       run.tick();
                       show_progress(run, draws);
                     });
                   },
               .asked = {},
               .drain = settings.load.drain,
               .tick_every = std::chrono::seconds(1)});
  std::vector<std::string> values = settings.values;
  if (values.empty()) {
    values.emplace_back();
  }
  for (const std::string& value : values) {
    ChosenEndpoint endpoint = settings.endpoint;
    LoadSettings load = settings.load;
    if (!settings.varied.empty()) {
      const auto set = set_varied(settings.varied, value, endpoint, load);
      RP_ASSERT(set.has_value());
    }
    const std::string tag = value.empty() ? "" : fmt::format("{}={}/", settings.varied, value);
    BenchRun run({.endpoint = endpoint.draft.options,
                  .load = load,
                  .cores = settings.cores,
                  .io = settings.io,
                  .log = log,
                  .histogram_log = histogram_log,
                  .tag = tag});
    if (auto started = run.start(); !started) {
      runs.error = std::move(started.error());
      break;
    }
    set_run(under_way, &run);
    BenchFinding finding = run.run();
    set_run(under_way, nullptr);
    finding.varied = value;
    runs.findings.push_back(std::move(finding));
    if (watch.signal() != 0) {
      break;
    }
  }
  watch.stop();
  if (draws) {
    write_to_stderr("\r\x1b[K");
  }
  return runs;
}

int code_of_recipients(const BenchFinding& finding) {
  const auto any = [&finding](std::initializer_list<Status> statuses) {
    return std::any_of(statuses.begin(), statuses.end(),
                       [&finding](Status status) { return finding.count_of(status) > 0; });
  };
  return !finding.failures.empty() ? exit_no_endpoint
         : any({Status::unknown})  ? exit_unknown
         : any({Status::deferred, Status::expired, Status::unsent}) || finding.not_begun > 0
             ? exit_deferred
         : any({Status::rejected}) ? exit_rejected
         : any({Status::invalid})  ? exit_invalid_input
                                   : exit_all_accepted;
}

int exit_code(const BenchSettings& settings, const Runs& runs,
              const std::vector<Comparison>& comparisons, int signal) {
  if (signal != 0) {
    return signal == SIGINT ? exit_interrupted : signal == SIGHUP ? exit_hung_up : exit_terminated;
  }
  int code = exit_all_accepted;
  bool holds = std::none_of(comparisons.begin(), comparisons.end(), [](const Comparison& each) {
    return each.is_worse() || !each.has_base;
  });
  for (const BenchFinding& finding : runs.findings) {
    code = std::max(code, code_of_recipients(finding));
    holds = holds &&
            std::all_of(settings.thresholds.begin(), settings.thresholds.end(),
                        [&finding](const Threshold& each) { return each.is_held_by(finding); });
  }
  return code == exit_no_endpoint ? code : !holds ? exit_threshold_failed : code;
}

int run_bench(const BenchFlags& flags) {
  end_when_out_of_memory(exit_outcomes_lost);
  const auto settings = read_bench_settings(flags);
  if (!settings) {
    print_error(settings.error().message);
    return exit_usage;
  }
  std::vector<BenchFinding> base;
  if (!settings->base_path.empty()) {
    auto read = read_bench_file(settings->base_path);
    if (!read) {
      print_error("--compare: " + read.error());
      return exit_usage;
    }
    base = std::move(read->runs);
  }
  SignalWatch watch;
  Log log(settings->log);
  const std::int64_t began_at_us = unix_time_us();
  std::unique_ptr<HistogramLog> histogram_log;
  if (!settings->hdr_path.empty()) {
    auto opened = HistogramLog::open(settings->hdr_path, began_at_us);
    if (!opened) {
      print_error(opened.error());
      return exit_usage;
    }
    histogram_log = std::move(*opened);
  }
  for (const std::string& warning : endpoint_warnings({settings->endpoint})) {
    log.warn(warning);
  }
  const Runs runs = run_all(*settings, histogram_log.get(), watch, log);
  if (!runs.error.empty()) {
    print_error(runs.error);
    return exit_usage;
  }
  BenchReportInput input{.settings = *settings,
                         .findings = runs.findings,
                         .began_at_us = began_at_us,
                         .machine = machine_facts()};
  for (const BenchFinding& finding : runs.findings) {
    if (!settings->base_path.empty()) {
      input.comparisons.push_back(compare(finding, base, settings->tolerance));
    }
  }
  const int printed = print_data(settings->json ? bench_json(input) : bench_text(input));
  if (histogram_log) {
    if (const auto closed = histogram_log->close(); !closed) {
      print_error(closed.error());
      return exit_outcomes_lost;
    }
  }
  return printed != 0 ? printed : exit_code(*settings, runs, input.comparisons, watch.signal());
}

}  // namespace

CommandSpec bench_command() {
  const auto flags = std::make_shared<BenchFlags>();
  CommandSpec command{.name = "bench",
                      .summary = "Load a server of yours: rate, latency percentiles, thresholds"};
  BenchFlags& at = *flags;
  FlagSpec endpoint{"ENDPOINT", "", "URL or configured name", &at.endpoint};
  endpoint.is_required = true;
  command.flags = {
      endpoint,
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &at.config_path},
      {"--i-own-this-endpoint", "", "It is on another machine, and may be loaded",
       &at.owns_endpoint}};
  const auto add = [&command](const std::string& group, std::vector<FlagSpec> added) {
    for (FlagSpec& flag : in_group(group, std::move(added))) {
      command.flags.push_back(std::move(flag));
    }
  };
  add("Load",
      {{"--rate", "N[/s|/m|/h]", "Open loop: so many messages, whatever the server does", &at.rate},
       {"--duration", "DURATION", "So long (10s without --count)", &at.duration},
       {"--count", "N", "So many messages", &at.count},
       {"--warmup", "DURATION", "Before that, which counts for connections alone", &at.warmup},
       with_usual({"--drain", "DURATION", "For what is not answered at the end", &at.drain}),
       {"--connections", "N|auto", "Sessions at a time", &at.connections},
       {"--pipeline", "auto|off|N", "Messages in flight in a session", &at.pipeline},
       {"--chunking", "auto|off", "BDAT where it is offered", &at.chunking},
       {"--cores", "N", "Worker threads", &at.cores},
       {"--io", "auto|ring|epoll", "io_uring, or epoll", &at.io},
       {"--vary", "NAME=V,V,...",
        "A run each: connections, pipeline, chunking, rate, size, recipients", &at.vary}});
  add("Messages", {{"--size", "N,...", "Octets of a message (2k); several take turns", &at.sizes},
                   with_usual({"--recipients", "N", "Of each message", &at.recipients}),
                   {"--from", "ADDRESS", "Sender (bench@example.com)", &at.from},
                   {"--to", "ADDRESS", "Recipients in turns (readerN@example.net)", &at.to},
                   {"--jobs", "FILE", "Send these jobs over and over", &at.jobs_path}});
  add("Judgement",
      {{"--threshold", "LIST", "p99<250ms,accepted>99.9%,rate>=900/s,tls.p90<50ms: else code 10",
        &at.thresholds},
       {"--compare", "FILE", "A --json of earlier: what is worse is code 10", &at.base_path},
       with_usual({"--tolerance", "N", "Percent by which it may be worse", &at.tolerance}),
       {"--hdr", "FILE", "Write histograms of each second, in HdrHistogram's log format",
        &at.hdr_path},
       {"--json", "", "One JSON object instead of text", &at.json}});
  command.examples = bench_examples;
  command.run = [flags] { return run_bench(*flags); };
  return command;
}

}  // namespace ringpost::cli
