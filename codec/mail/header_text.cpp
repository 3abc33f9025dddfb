// The problem: RFC 5322, 2047 and 2231 leave many ways to write a field, and readers of mail decode
// some of them wrongly. The idea: one writer knows the column and the few places where a line may
// break; text is plain words, one run of encoded words and plain words again; comments name the
// readers that decided a way. Limits: plain words between two that need encoding are encoded with
// them; parameters are never continued in pieces.
#include "codec/mail/header_text.h"

#include <algorithm>
#include <cstdint>

#include "codec/mail/encoded_word.h"
#include "codec/text/blanks.h"
#include "codec/text/lexical_token.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::size_t line_bytes_wanted = 78;       // RFC 5322 2.1.1
constexpr std::size_t encoded_line_bytes_max = 76;  // RFC 2047 section 2
// The name and the address of a mailbox stand on a line each, whose other octets are a field's name
// or ` <`, `>` and `,`.
constexpr std::size_t phrase_bytes_max = 900;

bool is_space(char character) { return character == ' ' || character == '\t'; }

// attribute-char of RFC 2231 section 7.
bool is_plain_in_parameter(char character) {
  return is_alphanumeric(character) || Bytes("!#$&+-.^_`{|}~").find(character) != Bytes::npos;
}

// Without leaving early, so that many octets are looked at in one step.
void assert_harmless(Bytes text) {
  std::uint8_t flaws = 0;
  for (const char character : text) {
    flaws |= static_cast<std::uint8_t>(character == '\0');
    flaws |= static_cast<std::uint8_t>(character == '\r');
    flaws |= static_cast<std::uint8_t>(character == '\n');
  }
  RP_ASSERT(flaws == 0);
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

// ASCII words with a blank between each two, and nothing that looks like an encoded word. Without
// leaving early, so that many octets are looked at in one step.
bool is_everyday_text(Bytes text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') {
    return false;
  }
  std::uint8_t flaws = text.front() > ' ' && text.front() <= '~' ? 0 : 1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const auto before = static_cast<std::uint8_t>(text[i - 1]);
    const auto octet = static_cast<std::uint8_t>(text[i]);
    const auto above_blank = static_cast<std::uint8_t>(octet - ' ');
    flaws |= static_cast<std::uint8_t>(above_blank > '~' - ' ');
    flaws |= static_cast<std::uint8_t>((before == ' ') & (octet == ' '));
    flaws |= static_cast<std::uint8_t>((before == '=') & (octet == '?'));
  }
  return flaws == 0;
}

// Readers decode what looks like an encoded word wherever it stands, in quotes, too. MIME-tools
// takes the end of one for it, and the blank away that stands between it and the next.
bool looks_encoded(Bytes text) { return text.find("=?") != Bytes::npos || text.ends_with("?="); }

// Whether readers would decode something in it, which may have blanks in it for some:
// `=?charset?B or Q?text?=`.
bool holds_encoded_word(Bytes text) {
  for (std::size_t at = text.find("=?"); at != Bytes::npos; at = text.find("=?", at + 2)) {
    const std::size_t kind = text.find('?', at + 2) + 1;  // 0 where there is none
    const bool is_begun = kind != 0 && kind + 1 < text.size() && text[kind + 1] == '?' &&
                          Bytes("bBqQ").find(text[kind]) != Bytes::npos;
    if (is_begun && text.find("?=", kind + 2) != Bytes::npos) {
      return true;
    }
  }
  return false;
}

bool wants_encoding(Bytes word) { return !is_ascii(word) || looks_encoded(word); }

