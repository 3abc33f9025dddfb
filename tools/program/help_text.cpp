// The problem: dozens of flags need groups that can be read from afar. The idea: two columns,
// wrapped between words, groups in the order in which a command lists them, and what every command
// has at the end. Limits: columns are counted in octets.
#include "tools/program/help_text.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

// Where there is room for both, texts stand beside names, else below them.
constexpr std::size_t columns_for_both = 72;

// `text` behind `line`, wrapped between words; further lines begin with so many blanks.
void append_wrapped(std::string& out, std::string line, std::string_view text,
                    std::size_t indent_columns, std::size_t columns) {
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (!is_first && line.size() + 1 + length > columns) {
      out += line + "\n";
      line.assign(indent_columns, ' ');
      is_first = true;
    }
    line += is_first ? "" : " ";
    line += text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    is_first = false;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

// `name` and `text` side by side.
void append_row(std::string& out, const std::string& name, std::string_view text,
                std::size_t columns) {
  const std::size_t name_columns = columns < columns_for_both ? 8 : 34;
  std::string line = "  " + name;
  if (line.size() >= name_columns) {
    out += line + "\n";
    line.clear();
  }
  line.resize(name_columns, ' ');
  append_wrapped(out, std::move(line), text, name_columns, columns);
}

std::string names_of(const FlagSpec& flag) {
  std::string text;
  for (const std::string& name : flag.names_in_order()) {
    const bool is_alone = text.empty() && name.starts_with("--");
    text += fmt::format("{}{}", is_alone ? "    " : text.empty() ? "" : ", ", name);
  }
  return flag.is_switch() || flag.type.empty() ? text : text + " " + flag.type;
}

std::string usage_of(const CommandSpec& command, const std::string& path) {
  std::string text = fmt::format("Usage: {}", path);
  if (!command.subcommands.empty()) {
    return text + (command.run ? " [COMMAND] [FLAGS]\n" : " COMMAND [FLAGS]\n");
  }
  text += " [FLAGS]";
  for (const FlagSpec& flag : command.flags) {
    if (flag.is_argument()) {
      const std::string word = flag.names + (flag.takes_many() ? "..." : "");
      text += flag.is_required ? " " + word : fmt::format(" [{}]", word);
    }
  }
  return text + "\n";
}

void append_group(std::string& out, std::string_view title,
                  const std::vector<const FlagSpec*>& flags, std::size_t columns) {
  if (flags.empty()) {
    return;
  }
  out += fmt::format("\n{}:\n", title);
  for (const FlagSpec* flag : flags) {
    append_row(out, flag->is_argument() ? flag->names : names_of(*flag),
               flag->usual.empty() ? flag->help : fmt::format("{} [{}]", flag->help, flag->usual),
               columns);
  }
}

// In the order in which they come; what has none, such as --help, stands last.
std::vector<std::string> groups_of(const CommandSpec& command) {
  std::vector<std::string> groups;
  for (const FlagSpec& flag : command.flags) {
    const bool is_new = std::find(groups.begin(), groups.end(), flag.group) == groups.end();
    if (!flag.group.empty() && is_new) {
      groups.push_back(flag.group);
    }
  }
  groups.emplace_back();
  return groups;
}

template <typename Wanted>
std::vector<const FlagSpec*> flags_where(const CommandSpec& command, const Wanted& wanted) {
  std::vector<const FlagSpec*> flags;
  for (const FlagSpec& flag : command.flags) {
    if (wanted(flag)) {
      flags.push_back(&flag);
    }
  }
  return flags;
}

}  // namespace

std::string help_of(const CommandSpec& command, const std::string& path, std::size_t columns) {
  std::string out;
  append_wrapped(out, {}, command.summary, 0, columns);
  out += "\n" + usage_of(command, path);
  append_group(
      out, "Arguments",
      flags_where(command,
                  [](const FlagSpec& flag) { return flag.is_argument() && !flag.help.empty(); }),
      columns);
  const std::vector<std::string> groups = groups_of(command);
  for (const std::string& group : groups) {
    append_group(out,
                 groups.size() == 1 ? "Flags"
                 : group.empty()    ? "Other"
                                    : group,
                 flags_where(command,
                             [&group](const FlagSpec& flag) {
                               return !flag.is_argument() && flag.group == group;
                             }),
                 columns);
  }
  if (!command.subcommands.empty()) {
    out += "\nCommands:\n";
    for (const CommandSpec& each : command.subcommands) {
      append_row(out, each.name, each.summary, columns);
    }
  }
  const std::string& examples = command.examples;
  return examples.empty() ? out : out + "\n" + examples + (examples.ends_with('\n') ? "" : "\n");
}

}  // namespace ringpost::cli
