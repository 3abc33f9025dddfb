// The problem: CLI11 throws, writes into what its caller owns, and its exceptions do not say which
// subcommand they came from. The idea: an app of CLI11 is built from the description for one
// command line and dies here, exceptions become a value, and the path of subcommands is followed
// again in the description. Limits: only the first mistake is told, in CLI11's words unless a word
// was too many.
#include "tools/program/command_parser.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

namespace ringpost::cli {

namespace {

// What was counted of a switch, until it is known whether the switch was there at all.
struct Count {
  std::int64_t times = 0;
  const CLI::Option* option = nullptr;
  std::optional<std::int64_t>* target = nullptr;
};

// Adds one flag, in the way that its target asks for. Nullptr: it is the app's own.
class FlagAdder {
 public:
  FlagAdder(CLI::App& app, const FlagSpec& flag, std::deque<Count>& counts)
      : app_(app), flag_(flag), counts_(counts) {}

  CLI::Option* operator()(bool* target) { return app_.add_flag(flag_.names, *target, flag_.help); }
  CLI::Option* operator()(std::optional<std::int64_t>* target) {
    Count& count = counts_.emplace_back();
    count.target = target;
    CLI::Option* const option = app_.add_flag(flag_.names, count.times, flag_.help);
    count.option = option;
    return option;
  }
  CLI::Option* operator()(std::string* target) {
    CLI::Option* const option = app_.add_option(flag_.names, *target, flag_.help);
    return flag_.may_be_repeated ? option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
                                 : option;
  }
  // One value each time, or a flag would swallow the arguments behind it.
  CLI::Option* operator()(std::vector<std::string>* target) {
    CLI::Option* const option = app_.add_option(flag_.names, *target, flag_.help);
    if (!flag_.is_argument()) {
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->expected(1);
      option->allow_extra_args(flag_.takes_words_behind);
    }
    return option;
  }
  CLI::Option* operator()(const NumberTarget& target) {
    return app_.add_option(flag_.names, *target.number, flag_.help)
        ->check(CLI::Range(target.min, target.max).description(""));
  }
  CLI::Option* operator()(HelpAsked /*asked*/) {
    app_.set_help_flag(flag_.names, flag_.help);
    return nullptr;
  }
  CLI::Option* operator()(VersionAsked /*asked*/) {
    app_.set_version_flag(flag_.names, std::string(), flag_.help);
    return nullptr;
  }

 private:
  CLI::App& app_;
  const FlagSpec& flag_;
  std::deque<Count>& counts_;
};

void add_flags(CLI::App& app, const CommandSpec& command, std::deque<Count>& counts) {
  for (const FlagSpec& flag : command.flags) {
    CLI::Option* const option = std::visit(FlagAdder(app, flag, counts), flag.target);
    if (option == nullptr) {
      continue;
    }
    if (!flag.is_switch()) {
      option->type_name(flag.type);
    }
    if (flag.is_required) {
      option->required();
    }
    if (!flag.words.empty()) {
      option->check(CLI::IsMember(flag.words).description(""));
    }
  }
}

// Level by level: commands are few, and each knows its own.
void add_commands(CLI::App& app, const CommandSpec& program, std::deque<Count>& counts) {
  std::vector<std::pair<CLI::App*, const CommandSpec*>> waiting = {{&app, &program}};
  for (std::size_t index = 0; index < waiting.size(); ++index) {
    const auto [current, command] = waiting[index];
    add_flags(*current, *command, counts);
    if (!command->subcommands.empty()) {
      current->require_subcommand(command->run ? 0 : 1, 1);
    }
    for (const CommandSpec& each : command->subcommands) {
      waiting.emplace_back(current->add_subcommand(each.name, each.summary), &each);
    }
  }
}

// Follows the words that were taken as commands to the innermost, or with `stop_at_extra` to the
// first one that was told a word too many.
void follow(const CLI::App& app, const CommandSpec& program, bool stop_at_extra,
            ParsedLine& result) {
  const CLI::App* current = &app;
  result.command = &program;
  result.path = program.name;
  for (auto chosen = app.get_subcommands();
       !chosen.empty() && !(stop_at_extra && current->remaining_size() > 0);
       chosen = current->get_subcommands()) {
    current = chosen.front();
    const auto& commands = result.command->subcommands;
    result.command = &*std::find_if(
        commands.begin(), commands.end(),
        [current](const CommandSpec& each) { return each.name == current->get_name(); });
    result.path += " " + result.command->name;
  }
  // Of a command that has some and does nothing itself, what went wrong is that none of them was
  // named.
  if (stop_at_extra || (!result.command->subcommands.empty() && !result.command->run)) {
    result.mistake.clear();
    const std::vector<std::string> remaining = current->remaining();
    if (!remaining.empty()) {
      result.unexpected = remaining.front();
    }
  }
}

}  // namespace

ParsedLine parse_words(const CommandSpec& program, std::vector<std::string> words) {
  CLI::App app(program.summary, program.name);
  std::deque<Count> counts;  // CLI11 keeps references into it
  add_commands(app, program, counts);
  // CLI11 takes them from the back.
  std::reverse(words.begin(), words.end());
  ParsedLine result;
  bool is_extra = false;
  try {
    app.parse(std::move(words));
    result.wanted = ParsedLine::Wanted::command;
  } catch (const CLI::CallForHelp&) {
    result.wanted = ParsedLine::Wanted::help;
  } catch (const CLI::CallForVersion&) {
    result.wanted = ParsedLine::Wanted::version;
  } catch (const CLI::ParseError& error) {
    is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    result.mistake = error.what();
  }
  follow(app, program, is_extra, result);
  for (const Count& count : counts) {
    if (count.option->count() > 0) {
      *count.target = count.times;
    }
  }
  return result;
}

}  // namespace ringpost::cli
