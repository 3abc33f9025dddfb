// What the pages of a report are put together from.
#pragma once

#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::cli {

// Empty where the program was built without it: uPlot's may be.
[[nodiscard]] Bytes part_named(std::string_view name);
[[nodiscard]] std::string in_html(Bytes text);
// Puts `text` where the page has a comment of that name.
void fill_in(std::string& page, std::string_view name, std::string_view text);
// uPlot with its licence, and the styles of both.
[[nodiscard]] std::string uplot_script();
[[nodiscard]] std::string page_style();
// What draws a page's charts: the part of that name, behind what all pages draw with.
[[nodiscard]] std::string chart_script(std::string_view part);

}  // namespace ringpost::cli
