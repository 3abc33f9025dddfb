// The problem: three shells with three languages, and lists of flags that nobody keeps in step. The
// idea: each script is written from the descriptions of the commands (command_spec.h). The name of
// a value's type says what it can be: words of small letters between bars stand for themselves,
// FILE is a file; what names an endpoint or a preset is asked of the program while somebody types.
// Limits: an endpoint's name is looked for in the usual files and in RINGPOST_CONFIG, not in -c
// FILE; fish goes by the last word of a command, so two commands with the same last word share
// their flags there.
#include "tools/program/completion.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// The parts of "auto|off" that stand for themselves; "N" and "FILE" stand for something.
std::vector<std::string> words_of_type(std::string_view type) {
  std::vector<std::string> words;
  while (!type.empty()) {
    const std::size_t length = std::min(type.find('|'), type.size());
    const std::string_view word = type.substr(0, length);
    type.remove_prefix(std::min(length + 1, type.size()));
    if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos) {
      words.emplace_back(word);
    }
  }
  return words;
}

NamesOf names_of_type(std::string_view type) {
  return type == "ENDPOINT" || type == "NAME|URL" ? NamesOf::endpoints
         : type == "PRESET"                       ? NamesOf::presets
                                                  : NamesOf::nothing;
}

std::string_view word_of(NamesOf names) {
  return names == NamesOf::endpoints ? "endpoints" : "presets";
}

CompletionFlag completion_flag(const FlagSpec& flag) {
  CompletionFlag result;
  result.names = flag.names_in_order();
  result.description = flag.help;
  result.takes_value = !flag.is_switch();
  if (result.takes_value) {
    const std::string& type = flag.type;
    result.takes_file = type.find("FILE") != std::string::npos || type == "PEM" || type == "DIR";
    result.names_of = names_of_type(type);
    result.words = words_of_type(type);
  }
  return result;
}

CompletionCommand completion_command_of(const CommandSpec& spec, std::string path) {
  CompletionCommand command;
  command.path = std::move(path);
  command.description = spec.summary;
  for (const FlagSpec& flag : spec.flags) {
    if (flag.is_argument()) {
      command.takes_files = command.takes_files || flag.names == "FILE";
      command.names_of = std::max(command.names_of, names_of_type(flag.names));
    } else {
      command.flags.push_back(completion_flag(flag));
    }
  }
  command.subcommands = spec.subcommand_names();
  return command;
}

// Inside single quotes.
std::string shell_quoted(std::string_view text) {
  std::string out;
  for (const char character : text) {
    out += character == '\'' ? "'\\''" : std::string(1, character);
  }
  return out;
}

std::vector<std::string> flag_names(const CompletionCommand& command) {
  std::vector<std::string> names;
  for (const CompletionFlag& flag : command.flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

std::string last_word(const std::string& path) {
  const std::size_t space = path.rfind(' ');
  return space == std::string::npos ? path : path.substr(space + 1);
}

// What a value can be, as lines of the case statement over "COMMAND FLAG".
std::string bash_values(const CompletionCommand& command) {
  std::string out;
  for (const CompletionFlag& flag : command.flags) {
    if (!flag.takes_value) {
      continue;
    }
    std::vector<std::string> patterns;
    for (const std::string& name : flag.names) {
      patterns.push_back(fmt::format("'{} {}'", command.path, name));
    }
    std::string action = ":";
    if (flag.names_of != NamesOf::nothing) {
      action = fmt::format("_ringpost_names {}", word_of(flag.names_of));
    } else if (!flag.words.empty()) {
      action =
          fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", joined(flag.words, " "));
    } else if (flag.takes_file) {
      action = "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\"))";
    }
    out += fmt::format("    {}) {}; return ;;\n", joined(patterns, "|"), action);
  }
  return out;
}

std::string zsh_argument(const CompletionFlag& flag, const std::string& name) {
  std::string description;
  for (const char character : flag.description) {
    // They end or divide the description.
    description += character == '[' || character == ']' || character == ':'
                       ? fmt::format("\\{}", character)
                       : std::string(1, character);
  }
  std::string text = fmt::format("*{}[{}]", name, description);
  if (flag.takes_value) {
    text += ":value:";
    if (flag.names_of != NamesOf::nothing) {
      text += fmt::format("_ringpost_{}", word_of(flag.names_of));
    } else if (!flag.words.empty()) {
      text += fmt::format("({})", joined(flag.words, " "));
    } else if (flag.takes_file) {
      text += "_files";
    }
  }
  return fmt::format("'{}'", shell_quoted(text));
}

std::string fish_names(NamesOf names) {
  return fmt::format(" -a '(__ringpost_names {})'", word_of(names));
}

}  // namespace

std::vector<CompletionCommand> completion_commands(const CommandSpec& program) {
  std::vector<std::pair<const CommandSpec*, std::string>> waiting = {{&program, ""}};
  std::vector<CompletionCommand> commands;
  for (std::size_t index = 0; index < waiting.size(); ++index) {
    const auto [current, path] = waiting[index];
    commands.push_back(completion_command_of(*current, path));
    for (const CommandSpec& each : current->subcommands) {
      waiting.emplace_back(&each, path.empty() ? each.name : path + " " + each.name);
    }
  }
  return commands;
}

std::string bash_completion(const std::vector<CompletionCommand>& commands) {
  std::string known;
  std::string offers;
  std::string values;
  for (const CompletionCommand& command : commands) {
    for (const std::string& subcommand : command.subcommands) {
      const std::string path = command.path.empty() ? subcommand : command.path + " " + subcommand;
      known += fmt::format("      '{} {}') command='{}' ;;\n", command.path, subcommand, path);
    }
    offers += fmt::format("    '{}') words='{}'; flags='{}'{} ;;\n", command.path,
                          joined(command.subcommands, " "), joined(flag_names(command), " "),
                          command.names_of == NamesOf::nothing
                              ? std::string()
                              : fmt::format("; names='{}'", word_of(command.names_of)));
    values += bash_values(command);
  }
  return fmt::format(
      R"sh(# bash completion for ringpost. Load it with: source <(ringpost completion bash)
_ringpost_names() {{
  local names
  names=$("${{COMP_WORDS[0]}}" completion --names "$1" 2>/dev/null)
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}}
_ringpost() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local command='' words='' flags='' names='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; ++index)); do
    case "$command ${{COMP_WORDS[index]}}" in
{}    esac
  done
  case "$command $previous" in
{}  esac
  case "$command" in
{}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ $names ]]; then
    _ringpost_names "$names"
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}}
complete -o default -F _ringpost ringpost
)sh",
      known, values, offers);
}

