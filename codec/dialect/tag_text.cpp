// The problem: each service has a template language of its own, and all of them agree on what most
// people use: a name that stands for a value. The idea: that much is translated tag by tag, and
// everything else is named and refused, since a message that is nearly right is worse than none.
// Limits: helpers, expressions, loops and conditions cannot be had, but for Postmark's sections.
#include "codec/dialect/tag_text.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "codec/dialect/service_message.h"
#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

constexpr Bytes brace_tag_blanks = " \t\r\n";
constexpr std::size_t shown_tag_bytes_max = 80;

Bytes within_blanks(Bytes text) {
  const std::size_t begin = text.find_first_not_of(brace_tag_blanks);
  return begin == Bytes::npos
             ? Bytes{}
             : text.substr(begin, text.find_last_not_of(brace_tag_blanks) - begin + 1);
}

bool is_name_octet(char character) {
  const auto octet = static_cast<std::uint8_t>(character);
  return is_digit(character) || (octet | 0x20U) - 'a' < 26U || character == '_' ||
         character == '-' || octet >= 0x80;
}

// Names with dots between them.
bool is_path(Bytes text) {
  std::size_t part_bytes = 0;
  for (const char character : text) {
    if (character == '.') {
      if (part_bytes == 0) {
        return false;
      }
      part_bytes = 0;
    } else if (is_name_octet(character)) {
      ++part_bytes;
    } else {
      return false;
    }
  }
  return part_bytes > 0;
}

class BraceReader {
 public:
  BraceReader(Bytes text, BraceSyntax syntax) : rest_(text), syntax_(syntax) {}

  Result<std::string, std::string> run() {
    while (!rest_.empty() && refusal_.empty()) {
      const std::size_t open = find_open();
      out_.add_literal(rest_.substr(0, open));
      rest_.remove_prefix(open);
      if (!rest_.empty()) {
        take_tag();
      }
    }
    if (!refusal_.empty()) {
      return Failure(std::move(refusal_));
    }
    if (!open_sections_.empty()) {
      return Failure(fmt::format("{{{{#{}}}}} is not closed", shown(open_sections_.back())));
    }
    return out_.take();
  }

 private:
  std::size_t find_open() const {
    std::size_t open = std::min(rest_.find("{{"), rest_.size());
    if (syntax_ == BraceSyntax::jinja) {
      open = std::min({open, rest_.find("{%"), rest_.find("{#")});
    }
    return open;
  }

  static std::string shown(Bytes tag) {
    std::string text(utf8_prefix(tag, shown_tag_bytes_max));
    return text.size() < tag.size() ? text + "..." : text;
  }

  void refuse(Bytes tag, std::string_view why) {
    if (refusal_.empty()) {
      refusal_ = fmt::format("{}: {}", shown(tag), why);
    }
  }

  void take_tag() {
    if (rest_[1] != '{') {
      return refuse(rest_.substr(0, rest_.find('}') + 1),
                    "statements and comments cannot be had, names of values can");
    }
    const bool is_triple = syntax_ != BraceSyntax::jinja && rest_.starts_with("{{{");
    const Bytes closing = is_triple ? "}}}" : "}}";
    if (syntax_ == BraceSyntax::handlebars && rest_.starts_with("{{!--")) {
      return skip_to("--}}");
    }
    const std::size_t begin = closing.size();
    const std::size_t end = rest_.find(closing, begin);
    if (end == Bytes::npos) {
      return refuse(rest_, "this tag does not end");
    }
    const Bytes tag = rest_.substr(0, end + closing.size());
    const Bytes content = within_blanks(rest_.substr(begin, end - begin));
    rest_.remove_prefix(tag.size());
    if (is_triple) {
      return add_value(tag, content, false);
    }
    syntax_ == BraceSyntax::jinja ? take_jinja(tag, content) : take_plain(tag, content);
  }

  void skip_to(Bytes end) {
    const std::size_t at = rest_.find(end);
    if (at == Bytes::npos) {
      return refuse(rest_, "this comment does not end");
    }
    rest_.remove_prefix(at + end.size());
  }

  void add_value(Bytes tag, Bytes name, bool is_escaped) {
    const bool is_item = name == "." && syntax_ == BraceSyntax::mustachio;
    if (!is_item && !is_path(name)) {
      return refuse(tag, "only names of values can be had, no helpers and no expressions");
    }
    out_.add_value(name, is_escaped);
  }

  // ---- Handlebars, Mustachio --------------------------------------------------------------------

  void take_plain(Bytes tag, Bytes content) {
    const char sigil = content.empty() ? '\0' : content.front();
    const Bytes rest = within_blanks(content.substr(std::min<std::size_t>(1, content.size())));
    if (sigil == '!') {
      return;
    }
    if (sigil == '&') {
      return add_value(tag, rest, false);
    }
    if (syntax_ == BraceSyntax::mustachio && Bytes("#^/").find(sigil) != Bytes::npos) {
      return take_section(tag, sigil, rest);
    }
    add_value(tag, content, true);
  }

