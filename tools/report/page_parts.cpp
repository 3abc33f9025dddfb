// Everything that stands in a page goes through here: what strangers have said is escaped, and
// parts are put in the place of comments, so that a page is a file that an editor shows as it is.
#include "tools/report/page_parts.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/template/mustache.h"
#include "tools/process/wording.h"
#include "tools/report/page_texts.h"

namespace ringpost::cli {

Bytes part_named(std::string_view name) {
  const auto parts = page_texts();
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [name](const PageText& part) { return part.name == name; });
  return found == parts.end() ? Bytes() : found->text;
}

std::string in_html(Bytes text) {
  std::string out;
  codec::append_html_escaped(out, printable(text));
  return out;
}

void fill_in(std::string& page, std::string_view name, std::string_view text) {
  const std::string mark = fmt::format("<!--{}-->", name);
  const std::size_t at = page.find(mark);
  RP_ASSERT(at != std::string::npos);
  page.replace(at, mark.size(), text);
}

std::string uplot_script() {
  return fmt::format("<script>/*\n{}*/\n{}</script>", part_named("uplot_licence"),
                     part_named("uplot"));
}

std::string page_style() {
  return fmt::format("<style>{}\n{}</style>", part_named("uplot_style"), part_named("style"));
}

std::string chart_script(std::string_view part) {
  return fmt::format("<script>'use strict';\n{{\n{}\n{}}}</script>", part_named("charts"),
                     part_named(part));
}

}  // namespace ringpost::cli
