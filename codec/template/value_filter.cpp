// The problem: a value goes into links and greetings as well as into text, and may not be there.
// The idea: a handful of filters that everybody needs, by the names that others gave them, each
// from one text into another. Limits: letters change case one by one (codec/text/letter_case.h).
#include "codec/template/value_filter.h"

#include <array>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "codec/template/mustache.h"
#include "codec/text/ascii.h"
#include "codec/text/letter_case.h"
#include "codec/text/shown_text.h"
#include "codec/text/spelling.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::array<std::string_view, 5> filter_names = {"url", "html", "upper", "lower",
                                                          "default"};
constexpr Bytes filter_blanks = " \t\r\n";

void skip_filter_blanks(Bytes& text) {
  text.remove_prefix(std::min(text.find_first_not_of(filter_blanks), text.size()));
}

// `:"friend"`, which is taken. Within the quotes a backslash stands in front of a quote or of
// another backslash.
Result<void, std::string> take_default(Bytes& rest, std::string& text) {
  const std::string usage = "a default is written as default:\"friend\"";
  skip_filter_blanks(rest);
  if (!rest.starts_with(':')) {
    return Failure(usage);
  }
  rest.remove_prefix(1);
  skip_filter_blanks(rest);
  const char quote = rest.empty() ? '\0' : rest.front();
  if (quote != '"' && quote != '\'') {
    return Failure(usage + ", in quotes");
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != quote) {
    const bool escape = rest.front() == '\\' && rest.size() > 1 &&
                        (rest[1] == '\\' || rest[1] == '"' || rest[1] == '\'');
    rest.remove_prefix(escape ? 1 : 0);
    text += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) {
    return Failure(
        std::string("the quotes of the default are not closed (a tag ends at the first "
                    "closing delimiter, in quotes, too)"));
  }
  rest.remove_prefix(1);
  return {};
}

// The filter in front, which is taken.
Result<ValueFilter, std::string> take_filter(Bytes& rest) {
  skip_filter_blanks(rest);
  const Bytes name = rest.substr(0, rest.find_first_of("|: \t\r\n"));
  rest.remove_prefix(name.size());
  const auto known = std::find(filter_names.begin(), filter_names.end(), name);
  if (known == filter_names.end()) {
    return Failure(unknown_word("filter", name, filter_names) +
                   "; known are url, html, upper, lower and default:\"text\"");
  }
  ValueFilter filter;
  filter.kind = static_cast<ValueFilter::Kind>(known - filter_names.begin());
  if (filter.kind == ValueFilter::Kind::default_text) {
    if (auto taken = take_default(rest, filter.text); !taken) {
      return Failure(std::move(taken.error()));
    }
  }
  skip_filter_blanks(rest);
  if (!rest.empty() && rest.front() != '|') {
    return Failure(fmt::format("{} stands behind the filter {}: filters are separated by |",
                               in_quotes(rest), name));
  }
  return filter;
}

bool is_unreserved(char character) {
  return is_alphanumeric(character) || Bytes("-._~").find(character) != Bytes::npos;
}

// Of each octet; empty for those that stand for themselves.
constexpr std::array<Bytes, 256> html_references = [] {
  std::array<Bytes, 256> references{};
  references['&'] = "&amp;";
  references['<'] = "&lt;";
  references['>'] = "&gt;";
  references['"'] = "&quot;";
  references['\''] = "&#39;";
  return references;
}();

}  // namespace

Result<void, std::string> parse_value_filters(Bytes text, std::vector<ValueFilter>& filters) {
  for (std::size_t count = 1;; ++count) {
    if (count > limits::template_filters_max) {
      return Failure(
          fmt::format("one value has more than {} filters", limits::template_filters_max));
    }
    auto filter = take_filter(text);
    if (!filter) {
      return Failure(std::move(filter.error()));
    }
    filters.push_back(*std::move(filter));
    if (text.empty()) {
      return {};
    }
    text.remove_prefix(1);
  }
}

void append_filtered(std::string& out, const ValueFilter& filter, Bytes value) {
  switch (filter.kind) {
    case ValueFilter::Kind::url:
      return append_url_escaped(out, value);
    case ValueFilter::Kind::html:
      return append_html_escaped(out, value);
    case ValueFilter::Kind::upper:
      return append_upper(out, value);
    case ValueFilter::Kind::lower:
      return append_lower(out, value);
    case ValueFilter::Kind::default_text:
      out += value;
      return;
  }
}

void append_html_escaped(std::string& out, Bytes text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Bytes reference = html_references[static_cast<std::uint8_t>(text[i])];
    if (!reference.empty()) {
      out += text.substr(plain, i - plain);
      out += reference;
      plain = i + 1;
    }
  }
  out += text.substr(plain);
}

void append_url_escaped(std::string& out, Bytes text) {
  constexpr Bytes digits = "0123456789ABCDEF";
  for (const char character : text) {
    if (is_unreserved(character)) {
      out += character;
    } else {
      const auto octet = static_cast<std::uint8_t>(character);
      out += '%';
      out += digits[octet >> 4];
      out += digits[octet & 15U];
    }
  }
}

}  // namespace ringpost::codec
