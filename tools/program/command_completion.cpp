// `ringpost completion`. The script is made when it is asked for, since only then all commands have
// been registered; how it is written for each shell stands in completion.cpp.
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/presets/preset_list.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"
#include "tools/program/completion.h"
#include "tools/settings/config_file.h"

namespace ringpost::cli {

namespace {

constexpr const char* completion_examples = R"(Examples:
  source <(ringpost completion bash)
  ringpost completion zsh > ~/.zsh/completions/_ringpost
  ringpost completion fish > ~/.config/fish/completions/ringpost.fish)";

std::string script(const std::string& shell) {
  const std::vector<CompletionCommand> commands = completion_commands(program_spec());
  if (shell == "bash") {
    return bash_completion(commands);
  }
  return shell == "zsh" ? zsh_completion(commands) : fish_completion(commands);
}

// A line for each. A configuration that cannot be read has no names: whoever completes a word is
// told of that by the command itself.
std::string names_text(const std::string& names) {
  std::set<std::string, std::less<>> all;
  for (const std::string_view preset : preset_names()) {
    all.emplace(preset);
  }
  if (names == "endpoints") {
    const char* const variable = std::getenv("RINGPOST_CONFIG");
    if (const auto configuration = load_configuration(variable == nullptr ? "" : variable)) {
      for (const auto& [name, settings] : configuration->endpoints) {
        all.insert(name);
      }
    }
  }
  return joined(all, "\n") + "\n";
}

struct CompletionFlags {
  std::string shell;
  std::string names;
};

int run_completion(const CompletionFlags& flags) {
  if (flags.shell.empty() == flags.names.empty()) {
    print_error(flags.shell.empty() ? "for which shell? There are bash, zsh and fish\n"
                                      "See: ringpost completion --help"
                                    : "--names prints names and no script: leave SHELL out");
    return exit_usage;
  }
  return print_data(flags.names.empty() ? script(flags.shell) : names_text(flags.names));
}

}  // namespace

CommandSpec completion_command() {
  const auto flags = std::make_shared<CompletionFlags>();
  CommandSpec command{.name = "completion", .summary = "A completion script for a shell"};
  command.flags = {
      {"SHELL", "", "bash, zsh or fish", &flags->shell},
      {"--names", "endpoints|presets",
       "Print the names that the scripts ask for: of ringpost.toml and of presets", &flags->names}};
  command.flags[0].words = {"bash", "zsh", "fish"};
  command.flags[1].words = {"endpoints", "presets"};
  command.examples = completion_examples;
  command.run = [flags] { return run_completion(*flags); };
  return command;
}

}  // namespace ringpost::cli
