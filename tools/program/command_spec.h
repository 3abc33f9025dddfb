// What a command is called, takes and does: the one description that the command line, help and
// completion read. No command knows what parses it (command_parser).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ringpost::cli {

// Where --help and --version lead: the command does not run.
struct HelpAsked {};
struct VersionAsked {};

// Parsed while the command line is read, so that a mistake shows there.
struct NumberTarget {
  std::size_t* number;
  std::size_t min;
  std::size_t max;
};

// A flag, or an argument. What `target` points to is the command's own; its run() keeps it alive.
struct FlagSpec {
  using Target = std::variant<bool*,                         // a switch
                              std::optional<std::int64_t>*,  // how often, or 0 for --quiet=false
                              std::string*,                  // one value
                              std::vector<std::string>*,     // each time one more, or all arguments
                              NumberTarget, HelpAsked, VersionAsked>;

  // "-e,--endpoint"; of an argument "FILE"; "!--no-dsn" sets its switch to false.
  std::string names;
  std::string type;  // as in the help: "auto|off|N"; empty: a switch, or an argument
  std::string help;
  Target target;
  std::string group = {};               // of the help; empty: what stands last there
  std::string usual = {};               // in brackets behind the help
  std::vector<std::string> words = {};  // the only values; empty: the command judges
  bool is_required = false;             // an argument
  bool takes_words_behind = false;      // several values at once, up to the next flag
  bool may_be_repeated = false;         // of one value, the last of which counts

  [[nodiscard]] bool is_argument() const { return names.find('-') == std::string::npos; }
  [[nodiscard]] bool is_switch() const {
    return std::holds_alternative<bool*>(target) ||
           std::holds_alternative<std::optional<std::int64_t>*>(target) ||
           std::holds_alternative<HelpAsked>(target) ||
           std::holds_alternative<VersionAsked>(target);
  }
  [[nodiscard]] bool takes_many() const {
    return std::holds_alternative<std::vector<std::string>*>(target);
  }
  // Those of a flag with their dashes, the short ones first.
  [[nodiscard]] std::vector<std::string> names_in_order() const;
};

struct CommandSpec {
  std::string name;
  std::string summary;
  std::vector<FlagSpec> flags = {};
  std::string examples = {};  // the end of the help
  // Does the work, prints its own errors to stderr (as "ringpost: ...") and returns the exit code.
  // Empty where there are subcommands of which one has to be named.
  std::function<int()> run = {};
  std::vector<CommandSpec> subcommands = {};

  [[nodiscard]] std::vector<std::string> subcommand_names() const;
};

// The value that the flag has before it is said, as its usual one.
[[nodiscard]] FlagSpec with_usual(FlagSpec flag);
[[nodiscard]] std::vector<FlagSpec> in_group(const std::string& group, std::vector<FlagSpec> flags);

}  // namespace ringpost::cli
