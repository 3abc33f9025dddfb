// The oracle's way is the specification's: a partial's text is indented and then rendered like any
// other; a section is found by looking for its end, and rendered by calling itself. Tags are seen
// to stand alone by the texts beside them.
#include "tests/fuzz/mustache_oracle.h"

#include <algorithm>
#include <vector>

#include "codec/template/value_filter.h"

namespace ringpost::fuzz {

namespace {

using codec::MergeData;
using codec::Partial;
using Kind = MergeData::Kind;

constexpr std::size_t tokens_max = 200'000;
constexpr std::size_t depth_max = 200;

struct Token {
  char sign = 't';  // t: text, v: value, r: raw value; else as in the tag
  std::string text;
};

std::string trimmed(Bytes text) {
  constexpr Bytes blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == Bytes::npos
             ? std::string()
             : std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

// Whether nothing but blanks stand behind its last line end.
bool ends_with_indentation(Bytes text, bool is_first) {
  const std::size_t last = text.find_last_not_of(" \t");
  return last == Bytes::npos ? is_first : text[last] == '\n';
}

// How much of the text behind a tag belongs to its line; none where something else is on it.
std::optional<std::size_t> rest_of_line(Bytes text, bool is_last) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == Bytes::npos) {
    return is_last ? std::optional(text.size()) : std::nullopt;
  }
  if (text.substr(first).starts_with("\r\n")) {
    return first + 2;
  }
  return text[first] == '\n' ? std::optional(first + 1) : std::nullopt;
}

class Book {
 public:
  Book(std::span<const Partial> partials, const MergeData& data)
      : partials_(partials), data_(data) {}

  std::optional<std::string> read(Bytes source) {
    render_text(std::string(source), 0);
    return unsure_ ? std::nullopt : std::optional(out_);
  }

 private:
  // ---- Tokens -----------------------------------------------------------------------------------

  // Text and tags in turns: a text, which may be empty, stands in front of each tag and at the end.
  std::vector<Token> tokens_of(const std::string& source) {
    std::vector<Token> tokens;
    std::string open = "{{";
    std::string close = "}}";
    std::size_t position = 0;
    for (;;) {
      const std::size_t begin = source.find(open, position);
      if (begin == std::string::npos) {
        break;
      }
      tokens.push_back({'t', source.substr(position, begin - position)});
      std::size_t inside = begin + open.size();
      Token tag{'v', {}};
      std::string end = close;
      if (source[inside] == '{' || source[inside] == '=') {
        tag.sign = source[inside] == '{' ? 'r' : '=';
        end = (tag.sign == 'r' ? "}" : "=") + close;
        ++inside;
      } else {
        const std::size_t sign = source.find_first_not_of(" \t\r\n", inside);
        if (Bytes("&#^/>!").find(source[sign]) != Bytes::npos) {
          tag.sign = source[sign] == '&' ? 'r' : source[sign];
          inside = sign + 1;
        }
      }
      const std::size_t stop = source.find(end, inside);
      tag.text = trimmed(Bytes(source).substr(inside, stop - inside));
      if (tag.sign == '=') {
        const std::size_t blank = tag.text.find_first_of(" \t\r\n");
        open = tag.text.substr(0, blank);
        close = trimmed(tag.text.substr(blank));
      }
      tokens.push_back(tag);
      position = stop + end.size();
    }
    tokens.push_back({'t', source.substr(position)});
    return tokens;
  }

  // Takes the lines of those that stand alone out of the texts; a partial keeps its indentation
  // behind a line end in its text.
  static void take_lines(std::vector<Token>& tokens) {
    const std::vector<Token> original = tokens;
    for (std::size_t i = 1; i < tokens.size(); i += 2) {
      const Bytes before = original[i - 1].text;
      const auto rest = rest_of_line(original[i + 1].text, i + 2 == tokens.size());
      if (tokens[i].sign == 'v' || tokens[i].sign == 'r' || !rest ||
          !ends_with_indentation(before, i == 1)) {
        continue;
      }
      // What the tag in front has taken of the text stays taken.
      const std::size_t blanks = before.size() - (before.find_last_not_of(" \t") + 1);
      tokens[i - 1].text.resize(tokens[i - 1].text.size() - blanks);
      tokens[i + 1].text.erase(0, *rest);
      if (tokens[i].sign == '>') {
        tokens[i].text += '\0' + std::string(before.substr(before.size() - blanks));
      }
    }
  }

  // ---- Rendering --------------------------------------------------------------------------------

  void render_text(const std::string& source, std::size_t depth) {
    std::vector<Token> tokens = tokens_of(source);
    take_lines(tokens);
    render(tokens, 0, tokens.size(), depth);
  }

  void render(const std::vector<Token>& tokens, std::size_t begin, std::size_t end,
              std::size_t depth) {
    unsure_ = unsure_ || depth > depth_max;
    for (std::size_t i = begin; i < end && !unsure_; ++i) {
      unsure_ = ++token_count_ > tokens_max || out_.size() > (1u << 20);
      const Token& token = tokens[i];
      if (token.sign == 't') {
        out_ += token.text;
      } else if (token.sign == 'v' || token.sign == 'r') {
        render_value(token);
      } else if (token.sign == '>') {
        render_partial(token.text, depth);
      } else if (token.sign == '#' || token.sign == '^') {
        const std::size_t last = end_of_section(tokens, i);
        render_section(tokens, i, last, depth);
        i = last;
      }
    }
  }

