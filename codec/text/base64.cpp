// The problem: attachments are long, and of a bad one the place has to be found. The idea: groups
// of four go through a table as long as all of them are of the alphabet; a decoder of single octets
// takes white space, padding and errors, and gives back to the fast one between groups, where lines
// of 76 end. Limits: no vector code, and one alphabet.
#include "codec/text/base64.h"

#include <array>

namespace ringpost::codec {

namespace {

constexpr Bytes alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What an octet may be besides one of the 64 characters.
constexpr std::uint8_t space_mark = 0x40;
constexpr std::uint8_t is_padding = 0x41;
constexpr std::uint8_t is_stranger = 0x42;

constexpr std::array<std::uint8_t, 256> decoded = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(is_stranger);
  for (std::size_t index = 0; index < alphabet.size(); ++index) {
    table[static_cast<std::uint8_t>(alphabet[index])] = static_cast<std::uint8_t>(index);
  }
  for (const char space : {' ', '\t', '\r', '\n'}) {
    table[static_cast<std::uint8_t>(space)] = space_mark;
  }
  table[static_cast<std::uint8_t>('=')] = is_padding;
  return table;
}();

std::uint8_t decoded_at(Bytes text, std::size_t offset) {
  return decoded[static_cast<std::uint8_t>(text[offset])];
}

// Writes base64_size(bytes.size()) characters.
char* encode(char* to, Bytes bytes) {
  const auto octet_at = [bytes](std::size_t index) {
    return std::uint32_t{static_cast<std::uint8_t>(bytes[index])};
  };
  std::size_t offset = 0;
  for (; bytes.size() - offset >= 3; offset += 3) {
    const std::uint32_t group =
        octet_at(offset) << 16 | octet_at(offset + 1) << 8 | octet_at(offset + 2);
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63U];
    *to++ = alphabet[group >> 6 & 63U];
    *to++ = alphabet[group & 63U];
  }
  const std::size_t left = bytes.size() - offset;
  if (left != 0) {
    const std::uint32_t group =
        octet_at(offset) << 16 | (left == 2 ? octet_at(offset + 1) << 8 : 0U);
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63U];
    *to++ = left == 2 ? alphabet[group >> 6 & 63U] : '=';
    *to++ = '=';
  }
  return to;
}

// Decodes from four characters at a time, as long as all of them are of the alphabet. Returns how
// many characters were taken; writes three octets for each four.
std::size_t decode_groups(Bytes text, char* to) {
  std::size_t offset = 0;
  for (; text.size() - offset >= 4; offset += 4) {
    const std::uint32_t a = decoded_at(text, offset);
    const std::uint32_t b = decoded_at(text, offset + 1);
    const std::uint32_t c = decoded_at(text, offset + 2);
    const std::uint32_t d = decoded_at(text, offset + 3);
    if ((a | b | c | d) >= space_mark) {
      break;
    }
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(group >> 16);
    *to++ = static_cast<char>(group >> 8 & 255U);
    *to++ = static_cast<char>(group & 255U);
  }
  return offset;
}

// Decodes one octet after the other into groups: what decode_groups() leaves over.
class Decoder {
 public:
  explicit Decoder(Base64Space space) : space_(space) {}

  [[nodiscard]] bool between_groups() const { return characters_ == 0 && !ended_; }
  [[nodiscard]] bool complete() const { return characters_ == 0; }

  // False when the octet may not stand here.
  bool take(std::uint8_t value, char*& to) {
    if (value == space_mark) {
      return space_ == Base64Space::skipped;
    }
    if (ended_ || value == is_stranger) {
      return false;
    }
    if (value == is_padding) {
      return take_padding(to);
    }
    if (padding_ != 0) {
      return false;
    }
    group_ = group_ << 6 | value;
    if (++characters_ == 4) {
      *to++ = static_cast<char>(group_ >> 16 & 255U);
      *to++ = static_cast<char>(group_ >> 8 & 255U);
      *to++ = static_cast<char>(group_ & 255U);
      characters_ = 0;
    }
    return true;
  }

 private:
  bool take_padding(char*& to) {
    if (characters_ < 2) {
      return false;
    }
    ++padding_;
    if (characters_ + padding_ < 4) {
      return true;
    }
    // One octet of 12 bits, or two octets of 18; the bits left over must be zero.
    const bool two_octets = characters_ == 3;
    const std::uint32_t left_over = group_ & (two_octets ? 3U : 15U);
    if (left_over != 0) {
      return false;
    }
    if (two_octets) {
      *to++ = static_cast<char>(group_ >> 10 & 255U);
      *to++ = static_cast<char>(group_ >> 2 & 255U);
    } else {
      *to++ = static_cast<char>(group_ >> 4 & 255U);
    }
    characters_ = 0;
    ended_ = true;
    return true;
  }

  Base64Space space_;
  std::uint32_t group_ = 0;
  unsigned characters_ = 0;  // of the group so far
  unsigned padding_ = 0;
  bool ended_ = false;  // padding has closed the text
};

}  // namespace

void append_base64(std::string& out, Bytes bytes) {
  const std::size_t before = out.size();
  out.resize(before + base64_size(bytes.size()));
  encode(out.data() + before, bytes);
}

void append_base64_lines(std::string& out, Bytes bytes) {
  constexpr std::size_t octets_per_line = 57;  // 76 characters
  const std::size_t lines = (bytes.size() + octets_per_line - 1) / octets_per_line;
  const std::size_t before = out.size();
  out.resize(before + base64_size(bytes.size()) + lines * 2);
  char* to = out.data() + before;
  while (!bytes.empty()) {
    const Bytes line = bytes.substr(0, octets_per_line);
    to = encode(to, line);
    *to++ = '\r';
    *to++ = '\n';
    bytes.remove_prefix(line.size());
  }
}

Result<void, Base64Error> decode_base64(Bytes text, Base64Space space, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + text.size() / 4 * 3 + 3);
  char* to = out.data() + before;
  Decoder decoder(space);
  std::size_t offset = 0;
  while (offset < text.size()) {
    if (decoder.between_groups()) {
      const std::size_t taken = decode_groups(text.substr(offset), to);
      offset += taken;
      to += taken / 4 * 3;
      if (offset == text.size()) {
        break;
      }
    }
    if (!decoder.take(decoded_at(text, offset), to)) {
      out.resize(before);
      return Failure(Base64Error{offset});
    }
    ++offset;
  }
  if (!decoder.complete()) {
    out.resize(before);
    return Failure(Base64Error{text.size()});
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return {};
}

}  // namespace ringpost::codec
