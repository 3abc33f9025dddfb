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

// A flag with a value, in the forms in which it may stand.
struct ValueFlag {
  std::string_view short_name;  // empty: it has none
  std::string_view name;
};

// Without the flag and its value: "-o FILE", "-oFILE", "--outcomes FILE", "--outcomes=FILE". What
// stands behind "--" is no flag.
std::vector<std::string> without(const std::vector<std::string>& arguments, const ValueFlag& flag) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") {
      kept.insert(kept.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    const bool is_short = !flag.short_name.empty() && argument.starts_with(flag.short_name);
    const bool has_its_value = (is_short && argument.size() > flag.short_name.size()) ||
                               argument.starts_with(fmt::format("{}=", flag.name));
    if (argument == flag.name || (is_short && !has_its_value)) {
      ++i;
    } else if (!has_its_value) {
      kept.emplace_back(argument);
    }
  }
  return kept;
}

std::string command_of(std::vector<std::string> arguments, const std::vector<std::string>& added) {
  // Behind "--" they would be names of files.
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  arguments.insert(end, added.begin(), added.end());
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

// --resume is not said twice.
std::string resume_command_with(std::initializer_list<std::string> added) {
  std::vector<std::string> arguments = without(own_arguments(), {"", "--on-unknown"});
  arguments.erase(std::remove(arguments.begin(), arguments.end(), "--resume"), arguments.end());
  std::vector<std::string> flags = {"--resume"};
  flags.insert(flags.end(), added);
  return command_of(std::move(arguments), flags);
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
    const auto arguments =
        without(without(own_arguments(), {"-o", "--outcomes"}), {"", "--retry-from"});
    steps.push_back({why, command_of(arguments, {"-o", again_path(settings.outcomes_path),
                                                 "--retry-from", settings.outcomes_path})});
  }
}

}  // namespace

std::string resume_command() { return resume_command_with({}); }

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
                     resume_command_with({"--on-unknown", "resend"})});
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