// Its blanks come back as they are: one at a time, and none at the ends.
bool has_single_blanks(Bytes text) {
  return without_outer_blanks(text).size() == text.size() && text.find("  ") == Bytes::npos &&
         text.find('\t') == Bytes::npos;
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

  // A row of encoded words, with `space` before it, which is one blank or, at the beginning of the
  // field, none. White space between them means nothing (RFC 2047 6.2).
  void add_encoded(Bytes space, Bytes text) {
    const WordEncoding encoding = readable_encoding(text);
    constexpr std::size_t needed = encoded_word_frame_bytes + encoded_character_bytes_max;
    while (!text.empty()) {
      if (!space.empty() && !ends_with_escape() &&
          column_ + space.size() + needed > encoded_line_bytes_max) {
        fold(space);
      } else {
        add(space);
      }
      // The first word stands on the line of the field's name, however long that is.
      const std::size_t room =
          std::max(needed, encoded_line_bytes_max - std::min(column_, encoded_line_bytes_max));
      const WordPart part = next_word_part(
          text, std::min(room, encoded_word_bytes_max) - encoded_word_frame_bytes, encoding);
      const std::size_t before = out_.size();
      append_encoded_word(out_, text.substr(0, part.bytes), part.encoding);
      column_ += out_.size() - before;
      text.remove_prefix(part.bytes);
      space = " ";
    }
  }

  void add(Bytes text) {
    out_ += text;
    column_ += text.size();
  }

 private:
  // JavaMail takes a backslash for an escape of the line break behind it.
  [[nodiscard]] bool ends_with_escape() const { return out_.back() == '\\'; }

  void fold(Bytes space) {
    out_ += "\r\n";
    out_ += space;
    column_ = space.size();
  }

  // Lines break at single blanks: readers change runs of white space and tabs at the beginning of a
  // line. Where the line would become longer than any may be, they break there nevertheless. A line
  // never consists of white space alone, because words follow all white space.
  void add_space(Bytes space, std::size_t chunk_bytes) {
    const bool freely = space == " " && !ends_with_escape();
    const std::size_t bytes_max = freely ? line_bytes_wanted : limits::content_line_bytes_max;
    if (!space.empty() && column_ + chunk_bytes > bytes_max) {
      fold(space);
    } else {
      add(space);
    }
  }

  std::string& out_;
  std::size_t column_ = 0;
};

// What is encoded of a text: `begin` is where the blank before it stands, if there is one.
struct EncodedRun {
  std::size_t begin = 0;
  std::size_t space_bytes = 0;
  std::size_t end = 0;
};

