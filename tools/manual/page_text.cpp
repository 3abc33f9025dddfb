// The problem: a terminal and a browser show the same page in two languages, and two texts of it
// would drift. The idea: the blocks of a page are said again in each. Limits: in Markdown items are
// rows of a table, so that hundreds of them can be looked through, and what every command shares
// stands on one page to which the others lead.
#include "tools/manual/page_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/manual/roff.h"
#include <ringpost/base.h>

namespace ringpost::cli {

namespace {

using Kind = PageText::Kind;

constexpr std::string_view overview_name = "ringpost";
constexpr std::string_view shared_section = "EXIT STATUS";

// Of what Markdown and HTML would read as their own.
std::string in_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' || c == '<' || c == '*' ? fmt::format("\\{}", c) : std::string(1, c);
  }
  return out;
}

// In code marks nothing but the end of a table's cell is read.
std::string in_code_marks(std::string_view text) {
  std::string out = "`";
  for (const char c : text) {
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return out + "`";
}

// "EXIT STATUS" to "Exit status"; words that are names of something stay as they are.
std::string title_text(std::string_view title) {
  std::string out;
  for (std::size_t at = 0; at < title.size();) {
    const std::size_t end = std::min(title.find(' ', at), title.size());
    std::string word(title.substr(at, end - at));
    const bool is_plain = std::all_of(word.begin(), word.end(),
                                      [](char c) { return (c >= 'A' && c <= 'Z') || c == '\''; });
    if (is_plain) {
      std::transform(word.begin() + (at == 0 ? 1 : 0), word.end(), word.begin() + (at == 0 ? 1 : 0),
                     [](char c) { return c == '\'' ? c : static_cast<char>(c - 'A' + 'a'); });
    }
    out += (at == 0 ? "" : " ") + word;
    at = end + 1;
  }
  return out;
}

// "ringpost-send(1), ringpost.toml(5)" as links.
std::string links(std::string_view names) {
  std::string out;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(", "), names.size());
    const std::string_view name = names.substr(0, std::min(names.find('('), end));
    out += fmt::format("{}[{}]({}.md)", out.empty() ? "" : ", ", name, name);
    names.remove_prefix(std::min(end + 2, names.size()));
  }
  return out;
}

std::string block_text(const PageText::Block& block, bool begins_table) {
  switch (block.kind) {
    case Kind::section:
      return fmt::format("\n## {}\n", title_text(block.text));
    case Kind::subsection:
      return fmt::format("\n### {}\n", block.text);
    case Kind::paragraph:
      return fmt::format("\n{}\n", in_markdown(block.text));
    case Kind::item:
      return fmt::format("{}| {} | {} |\n", begins_table ? "\n| | |\n|---|---|\n" : "",
                         in_code_marks(block.term), in_markdown(block.text));
    case Kind::verbatim:
      return block.text.empty() ? std::string()
                                : fmt::format("\n```text\n{}{}```\n", block.text,
                                              block.text.ends_with('\n') ? "" : "\n");
    case Kind::see_also:
      return fmt::format("\nSee also {}.\n", links(block.text));
  }
  RP_ASSERT(false);
}

}  // namespace

std::string PageText::roff() const {
  Roff page(name_, section_, summary_, from_);
  for (const Block& block : blocks_) {
    switch (block.kind) {
      case Kind::section:
        page.section(block.text);
        break;
      case Kind::subsection:
        page.subsection(block.text);
        break;
      case Kind::paragraph:
        page.paragraph(block.text);
        break;
      case Kind::item:
        page.item(block.term, block.text);
        break;
      case Kind::verbatim:
        page.verbatim(block.text);
        break;
      case Kind::see_also:
        page.see_also(block.text);
        break;
    }
  }
  return page.text();
}

std::string PageText::markdown() const {
  std::string out = fmt::format("<!-- ringpost manual --markdown {} -->\n# {}\n\n{}\n", name_,
                                name_, in_markdown(summary_));
  bool is_left_out = false;
  const Block* before = nullptr;
  for (const Block& block : blocks_) {
    if (block.kind == Kind::section || block.kind == Kind::see_also) {
      is_left_out =
          block.kind == Kind::section && block.text == shared_section && name_ != overview_name;
      out += is_left_out ? "\nExit codes are [those of every command](ringpost.md#exit-status).\n"
                         : "";
    }
    if (!is_left_out) {
      out += block_text(block, before == nullptr || before->kind != Kind::item);
    }
    before = &block;
  }
  return out;
}

}  // namespace ringpost::cli
