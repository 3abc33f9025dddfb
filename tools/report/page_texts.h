// The parts of a report's page, as they were when the program was built.
#pragma once

#include <span>
#include <string_view>

namespace ringpost::cli {

struct PageText {
  std::string_view name;  // the file's, without its suffix
  std::string_view text;
};

// page, style, charts, script, bench_page, bench_script, uplot, uplot_style, uplot_licence.
[[nodiscard]] std::span<const PageText> page_texts();

}  // namespace ringpost::cli
