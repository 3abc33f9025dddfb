#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/program/completion.h"

namespace ringpost::cli {

namespace {

constexpr const char* completion_examples = R"(Examples:
  source <(ringpost completion bash)
  ringpost completion zsh > ~/.zsh/completions/_ringpost
  ringpost completion fish > ~/.config/fish/completions/ringpost.fish)";

std::string script(const CLI::App& app, const std::string& shell) {
  const std::vector<CompletionCommand> commands = completion_commands(app);
  if (shell == "bash") {
    return bash_completion(commands);
  }
  return shell == "zsh" ? zsh_completion(commands) : fish_completion(commands);
}

}  // namespace

void add_completion_command(CLI::App& app, CommandResult& result) {
  CLI::App* const command = app.add_subcommand("completion", "A completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(completion_examples);
  command->callback([&app, shell, &result] { result.exit_code = print_data(script(app, *shell)); });
}

}  // namespace ringpost::cli
