#include "codec/header_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "codec/base64.h"
#include "codec/lexical_token.h"
#include "codec/limits.h"
#include "codec/utf8.h"

namespace ringpost::codec {

namespace {

constexpr std::size_t line_bytes_wanted = 78;         // RFC 5322 2.1.1
constexpr std::size_t encoded_line_bytes_max = 76;    // RFC 2047 section 2
constexpr std::size_t encoded_word_bytes_max = 75;    // likewise
constexpr std::size_t encoded_word_frame_bytes = 12;  // `=?UTF-8?Q?` and `?=`
// Room for one character of four octets, whichever encoding is taken.
constexpr std::size_t encoded_character_bytes_max = 12;
constexpr std::size_t plain_parameter_bytes_max = 60;
constexpr Bytes hexadecimal = "0123456789ABCDEF";

bool is_space(char character) { return character == ' ' || character == '\t'; }

// What stands for itself in a Q encoded word wherever that word stands (RFC 2047 section 5, rule
// 3).
bool is_plain_in_encoded_word(char character) {
  return is_alphanumeric(character) || Bytes("!*+-/").find(character) != Bytes::npos;
}

// attribute-char of RFC 2231 section 7.
bool is_plain_in_parameter(char character) {
  return is_alphanumeric(character) || Bytes("!#$&+-.^_`{|}~").find(character) != Bytes::npos;
}

void append_hexadecimal(std::string& out, char mark, char octet) {
  const auto value = static_cast<std::uint8_t>(octet);
  out += mark;
  out += hexadecimal[value >> 4];
  out += hexadecimal[value & 15U];
}

void assert_harmless(Bytes text) {
  RP_ASSERT(text.find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos);
}

// White space, and the word behind it.
struct Chunk {
  Bytes space;
  Bytes word;
};

Chunk first_chunk(Bytes text) {
  const auto word = std::find_if_not(text.begin(), text.end(), is_space);
  const auto end = std::find_if(word, text.end(), is_space);
  const auto space_bytes = static_cast<std::size_t>(word - text.begin());
  return {text.substr(0, space_bytes),
          text.substr(space_bytes, static_cast<std::size_t>(end - word))};
}

Bytes trimmed(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == Bytes::npos ? Bytes{}
                              : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether Q would leave nothing that can be read.
bool is_mostly_high(Bytes text) {
  const auto high = std::count_if(text.begin(), text.end(), [](char character) {
    return (static_cast<std::uint8_t>(character) & 0x80U) != 0;
  });
  return static_cast<std::size_t>(high) > text.size() / 2;
}

// Octets that the text takes as a Q encoded word, without the frame.
std::size_t q_size(Bytes text) {
  std::size_t size = 0;
  for (const char character : text) {
    size += is_plain_in_encoded_word(character) || character == ' ' ? 1U : 3U;
  }
  return size;
}

// One field, and how full its last line is.
class FieldWriter {
 public:
  FieldWriter(std::string& out, Bytes name) : out_(out) {
    out_ += name;
    out_ += ": ";
    column_ = name.size() + 2;
  }

  void end() { out_ += "\r\n"; }

  // Text that is ASCII, or that may go out as it is.
  void add_plain(Bytes text) {
    while (!text.empty()) {
      const Chunk chunk = first_chunk(text);
      const std::size_t bytes = chunk.space.size() + chunk.word.size();
      add_space(chunk.space, bytes);
      add(chunk.word);
      text.remove_prefix(bytes);
    }
  }

  // `space`, on a new line when the octets that are coming would not fit on this one.
  void begin_chunk(Bytes space, std::size_t bytes) { add_space(space, space.size() + bytes); }

  // Encoded words, with `space` before them. White space between them means nothing (RFC 2047 6.2).
  void add_encoded(Bytes space, Bytes text) {
    const bool base64 = is_mostly_high(text);
    const std::size_t needed = encoded_word_frame_bytes + encoded_character_bytes_max;
    if (column_ + space.size() + needed > encoded_line_bytes_max) {
      fold(space.empty() ? Bytes(" ") : space);
    } else {
      add(space);
    }
    while (!text.empty()) {
      // More white space than a line has is only found where somebody is trying.
      const std::size_t line_room =
          column_ + needed <= encoded_line_bytes_max ? encoded_line_bytes_max - column_ : needed;
      const std::size_t room =
          std::min(encoded_word_bytes_max, line_room) - encoded_word_frame_bytes;
      const Bytes part = text.substr(0, part_size(text, room, base64));
      add_encoded_word(part, base64);
      text.remove_prefix(part.size());
      if (!text.empty()) {
        fold(" ");
      }
    }
  }

  void add(Bytes text) {
    out_ += text;
    column_ += text.size();
  }

 private:
  void fold(Bytes space) {
    out_ += "\r\n";
    out_ += space;
    column_ = space.size();
  }

  // A line never consists of white space alone, because words follow all white space.
  void add_space(Bytes space, std::size_t chunk_bytes) {
    if (!space.empty() && column_ + chunk_bytes > line_bytes_wanted) {
      fold(space);
    } else {
      add(space);
    }
  }

  // Octets of whole characters that fit into `room`.
  static std::size_t part_size(Bytes text, std::size_t room, bool base64) {
    std::size_t size = 0;
    std::size_t encoded = 0;
    while (size < text.size()) {
      const std::size_t bytes = first_utf8_character(text.substr(size)).bytes;
      encoded = base64 ? base64_size(size + bytes) : encoded + q_size(text.substr(size, bytes));
      if (encoded > room && size != 0) {
        break;
      }
      size += bytes;
    }
    return size;
  }

  void add_encoded_word(Bytes text, bool base64) {
    const std::size_t before = out_.size();
    out_ += base64 ? "=?UTF-8?B?" : "=?UTF-8?Q?";
    if (base64) {
      append_base64(out_, text);
    } else {
      for (const char character : text) {
        if (is_plain_in_encoded_word(character)) {
          out_ += character;
        } else if (character == ' ') {
          out_ += '_';
        } else {
          append_hexadecimal(out_, '=', character);
        }
      }
    }
    out_ += "?=";
    column_ += out_.size() - before;
  }

  std::string& out_;
  std::size_t column_ = 0;
};

// A word that must not stand as it is. Among words that are encoded, one that looks encoded would
// be decoded with them.
bool wants_encoding(Bytes word) { return !is_ascii(word) || word.find("=?") != Bytes::npos; }

// From the first word that wants encoding to the last one: `begin` is where the white space before
// it begins.
struct EncodedRun {
  std::size_t begin = 0;
  std::size_t space_bytes = 0;
  std::size_t end = 0;
};

EncodedRun find_encoded_run(Bytes text) {
  EncodedRun run;
  bool found = false;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const Chunk chunk = first_chunk(text.substr(offset));
    const std::size_t end = offset + chunk.space.size() + chunk.word.size();
    if (wants_encoding(chunk.word)) {
      if (!found) {
        run.begin = offset;
        run.space_bytes = chunk.space.size();
        found = true;
      }
      run.end = end;
    }
    offset = end;
  }
  return run;
}

bool fits_on_lines(Bytes text) {
  while (!text.empty()) {
    const Chunk chunk = first_chunk(text);
    // The first line has the name in front, whose length is bounded by is_field_name().
    const std::size_t bytes = chunk.space.size() + chunk.word.size();
    if (bytes + line_bytes_wanted > limits::content_line_bytes_max) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

bool is_phrase_of_atoms(Bytes name) {
  return trimmed(name).size() == name.size() &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_atext(c) || c == ' '; });
}

void append_quoted_string(std::string& out, Bytes text) {
  out += '"';
  for (const char character : text) {
    if (character == '"' || character == '\\') {
      out += '\\';
    }
    out += character;
  }
  out += '"';
}

// The mailbox, with `space` before it. Lines break between mailboxes where that is enough.
void add_mailbox(FieldWriter& field, Bytes space, const Mailbox& mailbox) {
  assert_harmless(mailbox.name);
  assert_harmless(mailbox.address);
  constexpr std::size_t frame_bytes = 4;  // ` <>` and a comma
  if (mailbox.name.empty()) {
    field.begin_chunk(space, mailbox.address.size() + 1);
    field.add(mailbox.address);
    return;
  }
  const bool atoms = is_phrase_of_atoms(mailbox.name);
  std::string quoted;
  if (!atoms) {
    append_quoted_string(quoted, mailbox.name);
  }
  const Bytes phrase = atoms ? mailbox.name : quoted;
  if (is_ascii(mailbox.name) && fits_on_lines(phrase)) {
    field.begin_chunk(space, phrase.size() + mailbox.address.size() + frame_bytes);
    field.add_plain(phrase);
  } else {
    field.add_encoded(space, mailbox.name);
  }
  field.begin_chunk(" ", mailbox.address.size() + frame_bytes - 1);
  field.add("<");
  field.add(mailbox.address);
  field.add(">");
}

}  // namespace

bool is_field_name(Bytes name) {
  return !name.empty() && name.size() < line_bytes_wanted - 2 &&
         std::all_of(name.begin(), name.end(), [](char character) {
           return character > ' ' && character <= '~' && character != ':';
         });
}

bool is_mime_token(Bytes text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
    constexpr Bytes specials = "()<>@,;:\\\"/[]?=";
    return character > ' ' && character <= '~' && specials.find(character) == Bytes::npos;
  });
}