std::string zsh_completion(const std::vector<CompletionCommand>& commands) {
  std::string known;
  std::string arguments;
  for (const CompletionCommand& command : commands) {
    for (const std::string& subcommand : command.subcommands) {
      const std::string path = command.path.empty() ? subcommand : command.path + " " + subcommand;
      known += fmt::format("      '{} {}') command='{}'; start=$index ;;\n", command.path,
                           subcommand, path);
    }
    arguments += fmt::format("    '{}')\n      _arguments", command.path);
    for (const CompletionFlag& flag : command.flags) {
      for (const std::string& name : flag.names) {
        arguments += " \\\n        " + zsh_argument(flag, name);
      }
    }
    if (!command.subcommands.empty()) {
      arguments += fmt::format(" \\\n        '1:command:({})'", joined(command.subcommands, " "));
    } else if (command.names_of != NamesOf::nothing) {
      arguments += fmt::format(" \\\n        '1:name:_ringpost_{}'", word_of(command.names_of));
    } else if (command.takes_files) {
      arguments += " \\\n        '*:file:_files'";
    }
    arguments += "\n      ;;\n";
  }
  return fmt::format(R"sh(#compdef ringpost
# zsh completion for ringpost. Load it with: source <(ringpost completion zsh)
_ringpost_names() {{
  local -a names
  names=(${{(f)"$($ringpost completion --names $1 2>/dev/null)"}})
  compadd -a names
}}
_ringpost_endpoints() {{ _ringpost_names endpoints }}
_ringpost_presets() {{ _ringpost_names presets }}
_ringpost() {{
  local command='' index start=1 ringpost=$words[1]
  for ((index = 2; index < CURRENT; ++index)); do
    case "$command ${{words[index]}}" in
{}    esac
  done
  # _arguments shall see the command's own words only.
  words=("${{(@)words[start,-1]}}")
  ((CURRENT -= start - 1))
  case "$command" in
{}  esac
}}
compdef _ringpost ringpost
)sh",
                     known, arguments);
}

std::string fish_completion(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "# fish completion for ringpost. Load it with: ringpost completion fish | source\n"
      "complete -c ringpost -e\n"
      "function __ringpost_names\n"
      "  set -l words (commandline -opc)\n"
      "  $words[1] completion --names $argv[1] 2>/dev/null\n"
      "end\n";
  for (const CompletionCommand& command : commands) {
    std::string condition = "__fish_use_subcommand";
    if (!command.path.empty()) {
      condition = fmt::format("__fish_seen_subcommand_from {}", last_word(command.path));
      for (const std::string& subcommand : command.subcommands) {
        condition += fmt::format("; and not __fish_seen_subcommand_from {}", subcommand);
      }
    }
    for (const std::string& subcommand : command.subcommands) {
      const auto described =
          std::find_if(commands.begin(), commands.end(), [&](const CompletionCommand& each) {
            return each.path ==
                   (command.path.empty() ? subcommand : command.path + " " + subcommand);
          });
      out += fmt::format("complete -c ringpost -n '{}' -f -a {} -d '{}'\n", condition, subcommand,
                         described == commands.end() ? "" : shell_quoted(described->description));
    }
    if (command.names_of != NamesOf::nothing) {
      out += fmt::format("complete -c ringpost -n '{}' -f{}\n", condition,
                         fish_names(command.names_of));
    }
    for (const CompletionFlag& flag : command.flags) {
      std::string line = fmt::format("complete -c ringpost -n '{}'", condition);
      for (const std::string& name : flag.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (flag.takes_value) {
        line += flag.takes_file ? " -rF" : " -x";
      }
      if (flag.names_of != NamesOf::nothing) {
        line += fish_names(flag.names_of);
      } else if (!flag.words.empty()) {
        line += fmt::format(" -a '{}'", joined(flag.words, " "));
      }
      out += fmt::format("{} -d '{}'\n", line, shell_quoted(flag.description));
    }
  }
  return out;
}

}  // namespace ringpost::cli
