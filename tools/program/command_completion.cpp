// `ringpost completion`. The script is made when it is asked for, since only then all commands have
// been registered; how it is written for each shell stands in completion.cpp.
#include <memory>
#include <string>
#include <vector>

#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/program/completion.h"

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

}  // namespace

CommandSpec completion_command() {
  const auto shell = std::make_shared<std::string>();
  CommandSpec command{.name = "completion", .summary = "A completion script for a shell"};
  command.flags = {{"SHELL", "", "bash, zsh or fish", shell.get()}};
  command.flags.front().words = {"bash", "zsh", "fish"};
  command.flags.front().is_required = true;
  command.examples = completion_examples;
  command.run = [shell] { return print_data(script(*shell)); };
  return command;
}

}  // namespace ringpost::cli
