// `ringpost demo`: everything once, on this machine alone. Real files, a real server, real TLS;
// only the mail goes nowhere.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/run/job_input.h"
#include "engine/run/outcome_file.h"
#include "tools/process/log.h"
#include "tools/process/signal_watch.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/send/sample_jobs.h"
#include "tools/send/send_run.h"
#include "tools/settings/send_setting.h"
#include "tools/sink/sink.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t outcome_lines_shown = 6;

// A new folder below the temporary one. Empty: it could not be made.
std::string make_folder() {
  std::string path = std::filesystem::temp_directory_path() / "ringpost-demo.XXXXXX";
  return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
}

bool write_file(const std::string& path, const std::string& text) {
  auto file = run::OutcomeFile::open(path);
  if (!file) {
    print_error(file.error().message);
    return false;
  }
  file->lines() = text;
  return file->write().has_value();
}

EndpointOptions endpoint_of(const sink::Sink& server) {
  EndpointOptions endpoint;
  endpoint.name = "demo";
  endpoint.host = "127.0.0.1";
  endpoint.port = server.port(sink::ListenerKind::starttls);
  endpoint.username = "ringpost";
  endpoint.password = "ringpost";
  endpoint.ca_file = server.certificate_file();
  // The sink says 4xx to some addresses for good, so that nothing is gained by waiting.
  endpoint.attempts_max = 1;
  return endpoint;
}

void print_first_lines(const std::string& path) {
  auto input = run::JobInput::open({path}, -1);
  run::JobInput::Line line;
  for (std::size_t i = 0; input && i < outcome_lines_shown; ++i) {
    const auto next = input->next(line);
    if (!next || !*next) {
      return;
    }
    fmt::print("{}\n", line.text);
  }
}

int run_demo(std::size_t job_count) {
  SignalWatch watch;
  const std::string folder = make_folder();
  const std::string jobs_path = folder + "/jobs.jsonl";
  if (folder.empty() || !write_file(jobs_path, sample_jobs(job_count))) {
    print_error("the demo's folder could not be made");
    return exit_uncategorised;
  }
  const auto io = io_of_environment();
  if (!io) {
    print_error(io.error());
    return exit_usage;
  }
  sink::SinkOptions options;
  options.io = *io;
  options.listen_starttls = "127.0.0.1:0";
  options.listen_tls.clear();
  options.certificate_out = folder + "/certificate.pem";
  options.record_file = folder + "/record.jsonl";
  auto server = sink::Sink::start(options);
  if (!server) {
    print_error(server.error());
    return exit_uncategorised;
  }
  SendSettings settings;
  settings.files = {jobs_path};
  settings.endpoints = {endpoint_of(**server)};
  settings.outcomes_path = folder + "/outcomes.jsonl";
  settings.io = *io;
  fmt::print("an embedded ESP listens on {} (STARTTLS, AUTH)\n{} {} in {}\n\n",
             (*server)->address(sink::ListenerKind::starttls), counted(job_count, "job"),
             job_count == 1 ? "is" : "are", jobs_path);
  std::fflush(stdout);
  Log log(settings.log);
  const int code = run_send(settings, watch, log);
  static_cast<void>((*server)->stop());
  fmt::print("\nthe first outcome lines:\n");
  print_first_lines(settings.outcomes_path);
  fmt::print("\nall of them:           {}\nwhat the server took:  {}\n", settings.outcomes_path,
             options.record_file);
  // Among the samples are a job that is not valid and recipients that are refused.
  const bool as_expected = code == exit_deferred || code == exit_rejected ||
                           code == exit_invalid_input || code == exit_all_accepted;
  return as_expected ? exit_all_accepted : code;
}

}  // namespace

CommandSpec demo_command() {
  const auto job_count = std::make_shared<std::size_t>(10'000);
  CommandSpec command{
      .name = "demo",
      .summary = "Start an ESP on loopback, send sample jobs to it over TLS, show the outcomes"};
  command.flags = {with_usual({"--jobs", "N", "How many sample jobs, from 1 to 10000000",
                               NumberTarget{job_count.get(), 1, 10'000'000}})};
  command.run = [job_count] { return run_demo(*job_count); };
  return command;
}

}  // namespace ringpost::cli
