// The problem: whoever has a thousand recipients put off knows that something is to be done, and
// not which of sixty flags does it. The idea: the command line that this run was started with, and
// what has to stand behind it, ready to be pasted. Limits: jobs that came through a pipe are gone,
// and what has neither journal nor outcome lines cannot be known again.
#include "tools/send/next_step.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "tools/process/wording.h"
#include "tools/send/send_source.h"

namespace ringpost::cli {

namespace {

std::string shell_word(std::string_view argument) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+.,:/@%";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string_view::npos) {
    return std::string(argument);
  }
  std::string word = "'";
  for (const char c : argument) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) {
    arguments.push_back(argument);
  }
  return arguments;
}

bool has_argument(const std::vector<std::string>& arguments, std::string_view wanted) {
  return std::find(arguments.begin(), arguments.end(), wanted) != arguments.end();
}

// --resume is not said twice.
std::string this_command(std::initializer_list<std::string> added) {
  std::vector<std::string> arguments = own_arguments();
  for (const std::string& argument : added) {
    if (argument != "--resume" || !has_argument(arguments, argument)) {
      arguments.push_back(argument);
    }
  }
  std::string command;
  for (const std::string& argument : arguments) {
    command += (command.empty() ? "" : " ") + shell_word(argument);
  }
  return command;
}

// "outcomes.jsonl" becomes "outcomes.again.jsonl": what --retry-from reads is not written.
std::string again_path(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  const std::size_t dot = path.find('.', name + 1);
  const std::size_t end = dot == std::string::npos ? path.size() : dot;
  return path.substr(0, end) + ".again" + path.substr(end);
}

bool has_file_of_outcomes(const SendSettings& settings) {
  return !settings.outcomes_path.empty() && settings.outcomes_path != "-";
}

void add_put_off(std::vector<NextStep>& steps, std::uint64_t count, const SendSettings& settings) {
  const std::string why = fmt::format("{} {} put off, and may be taken now", grouped_digits(count),
                                      count == 1 ? "recipient was" : "recipients were");
  if (!settings.journal.path.empty()) {
    steps.push_back({why, resume_command()});
  } else if (has_file_of_outcomes(settings) && !reads_standard_input(settings)) {
    steps.push_back({why, this_command({"-o", again_path(settings.outcomes_path), "--retry-from",
                                        settings.outcomes_path})});
  }
}

}  // namespace

std::string resume_command() { return this_command({"--resume"}); }

std::vector<NextStep> next_steps(const run::RunTally& tally, const SendSettings& settings) {
  std::vector<NextStep> steps;
  // A demonstration sends, too, and its command line does something else.
  if (settings.dry_run || !has_argument(own_arguments(), "send")) {
    return steps;
  }
  if (const auto count = tally.of(Status::deferred) + tally.of(Status::unsent); count > 0) {
    add_put_off(steps, count, settings);
  }
  if (const auto count = tally.of(Status::unknown); count > 0 && !settings.journal.path.empty()) {
    steps.push_back({fmt::format("{} may have been accepted; where the provider has them not, this "
                                 "sends them again",
                                 grouped_digits(count)),
                     this_command({"--resume", "--on-unknown", "resend"})});
  }
  const bool has_job_files = settings.recipients.template_path.empty() && !settings.dialect;
  if (tally.of(Status::invalid) > 0 && has_job_files && !reads_standard_input(settings)) {
    std::string command = "ringpost validate";
    for (const std::string& file : settings.files) {
      command += " " + shell_word(file);
    }
    steps.push_back({"what is wrong with the jobs, line by line", std::move(command)});
  }
  return steps;
}

}  // namespace ringpost::cli
