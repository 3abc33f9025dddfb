// The problem: fields come folded, with comments, quoted, and cut into segments of parameters by
// RFC 2231, and one that is read otherwise than its author's program meant it is a part that nobody
// sees. The idea: whatever is not of the grammar is refused and named, never repaired. Limits: what
// parameters of RFC 2231 say of their language is passed over.
#include "codec/mail/mime_header.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/header_text.h"
#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr Bytes blanks_of_fields = " \t\r\n";

Bytes trimmed_value(Bytes text) {
  const std::size_t begin = text.find_first_not_of(blanks_of_fields);
  return begin == Bytes::npos
             ? Bytes{}
             : text.substr(begin, text.find_last_not_of(blanks_of_fields) + 1 - begin);
}

// Octets of a field with its continuation lines, the last CRLF included.
std::size_t field_size(Bytes text) {
  std::size_t end = 0;
  do {
    const std::size_t line_end = text.find("\r\n", end);
    if (line_end == Bytes::npos) {
      return text.size();
    }
    end = line_end + 2;
  } while (end < text.size() && (text[end] == ' ' || text[end] == '\t'));
  return end;
}

std::string lower_case(Bytes text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

using Clause = Result<void, std::string>;

// One segment of a parameter: `name`, `name*`, `name*0`, `name*0*`.
struct Segment {
  std::string name;
  std::size_t number = 0;
  bool is_numbered = false;
  bool is_extended = false;
  std::string value;
};

// Takes a name apart. False where it is none.
bool read_segment_name(Bytes text, Segment& segment) {
  segment.is_extended = text.ends_with('*');
  if (segment.is_extended) {
    text.remove_suffix(1);
  }
  const std::size_t star = text.find('*');
  segment.name = lower_case(text.substr(0, star));
  if (star == Bytes::npos) {
    return is_mime_token(text);
  }
  const Bytes digits = text.substr(star + 1);
  segment.is_numbered = true;
  if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return false;
  }
  for (const char digit : digits) {
    segment.number = segment.number * 10 + static_cast<std::size_t>(digit - '0');
  }
  return is_mime_token(segment.name);
}

bool append_percent_decoded(std::string& out, Bytes text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])) {
      return false;
    }
    out += static_cast<char>(hexadecimal_value(text[i + 1]) * 16 + hexadecimal_value(text[i + 2]));
    i += 2;
  }
  return true;
}

class ValueReader {
 public:
  explicit ValueReader(Bytes text) : text_(text) {}

  Result<MimeValue, std::string> run() {
    if (!skip_space()) {
      return Failure(std::string("has a comment that does not end"));
    }
    value_.word = lower_case(take_until(" \t\r\n;("));
    while (true) {
      if (!skip_space()) {
        return Failure(std::string("has a comment that does not end"));
      }
      if (text_.empty()) {
        break;
      }
      if (Clause one = read_parameter(); !one) {
        return Failure(std::move(one.error()));
      }
    }
    if (Clause joined = join_segments(); !joined) {
      return Failure(std::move(joined.error()));
    }
    return std::move(value_);
  }

 private:
  Bytes take_until(Bytes ends) {
    const Bytes taken = text_.substr(0, text_.find_first_of(ends));
    text_.remove_prefix(taken.size());
    return taken;
  }

  // Blanks and comments. False where a comment does not end.
  bool skip_space() {
    std::size_t depth = 0;
    while (!text_.empty()) {
      const char first = text_.front();
      if (first == '(') {
        ++depth;
      } else if (first == ')' && depth > 0) {
        --depth;
      } else if (first == '\\' && depth > 0) {
        text_.remove_prefix(1);
      } else if (depth == 0 && blanks_of_fields.find(first) == Bytes::npos) {
        return true;
      }
      text_.remove_prefix(std::min<std::size_t>(text_.size(), 1));
    }
    return depth == 0;
  }

  Clause read_parameter() {
    if (text_.front() != ';') {
      return Failure(fmt::format("has something behind \"{}\" that is no parameter", value_.word));
    }
    text_.remove_prefix(1);
    if (!skip_space() || text_.empty() || text_.front() == ';') {
      return {};
    }
    Segment segment;
    const Bytes name = take_until("= \t\r\n;(");
    if (!skip_space() || text_.empty() || text_.front() != '=' ||
        !read_segment_name(name, segment)) {
      return Failure(fmt::format("has a parameter \"{}\" that is none", name));
    }
    text_.remove_prefix(1);
    if (!skip_space()) {
      return Failure(std::string("has a comment that does not end"));
    }
    if (Clause read = read_parameter_value(segment); !read) {
      return read;
    }
    if (segments_.size() == limits::mime_parameters_max) {
      return Failure(fmt::format("has more than {} parameters", limits::mime_parameters_max));
    }
    segments_.push_back(std::move(segment));
    return {};
  }

