// `ringpost render`: the finished message of a job, as it would go out, for a look before sending;
// the same reader makes it. Limits: its date is this moment's, dots are not doubled, and what is
// added for a server, such as a field with the idempotency key, is not there.
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/line_source.h"
#include "engine/run/outcome_file.h"
#include "tools/process/log.h"
#include "tools/process/unix_time.h"
#include "tools/program/commands.h"
#include "tools/send/run_files.h"
#include "tools/settings/send_setting.h"

namespace ringpost::cli {

namespace {

struct RenderFlags {
  std::string file;
  std::string id;
  std::string dialect;
};

int print_message(const Message& message) {
  auto output = run::OutcomeFile::open("-");
  if (!output) {
    return exit_uncategorised;
  }
  output->lines() = message.content.text();
  return output->write() ? exit_all_accepted : exit_uncategorised;
}

// Of the first job, or of the one with the id that was asked for, the first message.
int render_of(run::LineSource& source, const std::string& id) {
  Message job;
  for (;;) {
    job.clear();
    const run::JobSource::Pull pulled = source.pull(job, 0);
    switch (pulled) {
      case run::JobSource::Pull::message:
      case run::JobSource::Pull::refused:
        break;
      case run::JobSource::Pull::nothing:
        continue;
      case run::JobSource::Pull::trouble:
        print_error(std::string(source.words(0)));
        return exit_uncategorised;
      case run::JobSource::Pull::end:
        print_error(id.empty() ? "there is no job" : "there is no job with the id " + id);
        return exit_usage;
    }
    if (!id.empty() && job.id != id) {
      continue;
    }
    if (pulled == run::JobSource::Pull::refused) {
      print_error(std::string(source.words(0)));
      return exit_invalid_input;
    }
    return print_message(job);
  }
}

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
  const auto dialect = dialect_setting(flags.dialect, "");
  if (!dialect) {
    print_error(dialect.error());
    return exit_usage;
  }
  run::JobFileSource files;
  run::LineSource source(std::move(*input), {.reader = {.files = &files, .dialect = *dialect},
                                             .date_us = unix_time_us()});
  return render_of(source, flags.id);
}

}  // namespace

CommandSpec render_command() {
  const auto flags = std::make_shared<RenderFlags>();
  CommandSpec command{.name = "render", .summary = "Print the finished RFC 5322 message of a job"};
  command.flags = {
      {"FILE", "", "Job file; - or nothing is standard input", &flags->file},
      {"--id", "ID", "The job's id; without it the first job is printed", &flags->id},
      {"--dialect", "NAME", "As for send", &flags->dialect},
  };
  command.examples =
      "Examples:\n"
      "  ringpost render jobs.jsonl\n"
      "  ringpost render jobs.jsonl --id weekly-47 | less";
  command.run = [flags] { return run_render(*flags); };
  return command;
}

}  // namespace ringpost::cli
