// The problem: metadata comes from strangers and stands in outcome lines as it came, so every octet
// has to be JSON, however deep it is nested. The idea: what may come next is one of six
// expectations, and what the levels above are, lists or objects, is a bit each in one word: there
// is no tree and no recursion, and each piece is copied when it is taken. Limits: 64 levels;
// numbers are checked for their form and never computed.
#include "codec/text/json_echo.h"

#include <array>
#include <cstring>
#include <optional>

#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

std::optional<std::uint32_t> hexadecimal(Bytes digits) {
  std::uint32_t value = 0;
  for (const char digit : digits) {
    if (!is_hexadecimal(digit)) {
      return std::nullopt;
    }
    const int number = is_digit(digit) ? digit - '0' : lower(digit) - 'a' + 10;
    value = value << 4 | static_cast<std::uint32_t>(number);
  }
  return value;
}

// The size of the escape at the beginning of `text`, a surrogate pair taken as one; 0 when it is
// none, or one that may not stand.
std::size_t escape_size(Bytes text) {
  if (text.size() < 2) {
    return 0;
  }
  if (text[1] != 'u') {
    return std::strchr("\"\\/bfnrt", text[1]) != nullptr && text[1] != '\0' ? 2 : 0;
  }
  const std::optional<std::uint32_t> first =
      text.size() < 6 ? std::nullopt : hexadecimal(text.substr(2, 4));
  if (!first || *first == 0 || (*first >= 0xdc00 && *first < 0xe000)) {
    return 0;
  }
  if (*first < 0xd800 || *first >= 0xe000) {
    return 6;
  }
  const bool has_second = text.size() >= 12 && text[6] == '\\' && text[7] == 'u';
  const std::optional<std::uint32_t> second =
      has_second ? hexadecimal(text.substr(8, 4)) : std::nullopt;
  return second && *second >= 0xdc00 && *second < 0xe000 ? 12 : 0;
}

// The size of the number at the beginning of `text`; 0 when it is none (RFC 8259 section 6).
std::size_t number_size(Bytes text) {
  std::size_t size = 0;
  const auto take = [&](char character) {
    const bool there = size < text.size() && text[size] == character;
    size += there ? 1 : 0;
    return there;
  };
  const auto take_digits = [&] {
    const std::size_t before = size;
    while (size < text.size() && is_digit(text[size])) {
      ++size;
    }
    return size != before;
  };
  take('-');
  if (!take('0') && !take_digits()) {
    return 0;
  }
  if (take('.') && !take_digits()) {
    return 0;
  }
  if (take('e') || take('E')) {
    if (!take('+')) {
      take('-');
    }
    if (!take_digits()) {
      return 0;
    }
  }
  return size;
}

class Compactor {
 public:
  // `out` may be null.
  Compactor(std::string* out, Bytes json, std::size_t depth_max)
      : out_(out), json_(json), json_bytes_(json.size()), depth_max_(depth_max) {
    RP_ASSERT(depth_max <= 64);
  }

  Result<void, JsonError> run() {
    while (!flaw_) {
      skip_space();
      if (expected_ == Expected::end) {
        if (json_.empty()) {
          return {};
        }
        flaw_ = JsonFlaw::trailing;
      } else if (json_.empty()) {
        flaw_ = JsonFlaw::truncated;
      } else {
        step();
      }
    }
    return Failure(JsonError{*flaw_, json_bytes_ - json_.size()});
  }

 private:
  enum class Expected : std::uint8_t {
    value,
    value_or_close,
    key,
    key_or_close,
    comma_or_close,
    end
  };