  void take_section(Bytes tag, char sigil, Bytes name) {
    constexpr Bytes each = "each ";
    if (sigil == '/') {
      return close_section(tag, name);
    }
    const bool is_each = sigil == '#' && name.starts_with(each);
    const Bytes of = is_each ? within_blanks(name.substr(each.size())) : name;
    if (of != "." && !is_path(of)) {
      return refuse(tag, "a section is of the name of a value");
    }
    open_sections_.emplace_back(of);
    closing_words_.emplace_back(is_each ? Bytes("each") : of);
    out_.add_tag(sigil, of);
  }

  void close_section(Bytes tag, Bytes name) {
    if (open_sections_.empty() ||
        (name != closing_words_.back() && name != open_sections_.back())) {
      return refuse(tag, "no such section is open");
    }
    out_.add_tag('/', open_sections_.back());
    open_sections_.pop_back();
    closing_words_.pop_back();
  }

  // ---- Jinja ------------------------------------------------------------------------------------

  void take_jinja(Bytes tag, Bytes content) {
    if (content.starts_with('-') || content.ends_with('-')) {
      return refuse(tag, "control of white space cannot be had");
    }
    const std::size_t bar = content.find('|');
    if (bar == Bytes::npos) {
      return add_value(tag, content, true);
    }
    const Bytes name = within_blanks(content.substr(0, bar));
    const Bytes filter = within_blanks(content.substr(bar + 1));
    if (filter == "safe") {
      return add_value(tag, name, false);
    }
    const auto stand_in = default_of(filter);
    if (!stand_in || !is_path(name)) {
      return refuse(tag, "of filters safe and default(\"...\") can be had");
    }
    out_.add_value(fmt::format("{}|default:\"{}\"", name, *stand_in), true);
  }

  // The text of `default("...")`, where it has nothing that would have to be escaped.
  static std::optional<Bytes> default_of(Bytes filter) {
    constexpr Bytes name = "default(";
    if (!filter.starts_with(name) || !filter.ends_with(')')) {
      return std::nullopt;
    }
    const Bytes quoted = within_blanks(filter.substr(name.size(), filter.size() - name.size() - 1));
    if (quoted.size() < 2 || quoted.front() != quoted.back() ||
        (quoted.front() != '"' && quoted.front() != '\'')) {
      return std::nullopt;
    }
    const Bytes text = quoted.substr(1, quoted.size() - 2);
    return text.find_first_of("\"'\\{}\r\n") == Bytes::npos ? std::optional(text) : std::nullopt;
  }

  Bytes rest_;
  BraceSyntax syntax_;
  TemplateText out_;
  std::vector<Bytes> open_sections_;
  std::vector<Bytes> closing_words_;
  std::string refusal_;
};

}  // namespace

// ---- TemplateText
// ---------------------------------------------------------------------------------

void TemplateText::flush(bool tag_follows) {
  append_template_literal(text_, pending_, tag_follows);
  pending_.clear();
}

void TemplateText::add_value(Bytes name, bool is_escaped) {
  flush(true);
  text_ += is_escaped ? "{{" : "{{&";
  text_ += name;
  text_ += "}}";
  has_tags_ = true;
}

void TemplateText::add_tag(char sigil, Bytes name) {
  flush(true);
  text_ += "{{";
  text_ += sigil;
  text_ += name;
  text_ += "}}";
  has_tags_ = true;
}

std::string TemplateText::take() {
  flush(false);
  return std::move(text_);
}

// ---- LiteralTags
// ----------------------------------------------------------------------------------

void LiteralTags::add(Bytes tag) {
  std::vector<Entry>& entries = by_first_octet_[static_cast<std::uint8_t>(tag.front())];
  const auto place = std::find_if(entries.begin(), entries.end(), [tag](const Entry& entry) {
    return entry.text.size() < tag.size();
  });
  entries.insert(place, {std::string(tag), count_++});
}

const LiteralTags::Entry* LiteralTags::longest_at(Bytes text) const {
  for (const Entry& entry : by_first_octet_[static_cast<std::uint8_t>(text.front())]) {
    if (text.starts_with(entry.text)) {
      return &entry;
    }
  }
  return nullptr;
}

bool LiteralTags::occur_in(Bytes text) const {
  bool found = false;
  walk(
      text, [](Bytes) {}, [&found](std::size_t) { found = true; });
  return found;
}

// ---- Braces
// ---------------------------------------------------------------------------------------

Result<std::string, std::string> brace_template(Bytes text, BraceSyntax syntax) {
  return BraceReader(text, syntax).run();
}

}  // namespace ringpost::codec
