// `ringpost validate`: what `send` would refuse of its jobs, and nothing else. The same reader with
// the same settings says so, and a slow producer's mistakes are shown when they are made. Limits:
// what depends on endpoints and their servers, their names and their limits, is not looked at.
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/line_source.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/unix_time.h"
#include "tools/program/commands.h"
#include "tools/send/run_files.h"
#include "tools/settings/config_file.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* validate_examples =
    R"(Each job that is not valid is a line on stdout: FILE:LINE: FIELD: WHY.
The count goes to stderr. Exit codes: 0 all are valid, 3 some are not, 2 a file could not be read.

Examples:
  ringpost validate jobs.jsonl.zst
  make-jobs | ringpost validate && make-jobs | ringpost send -e ses)";

struct ValidateFlags {
  std::vector<std::string> files;
  std::string newlines;
  std::string dialect;
  std::string config_path;
  bool quiet = false;
};

struct Counts {
  std::uint64_t valid = 0;
  std::uint64_t invalid = 0;
  std::uint64_t recipients = 0;
  bool input_failed = false;  // a file could not be read to its end
};

// As `send` would have it: flag, variable, file.
Result<codec::NewlinePolicy, std::string> newline_policy(const ValidateFlags& flags) {
  if (!flags.newlines.empty()) {
    auto policy = parse_newlines(flags.newlines);
    return policy ? policy : Failure("--newlines: " + policy.error());
  }
  const char* const config = std::getenv("RINGPOST_CONFIG");
  const bool by_variable = flags.config_path.empty() && config != nullptr;
  const auto configuration = load_configuration(by_variable ? config : flags.config_path);
  if (!configuration) {
    return Failure(configuration.error().message);
  }
  if (std::string wrong = check_variables().error_text(); !wrong.empty()) {
    return Failure(std::move(wrong));
  }
  SettingMap layered = configuration->send;
  lay_over(layered, settings_of_environment());
  const auto said = layered.find("newlines");
  if (said == layered.end()) {
    return codec::JobReaderOptions{}.newlines;
  }
  auto policy = parse_newlines(said->second.text());
  return policy ? policy : Failure(said->second.origin + ": " + policy.error());
}

// Ends early when nobody reads the output any more.
Counts check_lines(run::LineSource& source, StandardOutput& output) {
  Counts counts;
  Message job;
  while (true) {
    // A slow producer's mistakes are shown when they are made.
    const bool can_write = !source.may_wait(0) || output.flush();
    job.clear();
    switch (source.pull(job, 0)) {
      case run::JobSource::Pull::message:
        ++counts.valid;
        counts.recipients += job.recipients.size();
        break;
      case run::JobSource::Pull::nothing:
        break;
      case run::JobSource::Pull::refused:
        ++counts.invalid;
        if (!output.write(std::string(source.words(0)) + "\n")) {
          return counts;
        }
        break;
      case run::JobSource::Pull::trouble:
        print_error(std::string(source.words(0)));
        counts.input_failed = true;
        break;
      case run::JobSource::Pull::end:
        return counts;
    }
    if (!can_write) {
      return counts;
    }
  }
}

int run_validate(const ValidateFlags& flags) {
  const auto policy = newline_policy(flags);
  if (!policy) {
    print_error(policy.error());
    return exit_usage;
  }
  const auto dialect = dialect_setting(flags.dialect, flags.config_path);
  if (!dialect) {
    print_error(dialect.error());
    return exit_usage;
  }
  if (const auto checked = check_files_read(flags.files, "job file"); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  auto input = run::JobInput::open(flags.files, -1);
  if (!input) {
    print_error(input.error().message);
    return exit_usage;
  }
  run::JobFileSource files;
  run::LineSource source(std::move(*input),
                         {.reader = {.newlines = *policy, .files = &files, .dialect = *dialect},
                          .date_us = unix_time_us()});
  StandardOutput output;
  const Counts counts = check_lines(source, output);
  if (!output.flush()) {
    return report_failure(output);
  }
  if (!flags.quiet) {
    write_to_stderr(fmt::format("{} valid ({} recipients), {} invalid\n", counts.valid,
                                counts.recipients, counts.invalid));
  }
  if (counts.input_failed) {
    return exit_usage;
  }
  return counts.invalid == 0 ? exit_all_accepted : exit_invalid_input;
}

}  // namespace

CommandSpec validate_command() {
  const auto flags = std::make_shared<ValidateFlags>();
  CommandSpec command{.name = "validate",
                      .summary = "Check jobs against the schema, without network"};
  command.flags = {
      {"FILE", "", "Job files, .zst and .gz too; - or none is stdin", &flags->files},
      {"--newlines", "strict|normalize", "Lone LF line ends [normalize]", &flags->newlines},
      {"--dialect", "NAME", "As for send", &flags->dialect},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"-q,--quiet", "", "No count on stderr", &flags->quiet},
  };
  command.examples = validate_examples;
  command.run = [flags] { return run_validate(*flags); };
  return command;
}

}  // namespace ringpost::cli
