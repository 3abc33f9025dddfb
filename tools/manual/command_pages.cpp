// The problem: a page that is written beside the program says what the program did last year. The
// idea: a page is its command's description, as --help has it, with what every command shares:
// where settings come from and what exit codes mean. Limits: sentences stand in the examples of a
// command, above their first line, as in --help.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/manual/manual_page.h"
#include "tools/process/program_version.h"

namespace ringpost::cli {

namespace {

struct CodeRow {
  int code;
  const char* meaning;
};
// docs/CONTRACT.md section 1.
constexpr CodeRow code_rows[] = {
    {0, "All were accepted, or what was asked for was done"},
    {1, "Something uncategorised"},
    {2, "Usage or configuration"},
    {3, "Invalid input lines"},
    {4, "Some were rejected"},
    {5, "Some are deferred, expired or unsent: running again helps"},
    {6, "Some are unknown, which needs a decision"},
    {7, "No usable endpoint: DNS, TLS, authentication"},
    {11, "Outcomes or journal could not be written"},
    {129, "Stopped by SIGHUP; 130 by SIGINT, 143 by SIGTERM"},
};

std::string version_words() { return fmt::format("ringpost {}", program_version()); }

std::string term_of(const FlagSpec& flag) {
  std::string term;
  for (const std::string& name : flag.names_in_order()) {
    term += (term.empty() ? "" : ", ") + name;
  }
  return flag.is_switch() || flag.type.empty() ? term : term + " " + flag.type;
}

std::string help_words(const FlagSpec& flag) {
  return flag.usual.empty() ? flag.help : fmt::format("{} [{}]", flag.help, flag.usual);
}

void add_synopsis(PageText& page, const CommandSpec& command, const std::string& path) {
  page.section("SYNOPSIS");
  std::string text = path;
  if (!command.subcommands.empty()) {
    text += command.run ? " [COMMAND]" : " COMMAND";
  }
  text += " [FLAGS]";
  for (const FlagSpec& flag : command.flags) {
    if (flag.is_argument()) {
      const std::string word = flag.names + (flag.takes_many() ? "..." : "");
      text += flag.is_required ? " " + word : fmt::format(" [{}]", word);
    }
  }
  page.verbatim(text);
}

void add_flags(PageText& page, const CommandSpec& command) {
  const auto add_where = [&page, &command](std::string_view title, const auto& is_wanted) {
    if (std::none_of(command.flags.begin(), command.flags.end(), is_wanted)) {
      return;
    }
    page.subsection(title);
    for (const FlagSpec& flag : command.flags) {
      if (is_wanted(flag)) {
        page.item(flag.is_argument() ? flag.names : term_of(flag), help_words(flag));
      }
    }
  };
  page.section("OPTIONS");
  add_where("Arguments", [](const FlagSpec& flag) { return flag.is_argument(); });
  std::vector<std::string> groups;
  for (const FlagSpec& flag : command.flags) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return !group.empty(); });
  for (const std::string& group : groups) {
    add_where(group.empty() ? "Flags" : group, [&group](const FlagSpec& flag) {
      return !flag.is_argument() && flag.group == group;
    });
  }
}

void add_codes(PageText& page) {
  page.section("EXIT STATUS");
  for (const CodeRow& row : code_rows) {
    page.item(std::to_string(row.code), row.meaning);
  }
}

void add_subcommands(PageText& page, const CommandSpec& command, const std::string& path) {
  for (const CommandSpec& each : command.subcommands) {
    page.section(path + " " + each.name);
    page.paragraph(each.summary);
    for (const FlagSpec& flag : each.flags) {
      page.item(flag.is_argument() ? flag.names : term_of(flag), help_words(flag));
    }
  }
}

ManualPage page_of(const CommandSpec& command) {
  const std::string path = "ringpost " + command.name;
  const std::string name = "ringpost-" + command.name;
  PageText page(name, 1, command.summary, version_words());
  add_synopsis(page, command, path);
  add_flags(page, command);
  add_subcommands(page, command, path);
  page.section("NOTES AND EXAMPLES");
  page.verbatim(command.examples);
  add_codes(page);
  page.see_also("ringpost(1), ringpost-jobs(5), ringpost-outcomes(5), ringpost.toml(5)");
  return {.name = name, .text = std::move(page)};
}

ManualPage overview(const CommandSpec& program) {
  PageText page("ringpost", 1, program.summary, version_words());
  add_synopsis(page, program, "ringpost");
  page.section("COMMANDS");
  for (const CommandSpec& command : program.subcommands) {
    page.item(fmt::format("ringpost-{}(1)", command.name), command.summary);
  }
  add_flags(page, program);
  page.section("ENVIRONMENT");
  page.paragraph(
      "Each flag of a command that reads settings is also RINGPOST_ and its name in capitals, with "
      "underscores. RINGPOST_PASSWORD is the password of the endpoint, "
      "RINGPOST_ENDPOINT_NAME_PASSWORD that of the one called NAME.");
  page.section("FILES");
  page.paragraph(
      "./ringpost.toml, then ~/.config/ringpost/ringpost.toml, then "
      "/etc/ringpost/ringpost.toml: see ringpost.toml(5). Flags come before the "
      "environment, which comes before files.");
  page.section("EXAMPLES");
  page.verbatim(program.examples);
  add_codes(page);
  page.see_also("ringpost-jobs(5), ringpost-outcomes(5), ringpost.toml(5)");
  return {.name = "ringpost", .text = std::move(page)};
}

}  // namespace

std::string ManualPage::file_name() const { return fmt::format("{}.{}", name, section); }

std::vector<ManualPage> command_pages(const CommandSpec& program) {
  std::vector<ManualPage> pages{overview(program)};
  std::transform(program.subcommands.begin(), program.subcommands.end(), std::back_inserter(pages),
                 page_of);
  return pages;
}

std::vector<ManualPage> manual_pages(const CommandSpec& program) {
  std::vector<ManualPage> pages = command_pages(program);
  for (ManualPage& page : file_pages()) {
    pages.push_back(std::move(page));
  }
  return pages;
}

}  // namespace ringpost::cli
