// The problem: readers repair what is badly encoded, each in another way, and a newsletter made of
// that would say something else than its author saw. The idea: everything is decoded whole or
// refused with the place. Limits: what a charset is knows whoever calls.
#include "codec/mail/mime_decoding.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// The octet of `=XX`; nothing where it is none.
std::optional<char> escaped_octet(Bytes text) {
  if (text.size() < 3 || !is_hexadecimal(text[1]) || !is_hexadecimal(text[2])) {
    return std::nullopt;
  }
  return static_cast<char>(hexadecimal_value(text[1]) * 16 + hexadecimal_value(text[2]));
}

// A line without its CRLF. Returns whether the next one goes on in it; nothing where it is wrong.
std::optional<bool> append_unquoted_line(std::string& out, Bytes line) {
  // RFC 2045 6.7 (3): blanks at the end were added on the way.
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  while (!line.empty()) {
    if (line == "=") {
      return true;
    }
    if (line.front() != '=') {
      const Bytes plain = line.substr(0, line.find('='));
      out += plain;
      line.remove_prefix(plain.size());
      continue;
    }
    const std::optional<char> octet = escaped_octet(line);
    if (!octet) {
      return std::nullopt;
    }
    out += *octet;
    line.remove_prefix(3);
  }
  return false;
}

Result<std::string, std::string> decode_quoted_printable(Bytes body) {
  std::string out;
  out.reserve(body.size());
  std::size_t number = 1;
  for (std::size_t at = 0; at < body.size(); ++number) {
    const std::size_t line_end = body.find("\r\n", at);
    const bool is_last = line_end == Bytes::npos;
    const std::optional<bool> goes_on =
        append_unquoted_line(out, body.substr(at, is_last ? Bytes::npos : line_end - at));
    if (!goes_on) {
      return Failure(
          fmt::format("is no quoted-printable in its line {}: behind = stand two "
                      "hexadecimal digits",
                      number));
    }
    if (is_last) {
      break;
    }
    if (!*goes_on) {
      out += "\r\n";
    }
    at = line_end + 2;
  }
  return out;
}

// One encoded word (RFC 2047 2), still encoded.
struct EncodedWord {
  Bytes charset;  // without a language (RFC 2231 5)
  char encoding = 'q';
  Bytes text;
  std::size_t bytes = 0;
};

std::optional<EncodedWord> encoded_word_at(Bytes text) {
  if (!text.starts_with("=?")) {
    return std::nullopt;
  }
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == Bytes::npos || charset_end == 2 || text.size() < charset_end + 3 ||
      text[charset_end + 2] != '?') {
    return std::nullopt;
  }
  EncodedWord word;
  word.charset = text.substr(2, charset_end - 2);
  word.charset = word.charset.substr(0, word.charset.find('*'));
  word.encoding = lower(text[charset_end + 1]);
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find("?=", begin);
  if (end == Bytes::npos || (word.encoding != 'q' && word.encoding != 'b')) {
    return std::nullopt;
  }
  word.text = text.substr(begin, end - begin);
  word.bytes = end + 2;
  // RFC 2047 5: no blank within a word.
  const bool has_blank = text.substr(0, end).find_first_of(" \t") != Bytes::npos;
  return has_blank ? std::nullopt : std::optional(word);
}

bool append_word_octets(std::string& out, const EncodedWord& word) {
  if (word.encoding == 'b') {
    std::string padded(word.text);
    const std::size_t rest = padded.size() % 4;
    padded.append(rest > 1 ? 4 - rest : 0, '=');
    return decode_base64(padded, Base64Space::refused, out).has_value();
  }
  for (std::size_t i = 0; i < word.text.size(); ++i) {
    if (word.text[i] == '=') {
      const std::optional<char> octet = escaped_octet(word.text.substr(i));
      if (!octet) {
        return false;
      }
      out += *octet;
      i += 2;
    } else {
      out += word.text[i] == '_' ? ' ' : word.text[i];
    }
  }
  return true;
}

// Words as they come, and the text between them.
class WordReader {
 public:
  explicit WordReader(ToUtf8 to_utf8) : to_utf8_(to_utf8) {}

  Result<std::string, std::string> run(Bytes text) {
    while (!text.empty()) {
      const std::optional<EncodedWord> word = encoded_word_at(text);
      const bool done = word ? take_word(*word) : take_plain(text);
      if (!done) {
        return Failure(std::move(error_));
      }
      text.remove_prefix(word ? word->bytes : plain_bytes_);
    }
    if (!end_row()) {
      return Failure(std::move(error_));
    }
    return std::move(out_);
  }

