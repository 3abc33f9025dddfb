// `ringpost manual`: the pages of the manual, made when they are asked for, since only then all
// commands have been registered.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "tools/manual/manual_page.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/wording.h"
#include "tools/program/commands.h"

namespace ringpost::cli {

namespace {

constexpr const char* manual_examples = R"(Examples:
  ringpost manual ringpost-send | man -l -
  ringpost manual --directory ~/.local/share/man)";

struct ManualFlags {
  std::string page;
  std::string directory;
  bool markdown = false;

  [[nodiscard]] std::string written(const ManualPage& made) const {
    return markdown ? made.text.markdown() : made.text.roff();
  }
  // Below man1 and man5, where man looks for them; Markdown has one folder.
  [[nodiscard]] std::filesystem::path path_of(const ManualPage& made) const {
    const std::filesystem::path folder = directory;
    return markdown ? folder / (made.name + ".md")
                    : folder / fmt::format("man{}", made.section) / made.file_name();
  }
};

int write_pages(const std::vector<ManualPage>& pages, const ManualFlags& flags) {
  for (const ManualPage& page : pages) {
    const std::filesystem::path path = flags.path_of(page);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << flags.written(page);
    file.close();
    if (!file) {
      print_error(fmt::format("{}: cannot be written: {}", path.string(),
                              error ? error.message() : std::strerror(errno)));
      return exit_uncategorised;
    }
  }
  return exit_all_accepted;
}

int run_manual(const ManualFlags& flags) {
  const std::vector<ManualPage> pages = manual_pages(program_spec());
  if (!flags.directory.empty()) {
    return write_pages(pages, flags);
  }
  const auto wanted = std::find_if(pages.begin(), pages.end(), [&flags](const ManualPage& page) {
    return page.name == flags.page || page.name == "ringpost-" + flags.page;
  });
  if (!flags.page.empty() && wanted != pages.end()) {
    return print_data(flags.written(*wanted));
  }
  std::vector<std::string> names;
  std::transform(pages.begin(), pages.end(), std::back_inserter(names),
                 [](const ManualPage& page) { return page.name; });
  print_error(fmt::format("{}; the pages are {}",
                          flags.page.empty()
                              ? "which page?"
                              : fmt::format("there is no page {}", in_quotes(flags.page)),
                          joined(names, ", ")));
  return exit_usage;
}

}  // namespace

CommandSpec manual_command() {
  const auto flags = std::make_shared<ManualFlags>();
  CommandSpec command{.name = "manual", .summary = "Pages of the manual, for man"};
  command.flags = {
      {"PAGE", "", "As ringpost-send, or send; printed", &flags->page},
      {"--directory", "DIR", "Write all of them below it, in man1 and man5", &flags->directory},
      {"--markdown", "", "As Markdown, one folder for all; docs/reference is written so",
       &flags->markdown}};
  command.examples = manual_examples;
  command.run = [flags] { return run_manual(*flags); };
  return command;
}

}  // namespace ringpost::cli
