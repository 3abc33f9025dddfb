#include "tools/program/command_line.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "codec/text/spelling.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/program_version.h"
#include "tools/process/standard_output.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/program/help_formatter.h"

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

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// What is not to be parsed by CLI11 as it stands.
enum class FirstWord { command, own_flag, help, nothing, unknown };

FirstWord first_word(const CLI::App& app, const std::vector<std::string>& words) {
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
  const std::vector<std::string> names = command_names(app);
  const bool is_command = std::find(names.begin(), names.end(), word) != names.end();
  return is_command ? FirstWord::command : FirstWord::unknown;
}

void add_commands(CLI::App& app, CommandResult& result) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "This help");
  app.set_version_flag("--version", fmt::format("ringpost {}", program_version()),
                       "The version; `ringpost version` says more");
  app.require_subcommand(1);
  app.footer(program_examples);
  for (const auto add : command_registry) {
    add(app, result);
  }
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

std::string unknown_first_word(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = command_names(app);
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

// "config show", the words behind the program's name that were taken as commands.
std::string command_path(const CLI::App& app, const CLI::App** innermost) {
  std::string path;
  *innermost = &app;
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = chosen.front()->get_subcommands()) {
    *innermost = chosen.front();
    path += " " + (*innermost)->get_name();
  }
  return path;
}

std::string unexpected_word(const CLI::App& command) {
  const std::vector<std::string> remaining = command.remaining();
  const std::string word = remaining.empty() ? "" : remaining.front();
  if (!word.starts_with('-') || word == "-") {
    const std::vector<std::string> names = command_names(command);
    return names.empty() ? fmt::format("{} is one argument too many", in_quotes(word))
                         : unknown_word("command", word, names);
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      known.push_back("--" + name);
    }
  }
  return unknown_word("flag", word.substr(0, word.find('=')), known);
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* innermost = nullptr;
  const std::string path = command_path(app, &innermost);
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  std::string message = is_extra ? unexpected_word(*innermost) : error.what();
  if (innermost->get_require_subcommand_min() > 0) {
    const std::vector<std::string> remaining = innermost->remaining();
    message = remaining.empty()
                  ? fmt::format("say which: {}", joined(command_names(*innermost), " or "))
                  : unexpected_word(*innermost);
  }
  print_error(fmt::format("{}\nSee: ringpost{} --help", message, path));
  return exit_usage;
}

int parse_and_run(CLI::App& app, std::vector<std::string> words, const CommandResult& result) {
  // CLI11 takes them from the back.
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
    return result.exit_code;
  } catch (const CLI::CallForHelp&) {
    return print_data(app.help());
  } catch (const CLI::CallForVersion& version) {
    return print_data(fmt::format("{}\n", version.what()));
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
}

int run(std::vector<std::string> words) {
  CLI::App app(program_description, "ringpost");
  CommandResult result;
  add_commands(app, result);
  switch (first_word(app, words)) {
    case FirstWord::nothing:
      write_to_stderr(app.help());
      return exit_usage;
    case FirstWord::unknown:
      print_error(unknown_first_word(app, words.front()));
      return exit_usage;
    case FirstWord::help:
      words.erase(words.begin());
      words.emplace_back("--help");
      break;
    case FirstWord::command:
    case FirstWord::own_flag:
      break;
  }
  return parse_and_run(app, std::move(words), result);
}

}  // namespace

int run_command_line(int argument_count, const char* const* arguments) noexcept {
  try {
    return run({arguments + std::min(argument_count, 1), arguments + argument_count});
  } catch (const std::exception& error) {
    print_error(error.what());
    return exit_uncategorised;
  }
}

}  // namespace ringpost::cli
