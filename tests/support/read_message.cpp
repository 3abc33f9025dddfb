// Problem: what a template writes is right when a reader gets back what was meant, however it is
// encoded. Idea: the few forms that ringpost writes, read strictly. Limits: no more than those.
#include "tests/support/read_message.h"

#include "codec/text/base64.h"

namespace ringpost::test {

namespace {

constexpr Bytes line_end = "\r\n";

unsigned digit(char c) {
  RP_ASSERT((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'A' + 10);
}

// RFC 2045 6.7, and that no line is longer than 76 octets or ends with a blank.
std::string from_quoted_printable(Bytes encoded) {
  std::string text;
  std::size_t column = 0;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded.substr(i, 2) == line_end) {
      RP_ASSERT(i == 0 || (encoded[i - 1] != ' ' && encoded[i - 1] != '\t'));
      text += line_end;
      column = 0;
      ++i;
      continue;
    }
    ++column;
    RP_ASSERT(column <= 76);
    if (encoded[i] != '=') {
      RP_ASSERT((encoded[i] >= ' ' && encoded[i] <= '~') || encoded[i] == '\t');
      text += encoded[i];
      continue;
    }
    RP_ASSERT(i + 2 < encoded.size());
    if (encoded.substr(i + 1, 2) == line_end) {
      column = 0;
    } else {
      text += static_cast<char>(digit(encoded[i + 1]) * 16 + digit(encoded[i + 2]));
      column += 2;
      RP_ASSERT(column <= 76);
    }
    i += 2;
  }
  return text;
}

// The value of a field among `fields`, with its folds; empty where there is none.
Bytes value_of(Bytes fields, Bytes name) {
  while (!fields.empty()) {
    std::size_t end = fields.find(line_end);
    while (end != Bytes::npos && end + 2 < fields.size() && fields[end + 2] == ' ') {
      end = fields.find(line_end, end + 2);
    }
    RP_ASSERT(end != Bytes::npos);
    if (fields.starts_with(name)) {
      return fields.substr(name.size(), end - name.size());
    }
    fields.remove_prefix(end + 2);
  }
  return {};
}

std::string decoded(Bytes encoding, Bytes body) {
  if (encoding == "7bit" || encoding == "8bit") {
    return std::string(body);
  }
  if (encoding == "quoted-printable") {
    return from_quoted_printable(body);
  }
  RP_ASSERT(encoding == "base64");
  std::string text;
  RP_ASSERT(codec::decode_base64(body, codec::Base64Space::skipped, text));
  return text;
}

// `octets`: fields, an empty line and what is behind it.
void read_parts(Bytes octets, std::vector<ReadPart>& parts) {
  const std::size_t empty_line = octets.find("\r\n\r\n");
  RP_ASSERT(empty_line != Bytes::npos);
  const Bytes fields = octets.substr(0, empty_line + 2);
  Bytes body = octets.substr(empty_line + 4);
  const Bytes type = value_of(fields, "Content-Type: ");
  if (!type.starts_with("multipart/")) {
    std::string text = decoded(value_of(fields, "Content-Transfer-Encoding: "), body);
    while (text.ends_with(line_end)) {
      text.resize(text.size() - 2);
    }
    parts.push_back({std::string(type.substr(0, type.find(';'))), std::move(text)});
    return;
  }
  const std::size_t begin = type.find("boundary=\"") + 10;
  const std::string delimiter =
      "--" + std::string(type.substr(begin, type.find('"', begin) - begin));
  RP_ASSERT(body.starts_with(delimiter + "\r\n"));
  body.remove_prefix(delimiter.size() + 2);
  for (bool is_last = false; !is_last;) {
    const std::size_t end = body.find("\r\n" + delimiter);
    RP_ASSERT(end != Bytes::npos);
    read_parts(body.substr(0, end), parts);
    body.remove_prefix(end + 2 + delimiter.size());
    is_last = body.starts_with("--");
    RP_ASSERT(is_last || body.starts_with(line_end));
    body.remove_prefix(2);
  }
}

bool is_of_mime(Bytes line) {
  return line.starts_with("Message-ID: ") || line.starts_with("MIME-Version: ") ||
         line.starts_with("Content-");
}

}  // namespace

ReadMessage read_message(Bytes octets) {
  ReadMessage message;
  Bytes fields = octets.substr(0, octets.find("\r\n\r\n") + 2);
  bool is_kept = true;
  while (!fields.empty()) {
    const Bytes line = fields.substr(0, fields.find(line_end) + 2);
    is_kept = line.front() == ' ' ? is_kept : !is_of_mime(line);
    message.fields += is_kept ? line : Bytes{};
    fields.remove_prefix(line.size());
  }
  read_parts(octets, message.parts);
  return message;
}

}  // namespace ringpost::test
