// `ringpost presets` and `ringpost presets show NAME`.
#include <memory>
#include <string>

#include "tools/presets/preset_list.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"

namespace ringpost::cli {

namespace {

constexpr const char* presets_examples =
    R"(A line has the preset's name, the provider's, its host, its best port, and its limits.

Examples:
  ringpost presets
  ringpost presets show ses)";

template <typename Text>
int print_text(const Result<Text, UsageError>& text) {
  if (!text) {
    print_error(text.error().message);
    return exit_usage;
  }
  return print_data(*text);
}

}  // namespace

CommandSpec presets_command() {
  const auto name = std::make_shared<std::string>();
  CommandSpec show{
      .name = "show",
      .summary = "Print a preset: hosts, ports, limits, replies, and the sources of them"};
  show.flags = {{"NAME", "", "The preset's name", name.get()}};
  show.flags.front().is_required = true;
  show.run = [name] { return print_text(preset_text(*name)); };
  CommandSpec command{.name = "presets", .summary = "What is known of email providers"};
  command.examples = presets_examples;
  command.run = [] { return print_text(preset_list_text()); };
  command.subcommands = {std::move(show)};
  return command;
}

}  // namespace ringpost::cli