bool append_field(std::string& out, Bytes name, Bytes value) {
  RP_ASSERT(is_field_name(name));
  assert_harmless(value);
  const Bytes text = trimmed(value);
  EncodedRun run;
  if (!is_ascii(text)) {
    run = find_encoded_run(text);
  }
  const Bytes before = text.substr(0, run.begin);
  const Bytes encoded = text.substr(run.begin, run.end - run.begin);
  const Bytes behind = text.substr(run.end);
  if (!fits_on_lines(before) || !fits_on_lines(behind) ||
      run.space_bytes + line_bytes_wanted > limits::content_line_bytes_max) {
    return false;
  }
  FieldWriter field(out, name);
  field.add_plain(before);
  if (!encoded.empty()) {
    field.add_encoded(encoded.substr(0, run.space_bytes), encoded.substr(run.space_bytes));
  }
  field.add_plain(behind);
  field.end();
  return true;
}

void append_mailbox_field(std::string& out, Bytes name, std::span<const Mailbox> mailboxes) {
  RP_ASSERT(is_field_name(name) && !mailboxes.empty());
  FieldWriter field(out, name);
  for (std::size_t index = 0; index < mailboxes.size(); ++index) {
    if (index != 0) {
      field.add(",");
    }
    add_mailbox(field, index == 0 ? Bytes{} : Bytes(" "), mailboxes[index]);
  }
  field.end();
}

void append_parameter(std::string& out, Bytes name, Bytes value) {
  RP_ASSERT(is_mime_token(name));
  assert_harmless(value);
  if (is_ascii(value) && value.size() <= plain_parameter_bytes_max) {
    out += ";\r\n ";
    out += name;
    out += '=';
    append_quoted_string(out, value);
    return;
  }
  // RFC 2231 sections 3 and 4: pieces with numbers, the character set in the first of them.
  std::size_t piece = 0;
  while (!value.empty() || piece == 0) {
    const std::size_t line_begin = out.size() + 3;
    out += ";\r\n ";
    out += name;
    out += '*';
    out += std::to_string(piece);
    out += "*=";
    out += piece == 0 ? "UTF-8''" : "";
    while (!value.empty() && out.size() - line_begin + 4 <= line_bytes_wanted) {
      if (is_plain_in_parameter(value.front())) {
        out += value.front();
      } else {
        append_hexadecimal(out, '%', value.front());
      }
      value.remove_prefix(1);
    }
    ++piece;
  }
}

}  // namespace ringpost::codec