 private:
  bool take_word(const EncodedWord& word) {
    if (!charset_.empty() && !equal_without_case(charset_, word.charset) && !decode_row()) {
      return false;
    }
    blanks_ = {};
    charset_ = word.charset;
    if (!append_word_octets(octets_, word)) {
      error_ = fmt::format("has an encoded word that cannot be decoded: \"{}\"",
                           utf8_prefix(is_utf8(word.text) ? word.text : Bytes{}, 80));
      return false;
    }
    return true;
  }

  bool take_plain(Bytes text) {
    plain_bytes_ = std::min(text.find("=?", text.starts_with("=?") ? 2 : 0), text.size());
    const Bytes plain = text.substr(0, plain_bytes_);
    if (!is_utf8(plain)) {
      error_ = "has octets that are neither ASCII nor UTF-8";
      return false;
    }
    // Blanks count when something else than a word follows.
    if (!charset_.empty() && blanks_.empty() && plain.find_first_not_of(" \t") == Bytes::npos) {
      blanks_ = plain;
      return true;
    }
    if (!end_row()) {
      return false;
    }
    out_ += plain;
    return true;
  }

  bool decode_row() {
    auto decoded = to_utf8_(charset_, octets_);
    octets_.clear();
    charset_ = {};
    if (!decoded) {
      error_ = "has an encoded word that cannot be decoded: " + decoded.error();
      return false;
    }
    out_ += *decoded;
    return true;
  }

  bool end_row() {
    if (charset_.empty()) {
      return true;
    }
    if (!decode_row()) {
      return false;
    }
    out_ += blanks_;
    blanks_ = {};
    return true;
  }

  ToUtf8 to_utf8_;
  std::string out_;
  Bytes charset_;       // of the row of words that is not decoded yet; empty: there is none
  std::string octets_;  // of that row
  Bytes blanks_;        // behind it
  std::size_t plain_bytes_ = 0;
  std::string error_;
};

std::size_t quote_depth(Bytes line) { return std::min(line.find_first_not_of('>'), line.size()); }

}  // namespace

Result<std::string, std::string> decode_body(Bytes body, Bytes encoding) {
  if (encoding.empty() || equal_without_case(encoding, "7bit") ||
      equal_without_case(encoding, "8bit") || equal_without_case(encoding, "binary")) {
    return std::string(body);
  }
  if (equal_without_case(encoding, "quoted-printable")) {
    return decode_quoted_printable(body);
  }
  if (!equal_without_case(encoding, "base64")) {
    return Failure(
        fmt::format("has the Content-Transfer-Encoding \"{}\", which is none of 7bit, "
                    "8bit, binary, quoted-printable and base64",
                    encoding));
  }
  std::string out;
  if (const auto done = decode_base64(body, Base64Space::skipped, out); !done) {
    const Bytes before = body.substr(0, done.error().offset);
    return Failure(done.error().offset == body.size()
                       ? std::string("is base64 that was cut: its end is missing")
                       : fmt::format("is no base64 in its line {}",
                                     std::count(before.begin(), before.end(), '\n') + 1));
  }
  return out;
}

Result<std::string, std::string> decode_words(Bytes text, ToUtf8 to_utf8) {
  return WordReader(to_utf8).run(text);
}

Result<std::string, std::string> decode_parameter(const MimeParameter& parameter, ToUtf8 to_utf8) {
  if (!parameter.charset.empty()) {
    return to_utf8(parameter.charset, parameter.value);
  }
  return decode_words(parameter.value, to_utf8);
}

// RFC 3676 4.1 to 4.5. A line that ends with a blank goes on in the next one of the same depth of
// quotes, but for the line over a signature.
std::string unflowed(Bytes text, bool delete_space) {
  std::string out;
  out.reserve(text.size());
  bool goes_on = false;
  std::size_t depth_before = 0;
  while (!text.empty()) {
    const std::size_t line_end = std::min(text.find("\r\n"), text.size());
    const bool has_end = line_end < text.size();
    Bytes line = text.substr(0, line_end);
    text.remove_prefix(has_end ? line_end + 2 : line_end);
    const std::size_t depth = quote_depth(line);
    const Bytes quotes = line.substr(0, depth);
    line.remove_prefix(depth);
    line.remove_prefix(line.starts_with(' ') ? 1 : 0);
    const bool is_signature = line == "-- ";
    if (goes_on && (depth != depth_before || is_signature)) {
      out += "\r\n";
      goes_on = false;
    }
    if (!goes_on && depth > 0) {
      out += quotes;
      out += ' ';
    }
    goes_on = has_end && line.ends_with(' ') && !is_signature;
    line.remove_suffix(goes_on && delete_space ? 1 : 0);
    out += line;
    if (has_end && !goes_on) {
      out += "\r\n";
    }
    depth_before = depth;
  }
  return out;
}

}  // namespace ringpost::codec