  void step() {
    const char next = json_.front();
    const bool in_object = depth_ > 0 && (objects_ >> (depth_ - 1) & 1U) != 0;
    switch (expected_) {
      case Expected::value_or_close:
        if (next == ']') {
          return close();
        }
        [[fallthrough]];
      case Expected::value:
        return take_value(next);
      case Expected::key_or_close:
        if (next == '}') {
          return close();
        }
        [[fallthrough]];
      case Expected::key:
        return take_key();
      case Expected::comma_or_close:
        if (next == ',') {
          take(1);
          expected_ = in_object ? Expected::key : Expected::value;
        } else if (next == (in_object ? '}' : ']')) {
          close();
        } else {
          flaw_ = JsonFlaw::syntax;
        }
        return;
      case Expected::end:
        return;
    }
  }

  void take_value(char next) {
    if (next == '{' || next == '[') {
      return open(next == '{');
    }
    if (next == '"') {
      take_string();
    } else if (next == 't') {
      take_word("true");
    } else if (next == 'f') {
      take_word("false");
    } else if (next == 'n') {
      take_word("null");
    } else {
      take_or_flaw(number_size(json_), JsonFlaw::syntax);
    }
    value_done();
  }

  void take_key() {
    if (json_.front() != '"') {
      flaw_ = JsonFlaw::syntax;
      return;
    }
    take_string();
    skip_space();
    if (!flaw_) {
      take_word(":");
    }
    expected_ = Expected::value;
  }

  void open(bool object) {
    if (depth_ == depth_max_) {
      flaw_ = JsonFlaw::depth;
      return;
    }
    const std::uint64_t bit = std::uint64_t{1} << depth_;
    objects_ = object ? objects_ | bit : objects_ & ~bit;
    ++depth_;
    take(1);
    expected_ = object ? Expected::key_or_close : Expected::value_or_close;
  }

  void close() {
    --depth_;
    take(1);
    value_done();
  }

  void value_done() { expected_ = depth_ == 0 ? Expected::end : Expected::comma_or_close; }

  void take_string() {
    std::size_t size = 1;
    while (size < json_.size() && json_[size] != '"') {
      const char next = json_[size];
      const bool control = static_cast<std::uint8_t>(next) < 0x20;
      const std::size_t step_size = next == '\\' ? escape_size(json_.substr(size)) : !control;
      if (step_size == 0) {
        const bool closed = json_.find('"', size) != Bytes::npos;
        take(size);
        flaw_ = closed ? JsonFlaw::string : JsonFlaw::truncated;
        return;
      }
      size += step_size;
    }
    take_or_flaw(size < json_.size() ? size + 1 : 0, JsonFlaw::truncated);
  }

  void take_word(Bytes word) {
    take_or_flaw(json_.starts_with(word) ? word.size() : 0,
                 word.starts_with(json_) ? JsonFlaw::truncated : JsonFlaw::syntax);
  }

  void take_or_flaw(std::size_t size, JsonFlaw flaw) {
    if (size == 0) {
      flaw_ = flaw;
    } else {
      take(size);
    }
  }

  void take(std::size_t size) {
    if (out_ != nullptr) {
      *out_ += json_.substr(0, size);
    }
    json_.remove_prefix(size);
  }

  void skip_space() {
    const std::size_t size = json_.find_first_not_of(" \t\r\n");
    json_.remove_prefix(size == Bytes::npos ? json_.size() : size);
  }

  std::string* out_;
  Bytes json_;  // not yet taken
  std::size_t json_bytes_;
  std::size_t depth_max_;
  std::size_t depth_ = 0;
  std::uint64_t objects_ = 0;  // bit n: the level n is an object, else a list
  Expected expected_ = Expected::value;
  std::optional<JsonFlaw> flaw_;
};

}  // namespace

Result<void, JsonError> append_compact_json(std::string& out, Bytes json, std::size_t depth_max) {
  const std::size_t before = out.size();
  const Result<void, JsonError> result = Compactor(&out, json, depth_max).run();
  if (!result) {
    out.resize(before);
  }
  return result;
}

Result<void, JsonError> check_json(Bytes json, std::size_t depth_max) {
  return Compactor(nullptr, json, depth_max).run();
}

}  // namespace ringpost::codec
