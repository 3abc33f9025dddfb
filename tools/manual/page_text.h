// What a page of the manual says, before it is known in which language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringpost::cli {

class PageText {
 public:
  enum class Kind : std::uint8_t { section, subsection, paragraph, item, verbatim, see_also };
  struct Block {
    Kind kind;
    std::string term;  // of an item
    std::string text;
  };

  // `name` with its section: "ringpost-send", 1. `from`: what the page is part of, with its
  // version.
  PageText(std::string_view name, int section, std::string_view summary, std::string_view from)
      : name_(name), section_(section), summary_(summary), from_(from) {}

  void section(std::string_view title) { add(Kind::section, title); }
  void subsection(std::string_view title) { add(Kind::subsection, title); }
  void paragraph(std::string_view text) { add(Kind::paragraph, text); }
  // A term, and what it means.
  void item(std::string_view term, std::string_view text) {
    blocks_.push_back({Kind::item, std::string(term), std::string(text)});
  }
  // Lines that keep their ends.
  void verbatim(std::string_view text) { add(Kind::verbatim, text); }
  // "ringpost-send(1)" and the like.
  void see_also(std::string_view names) { add(Kind::see_also, names); }

  // For man(7).
  [[nodiscard]] std::string roff() const;
  // For docs/reference, where pages lie beside each other and are not of one version.
  [[nodiscard]] std::string markdown() const;

 private:
  void add(Kind kind, std::string_view text) { blocks_.push_back({kind, {}, std::string(text)}); }

  std::string name_;
  int section_;
  std::string summary_;
  std::string from_;
  std::vector<Block> blocks_;
};

}  // namespace ringpost::cli
