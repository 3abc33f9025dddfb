#include "tools/program/help_formatter.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t name_columns = 34;

// `name` and `text` side by side, `text` wrapped between words.
void append_row(std::string& out, const std::string& name, std::string_view text) {
  std::string line = "  " + name;
  if (line.size() >= name_columns) {
    out += line + "\n";
    line.clear();
  }
  line.resize(name_columns, ' ');
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (!is_first && line.size() + 1 + length > columns_max) {
      out += line + "\n";
      line.assign(name_columns, ' ');
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

std::string names_of(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) {
    text += fmt::format("{}-{}", text.empty() ? "" : ", ", name);
  }
  for (const std::string& name : option.get_lnames()) {
    text += fmt::format("{}--{}", text.empty() ? "    " : ", ", name);
  }
  if (option.get_items_expected_max() != 0 && !option.get_type_name().empty()) {
    text += " " + option.get_type_name();
  }
  return text;
}

std::string description_of(const CLI::Option& option) {
  std::string text = option.get_description();
  if (!option.get_default_str().empty()) {
    text += fmt::format(" [{}]", option.get_default_str());
  }
  return text;
}

std::string usage_of(const CLI::App& app, const std::string& name) {
  std::string text = fmt::format("Usage: {}", name);
  if (!app.get_subcommands([](const CLI::App*) { return true; }).empty()) {
    return text + " COMMAND [FLAGS]\n";
  }
  text += " [FLAGS]";
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* each) { return each->get_positional(); })) {
    const bool many = option->get_items_expected_max() > 1;
    const std::string word = option->get_name(true) + (many ? "..." : "");
    text += option->get_required() ? " " + word : fmt::format(" [{}]", word);
  }
  return text + "\n";
}

void append_group(std::string& out, const std::string& group,
                  const std::vector<const CLI::Option*>& options) {
  if (options.empty()) {
    return;
  }
  out += fmt::format("\n{}:\n", group);
  for (const CLI::Option* option : options) {
    append_row(out, option->get_positional() ? option->get_name(true) : names_of(*option),
               description_of(*option));
  }
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode /*mode*/) const {
  std::string out = app->get_description() + "\n\n" + usage_of(*app, name);
  append_group(out, "Arguments", app->get_options([](const CLI::Option* option) {
    return option->get_positional() && !option->get_description().empty();
  }));
  std::vector<std::string> groups = app->get_groups();
  // What every command has, such as --help, stands last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "Options"; });
  for (const std::string& group : groups) {
    append_group(out,
                 groups.size() == 1   ? "Flags"
                 : group == "Options" ? "Other"
                                      : group,
                 app->get_options([&group](const CLI::Option* option) {
                   return option->nonpositional() && option->get_group() == group;
                 }));
  }
  const auto commands = app->get_subcommands([](const CLI::App*) { return true; });
  if (!commands.empty()) {
    out += "\nCommands:\n";
    for (const CLI::App* command : commands) {
      append_row(out, command->get_name(), command->get_description());
    }
  }
  const std::string footer = app->get_footer();
  return footer.empty() ? out : out + "\n" + footer + (footer.ends_with('\n') ? "" : "\n");
}

}  // namespace ringpost::cli
