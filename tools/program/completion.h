// Completion scripts for shells, made from what the command line is read by, so that they cannot
// drift.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/program/command_spec.h"

namespace ringpost::cli {

// Values that are known when they are asked for alone: `ringpost completion --names` prints them.
enum class NamesOf : std::uint8_t { nothing, endpoints, presets };

struct CompletionFlag {
  std::vector<std::string> names;  // "-e", "--endpoint"
  std::string description;
  bool takes_value = false;
  std::vector<std::string> words;  // the values there are; empty: anything
  bool takes_file = false;
  NamesOf names_of = NamesOf::nothing;
};

struct CompletionCommand {
  std::string path;  // "config show"; empty: the program itself
  std::string description;
  std::vector<std::string> subcommands;  // names
  std::vector<CompletionFlag> flags;
  bool takes_files = false;
  NamesOf names_of = NamesOf::nothing;  // its argument
};

// The program first, and each command behind the one that it belongs to.
[[nodiscard]] std::vector<CompletionCommand> completion_commands(const CommandSpec& program);

[[nodiscard]] std::string bash_completion(const std::vector<CompletionCommand>& commands);
[[nodiscard]] std::string zsh_completion(const std::vector<CompletionCommand>& commands);
[[nodiscard]] std::string fish_completion(const std::vector<CompletionCommand>& commands);

}  // namespace ringpost::cli
