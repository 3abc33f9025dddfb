// The problem: values come as JSON, of which numbers must keep the digits that somebody wrote,
// which no parser into trees does. The idea: codec/text/json_echo proves that all of it is JSON,
// with an exact place where it is not, so what reads it afterwards has nothing to doubt: it takes
// one value after the other, what is open around it is a small stack, and text without escapes is
// handed on where it stands. Limits: two walks over the octets, some hundred MB a second; depth,
// values and members as limits.h has them.
#include "codec/template/merge_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "codec/text/json_echo.h"
#include "codec/text/shown_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr Bytes json_blanks = " \t\r\n";

std::string merge_reason_of(JsonFlaw flaw) {
  switch (flaw) {
    case JsonFlaw::syntax:
      return "is not JSON";
    case JsonFlaw::truncated:
      return "ends too early";
    case JsonFlaw::trailing:
      return "has something behind its end";
    case JsonFlaw::depth:
      return fmt::format("is nested deeper than {}", limits::merge_depth_max);
    case JsonFlaw::string:
      return "has a string with NUL, a control, a bad escape or half a surrogate pair";
  }
  return {};
}

// Precondition: four hexadecimal digits, of either case.
std::uint32_t four_digits(Bytes digits) {
  std::uint32_t value = 0;
  for (const char digit : digits.substr(0, 4)) {
    const auto octet = static_cast<std::uint32_t>(digit);
    value = value << 4 | ((octet & 0xfU) + (octet > '9' ? 9 : 0));
  }
  return value;
}

// Appends what the escape at the beginning of `text` stands for, and says how long it is.
// Precondition: it is one that check_json() takes.
std::size_t append_unescaped(std::string& out, Bytes text) {
  constexpr Bytes letters = "bfnrt";
  constexpr Bytes controls = "\b\f\n\r\t";
  if (text[1] != 'u') {
    const std::size_t letter = letters.find(text[1]);
    out += letter == Bytes::npos ? text[1] : controls[letter];
    return 2;
  }
  const std::uint32_t first = four_digits(text.substr(2));
  if (first < 0xd800 || first >= 0xe000) {
    append_utf8(out, first);
    return 6;
  }
  const std::uint32_t second = four_digits(text.substr(8));
  append_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
  return 12;
}

// Reads what check_json() has taken.
class SoundJsonReader {
 public:
  SoundJsonReader(Bytes json, MergeData& data, std::string& key, std::string& text)
      : rest_(json), data_(data), key_copy_(key), text_copy_(text) {}

  Result<void, std::string> run() {
    while (refusal_.empty()) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(json_blanks), rest_.size()));
      if (rest_.empty()) {
        return {};
      }
      take(rest_.front());
    }
    return Failure(std::move(refusal_));
  }

 private:
  // A list or an object around what is read.
  struct Level {
    MergeData::Node node = MergeData::root;
    bool is_object = false;
    std::size_t members = 0;
  };

  void take(char first) {
    switch (first) {
      case '{':
        return open(MergeData::Kind::object);
      case '[':
        return open(MergeData::Kind::list);
      case '}':
      case ']':
        --depth_;
        return rest_.remove_prefix(1);
      case ',':
      case ':':
        return rest_.remove_prefix(1);
      case '"':
        return take_string();
      case 't':
      case 'f':
        return take_word(MergeData::Kind::boolean);
      case 'n':
        put(MergeData::Kind::null, {});
        return rest_.remove_prefix(Bytes("null").size());
      default:
        return take_word(MergeData::Kind::number);
    }
  }

  void open(MergeData::Kind kind) {
    const MergeData::Node node = put(kind, {});
    levels_[depth_] = {.node = node, .is_object = kind == MergeData::Kind::object, .members = 0};
    ++depth_;
    rest_.remove_prefix(1);
  }

  void take_string() {
    const bool is_key = depth_ > 0 && levels_[depth_ - 1].is_object && !has_key_;
    const Bytes text = unescaped(is_key ? key_copy_ : text_copy_);
    if (is_key) {
      take_key(text);
    } else {
      put(MergeData::Kind::string, text);
    }
  }

  void take_key(Bytes key) {
    Level& level = levels_[depth_ - 1];
    if (data_.find(level.node, key) != MergeData::none) {
      refusal_ = fmt::format("has the member {} twice in one object", in_quotes(key));
    } else if (++level.members > limits::merge_members_max) {
      refusal_ = fmt::format("has an object of more than {} members: {} is one too many",
                             limits::merge_members_max, in_quotes(key));
    }
    key_ = key;
    has_key_ = true;
  }

  // The string that begins here, which is taken: a view of where it stands, or of `copy`.
  Bytes unescaped(std::string& copy) {
    std::size_t end = 1;
    while (rest_[end] != '"' && rest_[end] != '\\') {
      ++end;
    }
    Bytes text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end);
    if (rest_.front() == '\\') {
      copy.assign(text);
      while (rest_.front() != '"') {
        const bool escape = rest_.front() == '\\';
        if (!escape) {
          copy += rest_.front();
        }
        rest_.remove_prefix(escape ? append_unescaped(copy, rest_) : 1);
      }
      text = copy;
    }
    rest_.remove_prefix(1);
    return text;
  }

  [[nodiscard]] std::size_t word_size() const {
    return std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
  }

  void take_word(MergeData::Kind kind) {
    const std::size_t size = word_size();
    put(kind, rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  MergeData::Node put(MergeData::Kind kind, Bytes text) {
    if (depth_ == 0) {
      data_.clear(kind, text);
      return MergeData::root;
    }
    if (++values_ > limits::merge_values_max) {
      refusal_ = fmt::format("has more than {} values", limits::merge_values_max);
    }
    const Bytes key = has_key_ ? key_ : Bytes();
    has_key_ = false;
    return data_.add(levels_[depth_ - 1].node, key, kind, text);
  }

  Bytes rest_;  // not yet taken
  MergeData& data_;
  std::string& key_copy_;
  std::string& text_copy_;
  std::array<Level, limits::merge_depth_max> levels_;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
  Bytes key_;  // of the member whose value comes next
  bool has_key_ = false;
  std::string refusal_;
};

}  // namespace

Result<void, std::string> MergeJson::read(Bytes object, MergeData& data) {
  const std::size_t first = object.find_first_not_of(json_blanks);
  if (first == Bytes::npos || object[first] != '{') {
    return Failure(std::string("must be a JSON object, in braces"));
  }
  return read_value(object, data);
}

Result<void, std::string> MergeJson::read_value(Bytes json, MergeData& data) {
  if (const std::size_t valid = valid_utf8_prefix(json); valid != json.size()) {
    return Failure(fmt::format("is not UTF-8 at octet {}", valid));
  }
  if (const auto checked = check_json(json, limits::merge_depth_max); !checked) {
    const JsonError& error = checked.error();
    return Failure(fmt::format("{} (octet {})", merge_reason_of(error.flaw), error.offset));
  }
  return SoundJsonReader(json, data, key_, text_).run();
}

}  // namespace ringpost::codec
