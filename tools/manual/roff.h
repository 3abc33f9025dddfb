// A manual page in the language of man(7).
#pragma once

#include <string>
#include <string_view>

namespace ringpost::cli {

// Text is any; what the language would read as its own is escaped. Thread: one.
class Roff {
 public:
  // `name` with its section: "ringpost-send", 1. `from`: what the page is part of, with its
  // version.
  Roff(std::string_view name, int section, std::string_view summary, std::string_view from);

  void section(std::string_view title);
  void subsection(std::string_view title);
  void paragraph(std::string_view text);
  // A term, and indented below it what it means.
  void item(std::string_view term, std::string_view text);
  // Lines that keep their ends.
  void verbatim(std::string_view text);
  // "ringpost-send(1)" and the like.
  void see_also(std::string_view names);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(std::string_view text);

  std::string text_;
};

}  // namespace ringpost::cli
