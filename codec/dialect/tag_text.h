// Variables as services write them, into templates as codec/template/mustache.h has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// A template that is being written: text stays text, whatever braces it has.
class TemplateText {
 public:
  void add_literal(Bytes text) { pending_ += text; }
  void add_value(Bytes name, bool is_escaped);
  // A tag whose sigil says what it is: `#`, `^`, `/`.
  void add_tag(char sigil, Bytes name);
  [[nodiscard]] bool has_tags() const { return has_tags_; }
  [[nodiscard]] std::string take();

 private:
  void flush(bool tag_follows);

  std::string text_;
  std::string pending_;
  bool has_tags_ = false;
};

// Texts that stand for values wherever they occur, as `-name-` or `%name%`: the longest of those
// that begin at a place, from left to right. What a value brings is not looked at again.
class LiteralTags {
 public:
  // Numbers them from 0. Precondition: not empty, and not added before.
  void add(Bytes tag);
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool occur_in(Bytes text) const;

  // Calls `literal(text)` and `tag(number)` in their order.
  template <typename Literal, typename Tag>
  void walk(Bytes text, Literal literal, Tag tag) const {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const Entry* const found = longest_at(text.substr(at));
      if (found == nullptr) {
        ++at;
        continue;
      }
      literal(text.substr(begin, at - begin));
      tag(found->number);
      at += found->text.size();
      begin = at;
    }
    literal(text.substr(begin));
  }

 private:
  struct Entry {
    std::string text;
    std::size_t number = 0;
  };
  [[nodiscard]] const Entry* longest_at(Bytes text) const;

  std::vector<std::vector<Entry>> by_first_octet_{256};
  std::size_t count_ = 0;
};

// What may stand within `{{` and `}}`.
enum class BraceSyntax : std::uint8_t {
  jinja,       // MiniJinja: {{ a.b }}, {{ a | safe }}, {{ a | default("x") }}
  handlebars,  // {{a.b}}, {{{a}}}, {{!...}}
  mustachio,   // the same, and {{#a}}, {{^a}}, {{#each a}}, {{/a}}, {{.}}
};

// On error the reason for people, with the tag that is to blame.
[[nodiscard]] Result<std::string, std::string> brace_template(Bytes text, BraceSyntax syntax);

}  // namespace ringpost::codec