  static std::size_t end_of_section(const std::vector<Token>& tokens, std::size_t begin) {
    std::size_t open = 1;
    std::size_t i = begin;
    while (open > 0) {
      ++i;
      open += tokens[i].sign == '#' || tokens[i].sign == '^' ? 1U : 0U;
      open -= tokens[i].sign == '/' ? 1U : 0U;
    }
    return i;
  }

  void render_section(const std::vector<Token>& tokens, std::size_t begin, std::size_t end,
                      std::size_t depth) {
    const MergeData::Node node = find(tokens[begin].text);
    if (tokens[begin].sign == '^') {
      return is_true(node) ? void() : render(tokens, begin + 1, end, depth + 1);
    }
    if (!is_true(node)) {
      return;
    }
    const bool is_list = data_.kind(node) == Kind::list;
    MergeData::Node element = is_list ? data_.first(node) : node;
    while (element != MergeData::none && !unsure_) {
      around_.push_back(element);
      render(tokens, begin + 1, end, depth + 1);
      around_.pop_back();
      element = is_list ? data_.next(element) : MergeData::none;
    }
  }

  void render_value(const Token& tag) {
    const std::size_t bar = tag.text.find('|');
    const MergeData::Node node = find(trimmed(tag.text.substr(0, bar)));
    std::optional<std::string> value;
    if (node != MergeData::none && data_.kind(node) != Kind::list &&
        data_.kind(node) != Kind::object && data_.kind(node) != Kind::null) {
      value = data_.text(node);
    }
    std::vector<codec::ValueFilter> filters;
    if (bar != std::string::npos) {
      RP_ASSERT(codec::parse_value_filters(Bytes(tag.text).substr(bar + 1), filters));
    }
    bool raw = tag.sign == 'r';
    for (const codec::ValueFilter& filter : filters) {
      raw = raw || filter.kind == codec::ValueFilter::Kind::html;
      if (filter.kind == codec::ValueFilter::Kind::default_text) {
        value = value.value_or("").empty() ? filter.text : value;
      } else if (value) {
        std::string filtered;
        codec::append_filtered(filtered, filter, *value);
        value = filtered;
      }
    }
    if (!value.value_or("").empty()) {
      out_ += raw ? '{' : '[';
      out_ += *value;
      out_ += raw ? '}' : ']';
    }
  }

  void render_partial(const std::string& tag, std::size_t depth) {
    const std::size_t line = tag.find('\0');
    const std::string name = tag.substr(0, line);
    const std::string indentation = line == std::string::npos ? "" : tag.substr(line + 1);
    const auto partial = std::find_if(partials_.begin(), partials_.end(),
                                      [&](const Partial& one) { return one.name == name; });
    if (partial == partials_.end()) {
      return;
    }
    std::string source;
    bool at_line_start = true;
    for (std::size_t i = 0; i < partial->source.size(); ++i) {
      const Bytes rest = Bytes(partial->source).substr(i);
      if (at_line_start && rest.front() != '\n' && !rest.starts_with("\r\n")) {
        source += indentation;
      }
      source += rest.front();
      at_line_start = rest.front() == '\n';
    }
    if (!indentation.empty()) {
      for (const Token& token : tokens_of(partial->source)) {
        unsure_ = unsure_ || (token.sign != 't' && token.text.find('\n') != std::string::npos);
      }
    }
    render_text(source, depth + 1);
  }

  // ---- Values -----------------------------------------------------------------------------------

  [[nodiscard]] bool is_true(MergeData::Node node) const {
    if (node == MergeData::none) {
      return false;
    }
    switch (data_.kind(node)) {
      case Kind::list:
        return data_.first(node) != MergeData::none;
      case Kind::boolean:
        return data_.text(node) == "true";
      case Kind::string:
        return !data_.text(node).empty();
      case Kind::number: {
        std::string digits(data_.text(node));
        digits.resize(std::min(digits.find_first_of("eE"), digits.size()));
        return std::any_of(digits.begin(), digits.end(), [](char c) { return c > '0'; });
      }
      case Kind::null:
        return false;
      case Kind::object:
        return true;
    }
    return false;
  }

  [[nodiscard]] MergeData::Node find(std::string name) const {
    if (name == ".") {
      return around_.empty() ? MergeData::root : around_.back();
    }
    name += '.';
    MergeData::Node node = MergeData::none;
    std::string part = name.substr(0, name.find('.'));
    for (std::size_t i = around_.size(); i > 0 && node == MergeData::none; --i) {
      node = data_.find(around_[i - 1], part);
    }
    node = node == MergeData::none ? data_.find(MergeData::root, part) : node;
    for (name.erase(0, part.size() + 1); !name.empty() && node != MergeData::none;
         name.erase(0, part.size() + 1)) {
      part = name.substr(0, name.find('.'));
      node = data_.find(node, part);
    }
    return node;
  }

  std::span<const Partial> partials_;
  const MergeData& data_;
  std::vector<MergeData::Node> around_;
  std::string out_;
  std::size_t token_count_ = 0;
  bool unsure_ = false;
};

}  // namespace

std::optional<std::string> render_by_the_book(Bytes source,
                                              std::span<const codec::Partial> partials,
                                              const codec::MergeData& data) {
  return Book(partials, data).read(source);
}

}  // namespace ringpost::fuzz
