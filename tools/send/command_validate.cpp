// `ringpost validate`: what `send` would refuse of its jobs, or of a template and its recipients,
// and nothing else. The same reader with the same settings says so, and a slow producer's mistakes
// are shown when they are made. Limits: what depends on endpoints and their servers, their names
// and their limits, is not looked at.
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "codec/text/spelling.h"
#include "engine/run/job_file_source.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/unix_time.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/send/job_schema.h"
#include "tools/send/newsletter_watch.h"
#include "tools/send/recipient_flags.h"
#include "tools/send/run_files.h"
#include "tools/send/send_source.h"
#include "tools/settings/config_file.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* validate_examples =
    R"(Each job that is not valid is a line on stdout: FILE:LINE: FIELD: WHY.
The count goes to stderr, and so does what newsletters lack of what Gmail and Yahoo ask of
bulk senders: of rows and jobs with recipients, and messages with List-ID or Precedence: bulk.
Exit codes: 0 all are valid, 3 some are not, 2 a file could not be read.

Examples:
  ringpost validate jobs.jsonl.zst
  ringpost validate --template news.json --recipients list.csv
  ringpost validate --schema jobs > job.schema.json
  make-jobs | ringpost validate && make-jobs | ringpost send -e ses)";

struct ValidateFlags {
  RecipientFlags jobs;
  std::string newlines;
  std::string dialect;
  std::string config_path;
  std::string schema;
  bool bulk = false;
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
Counts check_jobs(run::JobSource& source, StandardOutput& output, NewsletterWatch& watch) {
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
        watch.look(job, is_for_many(job));
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

int report_counts(const Counts& counts, StandardOutput& output, const NewsletterWatch& watch,
                  bool is_quiet) {
  if (!output.flush()) {
    return report_failure(output);
  }
  if (!is_quiet) {
    for (const std::string& warning : watch.warnings()) {
      write_to_stderr("warning: " + warning + "\n");
    }
    write_to_stderr(fmt::format("{} valid ({}), {} invalid\n", counts.valid,
                                counted(counts.recipients, "recipient"), counts.invalid));
  }
  if (counts.input_failed) {
    return exit_usage;
  }
  return counts.invalid == 0 ? exit_all_accepted : exit_invalid_input;
}

int check_all(const SendSettings& settings, NewsletterWatch::About about, bool is_quiet) {
  const bool are_rows = settings.recipients.are_rows();
  if (const auto checked =
          check_files_read(input_files(settings), are_rows ? "file of recipients" : "job file");
      !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  const std::int64_t date_us = unix_time_us();
  run::JobFileSource files;
  if (!is_quiet) {
    say_who_is_read(settings);
  }
  auto source = SendSource::open(settings, -1, date_us);
  if (!source) {
    print_error(source.error());
    return exit_usage;
  }
  if (const auto begun = (*source)->begin(files, nullptr, date_us); !begun) {
    print_error(begun.error());
    return exit_usage;
  }
  StandardOutput output;
  NewsletterWatch watch(are_rows ? NewsletterWatch::About::all : about);  // each is one of many
  const Counts counts = check_jobs((*source)->source(), output, watch);
  return report_counts(counts, output, watch, is_quiet);
}

// The same whatever there is to check.
int print_schema(const ValidateFlags& flags) {
  constexpr std::array<std::string_view, 3> names = {"jobs", "templates", "outcomes"};
  if (!flags.jobs.files.empty()) {
    print_error(fmt::format("--schema reads no file: leave {} out", flags.jobs.files.front()));
    return exit_usage;
  }
  if (flags.schema == names[0]) {
    return print_data(job_schema());
  }
  if (flags.schema == names[1]) {
    return print_data(template_schema());
  }
  if (flags.schema == names[2]) {
    return print_data(outcome_schema());
  }
  print_error("--schema: " + codec::unknown_word("schema", flags.schema, names) +
              "; there are jobs, templates and outcomes");
  return exit_usage;
}

int run_validate(const ValidateFlags& flags) {
  if (!flags.schema.empty()) {
    return print_schema(flags);
  }
  if (const std::string wrong = errors_of_variables(); !wrong.empty()) {
    print_error(wrong);
    return exit_usage;
  }
  auto settings = flags.jobs.settings();
  if (!settings) {
    print_error(settings.error());
    return exit_usage;
  }
  if (!settings->recipients.are_rows()) {
    const auto policy = newline_policy(flags);
    const auto dialect = dialect_setting(flags.dialect, flags.config_path);
    if (!policy || !dialect) {
      print_error(!policy ? policy.error() : dialect.error());
      return exit_usage;
    }
    settings->newlines = *policy;
    settings->dialect = *dialect;
  }
  return check_all(*settings,
                   flags.bulk ? NewsletterWatch::About::all : NewsletterWatch::About::newsletters,
                   flags.quiet);
}

}  // namespace

CommandSpec validate_command() {
  const auto flags = std::make_shared<ValidateFlags>();
  CommandSpec command{.name = "validate",
                      .summary = "Check jobs against the schema, without network"};
  command.flags = {
      {"FILE", "", "Job files, .zst and .gz too; - or none is stdin", &flags->jobs.files},
  };
  flags->jobs.describe(command);
  const std::vector<FlagSpec> others = {
      {"--newlines", "strict|normalize", "Lone LF line ends [normalize]", &flags->newlines},
      {"--dialect", "NAME", "As for send", &flags->dialect},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"--bulk", "", "Say of any message what bulk mail should have", &flags->bulk},
      {"--schema", "jobs|templates|outcomes", "Print the JSON schema of them, and check nothing",
       &flags->schema},
      {"-q,--quiet", "", "Neither count nor advice on stderr", &flags->quiet},
  };
  command.flags.insert(command.flags.end(), others.begin(), others.end());
  command.examples = validate_examples;
  command.run = [flags] { return run_validate(*flags); };
  return command;
}

}  // namespace ringpost::cli
