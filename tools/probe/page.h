// A page of a report: rows that are wrapped between words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace ringpost::cli {

inline constexpr std::size_t page_columns = 100;        // where nobody says less
inline constexpr std::size_t page_columns_narrow = 60;  // below that text is hardly indented
inline constexpr std::size_t page_text_column = 27;     // behind "  certificate  10000.0 ms  "

// Two figures of what is quick, and no fractions of what is slow.
[[nodiscard]] inline std::string ms_text(double ms) {
  return fmt::format("{:.{}f}", ms, ms < 1 ? 2 : ms < 100 ? 1 : 0);
}

class Page {
 public:
  explicit Page(bool color, std::size_t columns = page_columns)
      : color_(color), columns_(columns) {}

  [[nodiscard]] std::size_t columns() const { return columns_; }

  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }
  // "  label      12.3 ms  text", wrapped between words; below 0: no time.
  void row(std::string_view label, double ms, std::string_view text) {
    std::string head = ms < 0 ? fmt::format("  {:<11}", label)
                              : fmt::format("  {:<11}{:>9} ms", label, ms_text(ms));
    head.resize(std::max(head.size() + 1, page_text_column), ' ');
    wrapped(head, std::string(page_text_column, ' '), text);
  }
  // `text` behind `head`; further lines stand behind `indent`.
  void wrapped(std::string head, const std::string& wanted_indent, std::string_view text) {
    const bool is_narrow = columns_ < page_columns_narrow;
    const std::string indent = is_narrow ? std::string(4, ' ') : wanted_indent;
    if (is_narrow && head.find_first_not_of(' ') == std::string::npos) {
      head = indent;
    }
    bool is_first = !is_narrow || head == indent;
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(word.size() + 1, text.size()));
      if (!is_first && head.size() + 1 + word.size() > columns_) {
        head.erase(head.find_last_not_of(' ') + 1);
        line(head);
        head = indent;
        is_first = true;
      }
      head += is_first || (is_narrow && head.ends_with(' ')) ? "" : " ";
      head += word;
      is_first = false;
    }
    head.erase(head.find_last_not_of(' ') + 1);
    line(head);
  }
  // Whether this was not asked before.
  [[nodiscard]] bool is_new(const std::string& advice) { return said_.insert(advice).second; }
  [[nodiscard]] std::string bold(std::string_view text) const { return painted(text, "1"); }
  [[nodiscard]] std::string good(std::string_view text) const { return painted(text, "32"); }
  [[nodiscard]] std::string bad(std::string_view text) const { return painted(text, "31"); }
  [[nodiscard]] std::string faint(std::string_view text) const { return painted(text, "2"); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  [[nodiscard]] std::string painted(std::string_view text, std::string_view code) const {
    return color_ ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }

  bool color_;
  std::size_t columns_;
  std::string text_;
  std::set<std::string> said_;
};

}  // namespace ringpost::cli