  Clause read_parameter_value(Segment& segment) {
    if (!text_.starts_with('"')) {
      segment.value = take_until(" \t\r\n;(");
      return {};
    }
    text_.remove_prefix(1);
    while (!text_.empty() && text_.front() != '"') {
      if (text_.starts_with("\r\n")) {
        text_.remove_prefix(2);
        continue;
      }
      text_.remove_prefix(text_.front() == '\\' && text_.size() > 1 ? 1 : 0);
      segment.value += text_.front();
      text_.remove_prefix(1);
    }
    if (text_.empty()) {
      return Failure(
          fmt::format("has a quotation mark in \"{}\" that is not closed", segment.name));
    }
    text_.remove_prefix(1);
    return {};
  }

  // RFC 2231 3: segments may come in any order, and begin with 0.
  Clause join_segments() {
    std::map<std::string, std::map<std::size_t, const Segment*>> numbered;
    for (const Segment& segment : segments_) {
      if (segment.is_numbered) {
        if (!numbered[segment.name].emplace(segment.number, &segment).second) {
          return Failure(fmt::format("has a segment of \"{}\" twice", segment.name));
        }
      } else if (Clause added = add({&segment}); !added) {
        return added;
      }
    }
    for (const auto& [name, by_number] : numbered) {
      std::vector<const Segment*> row;
      for (const auto& [number, segment] : by_number) {
        if (number != row.size()) {
          return Failure(fmt::format("lacks a segment of \"{}\"", name));
        }
        row.push_back(segment);
      }
      if (Clause added = add(row); !added) {
        return added;
      }
    }
    return {};
  }

  Clause add(const std::vector<const Segment*>& row) {
    MimeParameter parameter;
    parameter.name = row.front()->name;
    for (const Segment* const segment : row) {
      Bytes text = segment->value;
      if (segment->is_extended && segment == row.front()) {
        const std::size_t charset_end = text.find('\'');
        const std::size_t language_end =
            charset_end == Bytes::npos ? Bytes::npos : text.find('\'', charset_end + 1);
        if (language_end == Bytes::npos) {
          return Failure(fmt::format("has a \"{}*\" that names no charset", parameter.name));
        }
        parameter.charset = text.substr(0, charset_end);
        text.remove_prefix(language_end + 1);
      }
      if (!segment->is_extended) {
        parameter.value += text;
      } else if (!append_percent_decoded(parameter.value, text)) {
        return Failure(fmt::format("has a \"{}*\" with a bad %", parameter.name));
      }
    }
    // `filename*` beside `filename`: the first is for those who know it (RFC 6266 4.3).
    const auto same = std::find_if(
        value_.parameters.begin(), value_.parameters.end(),
        [&parameter](const MimeParameter& other) { return other.name == parameter.name; });
    if (same == value_.parameters.end()) {
      value_.parameters.push_back(std::move(parameter));
      return {};
    }
    const bool is_plain = parameter.charset.empty();
    if (is_plain == same->charset.empty()) {
      return Failure(fmt::format("has \"{}\" twice", parameter.name));
    }
    if (!is_plain) {
      *same = std::move(parameter);
    }
    return {};
  }

  Bytes text_;
  MimeValue value_;
  std::vector<Segment> segments_;
};

}  // namespace

Result<MimeFields, MimeError> read_mime_fields(Bytes text, std::size_t offset) {
  MimeFields read;
  while (read.bytes < text.size()) {
    const Bytes rest = text.substr(read.bytes);
    if (rest.starts_with("\r\n")) {
      read.bytes += 2;
      break;
    }
    const std::size_t at = offset + read.bytes;
    const Bytes field = rest.substr(0, field_size(rest));
    const std::size_t colon = field.find(':');
    Bytes name = field.substr(0, colon);
    // RFC 5322 4.5: blanks in front of the colon are obsolete, and no part of the name.
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    if (colon == Bytes::npos || !is_field_name(name)) {
      return Failure(MimeError{MimeErrorKind::no_field, at, "is no header field"});
    }
    if (read.fields.size() == limits::mime_fields_max) {
      return Failure(MimeError{MimeErrorKind::too_many_fields, at,
                               fmt::format("comes behind {} header fields, which is the most that "
                                           "are read",
                                           limits::mime_fields_max)});
    }
    read.fields.push_back({name, trimmed_value(field.substr(colon + 1)), at});
    read.bytes += field.size();
  }
  return read;
}

std::string unfolded(Bytes value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' || value[i] == '\n') {
      continue;
    }
    const bool begins_line = i > 0 && value[i - 1] == '\n';
    out += begins_line && value[i] == '\t' ? ' ' : value[i];
  }
  return out;
}

const MimeParameter* MimeValue::find(Bytes name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [name](const MimeParameter& one) { return one.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

Bytes MimeValue::text(Bytes name) const {
  const MimeParameter* const found = find(name);
  return found == nullptr ? Bytes{} : Bytes(found->value);
}

Result<MimeValue, std::string> read_mime_value(Bytes value) { return ValueReader(value).run(); }

}  // namespace ringpost::codec
