// `ringpost presets`, `ringpost presets show PRESET` and `ringpost presets learnt ENDPOINT`.
#include <memory>
#include <string>

#include "tools/presets/preset_list.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/settings/learnt_report.h"

namespace ringpost::cli {

namespace {

constexpr const char* presets_examples =
    R"(A line has the preset's name, the provider's, its host, its best port, and its limits.

Examples:
  ringpost presets
  ringpost presets show ses
  ringpost presets learnt ses)";

template <typename Text>
int print_text(const Result<Text, UsageError>& text) {
  if (!text) {
    print_error(text.error().message);
    return exit_usage;
  }
  return print_data(*text);
}

CommandSpec learnt_command() {
  const auto question = std::make_shared<LearntQuestion>();
  CommandSpec learnt{.name = "learnt",
                     .summary = "Print what was found out about an endpoint, as settings for it"};
  learnt.flags = {
      {"ENDPOINT", "", "A name of ringpost.toml, of a preset, or a URL", &question->endpoint},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &question->config},
      {"--state", "DIR", "Where counts of rates are kept", &question->state}};
  learnt.flags.front().is_required = true;
  learnt.run = [question] { return print_text(learnt_report(*question)); };
  return learnt;
}

}  // namespace

CommandSpec presets_command() {
  const auto name = std::make_shared<std::string>();
  CommandSpec show{
      .name = "show",
      .summary = "Print a preset: hosts, ports, limits, replies, and the sources of them"};
  show.flags = {{"PRESET", "", "Its name", name.get()}};
  show.flags.front().is_required = true;
  show.run = [name] { return print_text(preset_text(*name)); };
  CommandSpec command{.name = "presets", .summary = "What is known of email providers"};
  command.examples = presets_examples;
  command.run = [] { return print_text(preset_list_text()); };
  command.subcommands = {std::move(show), learnt_command()};
  return command;
}

}  // namespace ringpost::cli
