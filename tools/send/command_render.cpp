// `ringpost render`: the finished message of a job, as it would go out, for a look before sending;
// the same reader makes it. Limits: its date is this moment's, dots are not doubled, and what is
// added for a server, such as a field with the idempotency key, is not there.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include "codec/job/job_reader.h"
#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/outcome_file.h"
#include "engine/run/parse_line.h"
#include "tools/process/log.h"
#include "tools/program/commands.h"
#include "tools/send/run_files.h"

namespace ringpost::cli {

namespace {

struct RenderFlags {
  std::string file;
  std::string id;
};

int print_message(const Message& message) {
  auto output = run::OutcomeFile::open("-");
  if (!output) {
    return exit_uncategorised;
  }
  output->lines() = message.content.text();
  return output->write() ? exit_all_accepted : exit_uncategorised;
}

// The first job, or the one with the id that was asked for.
int run_render(const RenderFlags& flags) {
  std::vector<std::string> files_read;
  if (!flags.file.empty()) {
    files_read.push_back(flags.file);
  }
  if (const auto checked = check_files_read(files_read, "job file"); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  auto input = run::JobInput::open(files_read, -1);
  if (!input) {
    print_error(input.error().message);
    return exit_usage;
  }
  run::JobFileSource files;
  codec::JobReader reader({.files = &files});
  const std::int64_t date_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count();
  Message job;
  run::JobInput::Line line;
  for (;;) {
    const auto next = input->next(line);
    if (!next) {
      print_error(next.error().message);
      return exit_uncategorised;
    }
    if (!*next) {
      print_error(flags.id.empty() ? "there is no job" : "there is no job with the id " + flags.id);
      return exit_usage;
    }
    job.clear();
    const auto parsed = run::parse_line(reader, line, date_us, job);
    if (!flags.id.empty() && job.id != flags.id) {
      continue;
    }
    if (!parsed) {
      print_error(parsed.error());
      return exit_invalid_input;
    }
    return print_message(job);
  }
}

}  // namespace

CommandSpec render_command() {
  const auto flags = std::make_shared<RenderFlags>();
  CommandSpec command{.name = "render", .summary = "Print the finished RFC 5322 message of a job"};
  command.flags = {
      {"FILE", "", "Job file; - or nothing is standard input", &flags->file},
      {"--id", "ID", "The job's id; without it the first job is printed", &flags->id},
  };
  command.examples =
      "Examples:\n"
      "  ringpost render jobs.jsonl\n"
      "  ringpost render jobs.jsonl --id weekly-47 | less";
  command.run = [flags] { return run_render(*flags); };
  return command;
}

}  // namespace ringpost::cli