// From the first word that wants encoding to the last one. Blanks that are not one between two
// words come back only from within an encoded word, and take the words beside them along.
EncodedRun find_encoded_run(Bytes text) {
  EncodedRun run;
  bool found = false;
  std::size_t previous = 0;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const Chunk chunk = first_chunk(text.substr(offset));
    const std::size_t end = offset + chunk.space.size() + chunk.word.size();
    const bool odd_blanks =
        chunk.word.empty() || chunk.space != (offset == 0 ? Bytes() : Bytes(" "));
    if (odd_blanks || wants_encoding(chunk.word)) {
      if (!found) {
        run.begin = odd_blanks ? previous : offset;
        run.space_bytes = run.begin == 0 ? 0 : 1;
        found = true;
      }
      run.end = end;
    }
    previous = offset;
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
  return has_single_blanks(name) &&
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

// Atoms and encoded words in turns; empty when a word is longer than RFC 2047 allows. Two encoded
// words never stand side by side: Python 3.11 puts a blank between those of a phrase.
std::string phrase_of_words(Bytes name) {
  std::string phrase;
  Bytes encoded;  // what the next encoded word will hold
  const auto add = [&phrase](Bytes before) { phrase += phrase.empty() ? Bytes() : before; };
  const auto close = [&] {
    if (!encoded.empty()) {
      add(" ");
      append_encoded_word(phrase, encoded, fitting_encoding(encoded));
    }
    const bool fits = encoded.empty() || encoded_word_size(encoded, fitting_encoding(encoded)) <=
                                             encoded_word_bytes_max;
    encoded = {};
    return fits;
  };
  while (!name.empty()) {
    const Chunk chunk = first_chunk(name);
    const std::size_t bytes = chunk.space.size() + chunk.word.size();
    if (is_phrase_of_atoms(chunk.word) && !looks_encoded(chunk.word)) {
      if (!close()) {
        return {};
      }
      add(" ");
      phrase += chunk.word;
    } else {
      const char* const begin = encoded.empty() ? chunk.word.data() : encoded.data();
      encoded =
          Bytes(begin, static_cast<std::size_t>(chunk.word.data() + chunk.word.size() - begin));
    }
    name.remove_prefix(bytes);
  }
  return close() ? phrase : std::string();
}

// A display name on one line, since GMime keeps a line break that stands within one. In this order,
// behind atoms: a quoted string, one encoded word, encoded words between atoms, and one encoded
// word that is longer than RFC 2047 2 allows: every reader decodes that, while each way of cutting
// a name without ASCII words puts a blank into it for some.
std::string phrase_of(Bytes name) {
  std::string phrase;
  if (!wants_encoding(name)) {
    append_quoted_string(phrase, name);
    if (phrase.size() <= phrase_bytes_max) {
      return phrase;
    }
    phrase.clear();
  }
  const WordEncoding encoding = fitting_encoding(name);
  if (encoded_word_size(name, encoding) > encoded_word_bytes_max && has_single_blanks(name)) {
    phrase = phrase_of_words(name);
  }
  if (phrase.empty() || phrase.size() > phrase_bytes_max) {
    phrase.clear();
    append_encoded_word(phrase, name, encoding);
  }
  return phrase;
}

// The mailbox, with `space` before it. Lines break between mailboxes where that is enough, else in
// front of the address.
void add_mailbox(FieldWriter& field, Bytes space, const Mailbox& mailbox) {
  assert_harmless(mailbox.name);
  assert_harmless(mailbox.address);
  constexpr std::size_t frame_bytes = 4;  // ` <>` and a comma
  // Blanks around a name are shown by nobody and kept by few.
  const Bytes name = without_outer_blanks(mailbox.name);
  if (name.empty()) {
    field.begin_chunk(space, mailbox.address.size() + 1);
    field.add(mailbox.address);
    return;
  }
  const bool atoms = is_phrase_of_atoms(name) && !looks_encoded(name);
  const std::string made = atoms ? std::string() : phrase_of(name);
  const Bytes phrase = atoms ? name : Bytes(made);
  field.begin_chunk(space, phrase.size() + mailbox.address.size() + frame_bytes);
  field.add(phrase);
  field.begin_chunk(" ", mailbox.address.size() + frame_bytes - 1);
  field.add("<");
  field.add(mailbox.address);
  field.add(">");
}

// What stands in quotes and is read right by everybody: the rest is percent-encoded. Blanks at the
// ends are lost, those in rows become one, `'` and `%` are taken for RFC 2231's, backslashes stay.
bool is_plain_file_name(Bytes value) {
  return is_ascii(value) && has_single_blanks(value) && !looks_encoded(value) &&
         value.find_first_of("\"\\'%") == Bytes::npos;
}

void append_percent_encoded(std::string& out, Bytes value) {
  constexpr Bytes hexadecimal = "0123456789ABCDEF";
  for (const char character : value) {
    if (is_plain_in_parameter(character)) {
      out += character;
    } else {
      const auto octet = static_cast<std::uint8_t>(character);
      out += '%';
      out += hexadecimal[octet >> 4];
      out += hexadecimal[octet & 15U];
    }
  }
}

// Appends plain words, then encoded ones, then plain ones again. False when some fit on no line.
bool append_with_run(std::string& out, Bytes name, Bytes text, const EncodedRun& run) {
  const Bytes before = text.substr(0, run.begin);
  const Bytes encoded = text.substr(run.begin, run.end - run.begin);
  const Bytes behind = text.substr(run.end);
  if (!fits_on_lines(before) || !fits_on_lines(behind)) {
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

bool append_short_field(std::string& out, Bytes name, Bytes text) {
  if (name.size() + 2 + text.size() > line_bytes_wanted || !is_everyday_text(text)) {
    return false;
  }
  out += name;
  out += ": ";
  out += text;
  out += "\r\n";
  return true;
}

bool append_field(std::string& out, Bytes name, Bytes value) {
  RP_ASSERT(is_field_name(name));
  if (append_short_field(out, name, value)) {
    return true;
  }
  assert_harmless(value);
  const Bytes text = without_outer_blanks(value);
  const bool is_plain = is_ascii(text) && !holds_encoded_word(text);
  return append_with_run(out, name, text, is_plain ? EncodedRun{} : find_encoded_run(text));
}

bool append_structured_field(std::string& out, Bytes name, Bytes value) {
  RP_ASSERT(is_field_name(name));
  if (append_short_field(out, name, value)) {
    return true;
  }
  assert_harmless(value);
  const Bytes text = without_outer_blanks(value);
  return append_with_run(out, name, text, is_ascii(text) ? EncodedRun{} : find_encoded_run(text));
}

bool append_text_field(std::string& out, Bytes name, Bytes text) {
  RP_ASSERT(is_field_name(name));
  if (append_short_field(out, name, text)) {
    return true;
  }
  assert_harmless(text);
  return append_with_run(out, name, text, find_encoded_run(text));
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

void append_file_name(std::string& out, Bytes value) {
  assert_harmless(value);
  if (is_plain_file_name(value)) {
    out += ";\r\n filename=";
    append_quoted_string(out, value);
  } else {
    // Alone: with a `filename` in ASCII beside it, readers take now the one and now the other. In
    // one piece: some put pieces in the order 0, 1, 10, 2.
    out += ";\r\n filename*=UTF-8''";
    append_percent_encoded(out, value);
  }
}

void append_file_name_for_old_readers(std::string& out, Bytes value) {
  if (!is_plain_file_name(value)) {
    out += ";\r\n name=\"";
    append_encoded_word(out, value, fitting_encoding(value));
    out += '"';
  }
}

}  // namespace ringpost::codec
