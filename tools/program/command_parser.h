// Words become the values of flags. The only place that knows CLI11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/program/command_spec.h"

namespace ringpost::cli {

struct ParsedLine {
  enum class Wanted : std::uint8_t {
    command,  // its flags have their values
    help,
    version,
    nothing,  // it cannot be understood
  };
  Wanted wanted = Wanted::nothing;
  const CommandSpec* command =
      nullptr;       // the innermost that was named; the program itself, if none
  std::string path;  // its name: "ringpost config show"
  // One of these, or neither where a subcommand is missing.
  std::string mistake;
  std::optional<std::string> unexpected;  // the first word that was
};

// `program` outlives the result. `words` are those behind the program's name.
[[nodiscard]] ParsedLine parse_words(const CommandSpec& program, std::vector<std::string> words);

}  // namespace ringpost::cli
