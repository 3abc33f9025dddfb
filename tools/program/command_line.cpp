// The problem: CLI11 tells a person that an argument was not expected, and not which word was
// meant. The idea: the first word is judged before CLI11 sees it (a command, a flag in the wrong
// place, a file, a slip), and what it could not use afterwards is compared with what the innermost
// command knows. Its exceptions end here. Limits: of other mistakes the words are CLI11's.
#include "tools/program/command_line.h"

#include <algorithm>
#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/spelling.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/program_version.h"
#include "tools/process/standard_output.h"
#include "tools/process/terminal.h"
#include "tools/process/wording.h"
#include "tools/program/command_parser.h"
#include "tools/program/commands.h"
#include "tools/program/help_text.h"

namespace ringpost::cli {

namespace {

constexpr const char* program_description =
    "ringpost submits bulk email to SMTP servers and reports on every recipient.";

constexpr const char* program_examples = R"(Examples:
  ringpost demo                                     everything once, on this machine alone
  ringpost validate jobs.jsonl
  ringpost send -e smtps://apikey@smtp.sendgrid.net -o outcomes.jsonl jobs.jsonl

`ringpost COMMAND --help` explains a command.)";

// codec::nearest_word() compares no longer words.
constexpr std::size_t comparable_bytes_max = 32;

// What the first word is, before anything is parsed.
enum class FirstWord { command, own_flag, help, nothing, unknown };

FirstWord first_word(const CommandSpec& program, const std::vector<std::string>& words) {
  if (words.empty()) {
    return FirstWord::nothing;
  }
  const std::string& word = words.front();
  constexpr std::array<std::string_view, 3> own_flags = {"-h", "--help", "--version"};
  if (std::find(own_flags.begin(), own_flags.end(), word) != own_flags.end()) {
    return FirstWord::own_flag;
  }
  if (word == "help") {
    return FirstWord::help;
  }
  const std::vector<std::string> names = program.subcommand_names();
  const bool is_command = std::find(names.begin(), names.end(), word) != names.end();
  return is_command ? FirstWord::command : FirstWord::unknown;
}

std::string unknown_word(std::string_view what, const std::string& word,
                         const std::vector<std::string>& known) {
  std::vector<std::string_view> comparable;
  for (const std::string& each : known) {
    if (each.size() <= comparable_bytes_max) {
      comparable.push_back(each);
    }
  }
  return codec::unknown_word(what, word, comparable);
}

std::string unknown_first_word(const CommandSpec& program, const std::string& word) {
  const std::vector<std::string> names = program.subcommand_names();
  if (word.starts_with('-')) {
    return fmt::format("unknown flag {}; flags stand behind the command: ringpost COMMAND {}",
                       in_quotes(word), in_quotes(word));
  }
  if (::access(word.c_str(), F_OK) == 0) {
    return fmt::format("{} is a file and no command; to send it: ringpost send -e ENDPOINT {}",
                       in_quotes(word), in_quotes(word));
  }
  return fmt::format("{}\nThe commands are {}.", unknown_word("command", word, names),
                     joined(names, ", "));
}

std::string unexpected_word(const CommandSpec& command, const std::string& word) {
  if (!word.starts_with('-') || word == "-") {
    const std::vector<std::string> names = command.subcommand_names();
    return names.empty() ? fmt::format("{} is one argument too many", in_quotes(word))
                         : unknown_word("command", word, names);
  }
  std::vector<std::string> known;
  for (const FlagSpec& flag : command.flags) {
    for (std::string& name : flag.names_in_order()) {
      if (name.starts_with("--")) {
        known.push_back(std::move(name));
      }
    }
  }
  return unknown_word("flag", word.substr(0, word.find('=')), known);
}

int usage_error(const ParsedLine& line) {
  const CommandSpec& command = *line.command;
  std::string message = line.mistake;
  if (line.unexpected) {
    message = unexpected_word(command, *line.unexpected);
  } else if (message.empty()) {
    message = fmt::format("say which: {}", joined(command.subcommand_names(), " or "));
  }
  print_error(fmt::format("{}\nSee: {} --help", message, line.path));
  return exit_usage;
}

int parse_and_run(const CommandSpec& program, std::vector<std::string> words) {
  const ParsedLine line = parse_words(program, std::move(words));
  switch (line.wanted) {
    case ParsedLine::Wanted::command:
      return line.command->run();
    case ParsedLine::Wanted::help:
      return print_data(help_of(*line.command, line.path, text_columns(STDOUT_FILENO)));
    case ParsedLine::Wanted::version:
      return print_data(fmt::format("ringpost {}\n", program_version()));
    case ParsedLine::Wanted::nothing:
      return usage_error(line);
  }
  RP_ASSERT(false);
}

int run(std::vector<std::string> words) {
  const CommandSpec program = program_spec();
  switch (first_word(program, words)) {
    case FirstWord::nothing:
      write_to_stderr(help_of(program, program.name, text_columns(STDERR_FILENO)));
      return exit_usage;
    case FirstWord::unknown:
      print_error(unknown_first_word(program, words.front()));
      return exit_usage;
    case FirstWord::help:
      words.erase(words.begin());
      words.emplace_back("--help");
      break;
    case FirstWord::command:
    case FirstWord::own_flag:
      break;
  }
  return parse_and_run(program, std::move(words));
}

// What every command has: --help, and without examples of its own those of where it belongs.
void complete_spec(CommandSpec& command, const std::string& examples) {
  command.flags.insert(command.flags.begin(), {"-h,--help", "", "This help", HelpAsked{}});
  if (command.examples.empty()) {
    command.examples = examples;
  }
}

}  // namespace

CommandSpec program_spec() {
  CommandSpec program{.name = "ringpost", .summary = program_description};
  program.flags = {{"--version", "", "The version; `ringpost version` says more", VersionAsked{}}};
  complete_spec(program, program_examples);
  for (const auto make : command_registry) {
    CommandSpec& command = program.subcommands.emplace_back(make());
    complete_spec(command, program.examples);
    for (CommandSpec& subcommand : command.subcommands) {
      complete_spec(subcommand, command.examples);
    }
  }
  return program;
}

int run_command_line(int argument_count, const char* const* arguments) noexcept {
  try {
    return run({arguments + std::min(argument_count, 1), arguments + argument_count});
  } catch (const std::exception& error) {
    print_error(error.what());
    return exit_uncategorised;
  }
}

}  // namespace ringpost::cli
