// `ringpost journal`: what the journal of a run holds, without taking part in it.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "queue/journal_history.h"
#include "queue/journal_outcomes.h"
#include "tools/journal/journal_report.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/send/run_files.h"

namespace ringpost::cli {

namespace {

constexpr const char* journal_examples =
    R"(Reading a journal changes nothing in it, and a run may be writing it meanwhile.
Exit codes: 0 it is whole, 11 it is damaged or no journal at all, 2 usage.

Examples:
  ringpost journal ls run.journal            # what became of it, and what is in flight
  ringpost journal verify run.journal        # damage, octet by octet
  ringpost journal export run.journal > outcomes.jsonl)";

struct JournalFlags {
  std::string path;
  bool json = false;
  bool all = false;
};

int run_ls(const JournalFlags& flags) {
  const auto reading = queue::read_journal(flags.path);
  if (!reading) {
    print_error(reading.error().message);
    return exit_outcomes_lost;
  }
  const int printed = print_data(flags.json ? journal_json(flags.path, *reading)
                                            : journal_text(flags.path, *reading));
  return printed != 0 ? printed : is_whole(*reading) ? exit_all_accepted : exit_outcomes_lost;
}

int run_verify(const JournalFlags& flags) {
  const auto reading = queue::read_journal(flags.path);
  if (!reading) {
    print_error(reading.error().message);
    return exit_outcomes_lost;
  }
  const int printed = print_data(verification_text(flags.path, *reading));
  return printed != 0 ? printed : is_whole(*reading) ? exit_all_accepted : exit_outcomes_lost;
}

Result<queue::JournalReading, queue::JournalError> print_outcomes(const JournalFlags& flags,
                                                                  StandardOutput& output) {
  const auto take = [&output](const codec::JournalOutcome& outcome) {
    return output.write(outcome.line);
  };
  if (!flags.all) {
    return queue::for_each_last_outcome(flags.path, take);
  }
  const auto printed = queue::for_each_outcome(flags.path, 0, take);
  if (!printed) {
    return Failure(printed.error());
  }
  return queue::read_journal(flags.path);
}

int run_export(const JournalFlags& flags) {
  StandardOutput output;
  const auto reading = print_outcomes(flags, output);
  if (!output.flush()) {
    return report_failure(output);
  }
  if (!reading) {
    print_error(reading.error().message);
    return exit_outcomes_lost;
  }
  if (reading->history.count_in_flight() > 0) {
    print_error(fmt::format("{}: {} more in flight: what became of them is not known", flags.path,
                            reading->history.count_in_flight()));
  }
  if (reading->history.count_put_off() > 0) {
    print_error(fmt::format("{}: {} more wait for another attempt: a resume sends them", flags.path,
                            reading->history.count_put_off()));
  }
  if (!is_whole(*reading)) {
    print_error(verification_text(flags.path, *reading) + "outcomes may be missing");
    return exit_outcomes_lost;
  }
  return exit_all_accepted;
}

// What it prints must not go into the journal.
int run_on_journal(const JournalFlags& flags, int (*run)(const JournalFlags& flags)) {
  if (const auto checked = check_files_read({&flags.path, 1}, "journal"); !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  return run(flags);
}

}  // namespace

CommandSpec journal_command() {
  const auto flags = std::make_shared<JournalFlags>();
  const auto action = [&flags](const char* name, const char* summary,
                               int (*run)(const JournalFlags& flags)) {
    CommandSpec subcommand{.name = name, .summary = summary};
    subcommand.flags = {{"FILE", "", "The journal", &flags->path}};
    subcommand.flags.front().is_required = true;
    subcommand.run = [flags, run] { return run_on_journal(*flags, run); };
    return subcommand;
  };
  CommandSpec command{.name = "journal",
                      .summary = "What the journal of a run holds, and whether it is whole"};
  command.examples = journal_examples;
  command.subcommands = {
      action("ls", "Its job files, runs, recipients by status, and jobs in flight", run_ls),
      action("verify", "Check every record: where it is damaged, and how", run_verify),
      action("export", "Print the last outcome line of each recipient", run_export),
  };
  command.subcommands.front().flags.push_back({"--json", "", "One JSON object", &flags->json});
  command.subcommands.back().flags.push_back(
      {"--all", "", "Every outcome line, not only the last ones", &flags->all});
  return command;
}

}  // namespace ringpost::cli
