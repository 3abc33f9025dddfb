// The pages of the manual.
#pragma once

#include <string>
#include <vector>

#include "tools/manual/page_text.h"
#include "tools/program/command_spec.h"

namespace ringpost::cli {

struct ManualPage {
  std::string name;  // "ringpost-send"
  int section = 1;
  PageText text;

  // "ringpost-send.1"
  [[nodiscard]] std::string file_name() const;
};

// ringpost(1), one for each command, and ringpost-jobs(5), ringpost-outcomes(5), ringpost.toml(5):
// from the same tables as --help, the schemas and the readers.
[[nodiscard]] std::vector<ManualPage> manual_pages(const CommandSpec& program);

// Of command_pages.cpp and of file_pages.cpp.
[[nodiscard]] std::vector<ManualPage> command_pages(const CommandSpec& program);
[[nodiscard]] std::vector<ManualPage> file_pages();

}  // namespace ringpost::cli
