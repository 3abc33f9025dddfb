// The problem: a comma is between mailboxes unless it stands in a quoted name or an address, and a
// colon names a group unless it stands there, too. The idea: one walk that knows whether it is in
// quotes or in brackets. Limits: comments are no names here, and nothing of them is understood.
#include "codec/dialect/address_list.h"

#include <algorithm>

namespace ringpost::codec {

namespace {

Bytes trimmed_mailbox(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == Bytes::npos ? Bytes{}
                              : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

void split_address_list(Bytes text, std::vector<Bytes>& mailboxes) {
  bool is_quoted = false;
  std::size_t brackets = 0;  // of <> and of a domain's []
  std::size_t begin = 0;
  const auto take = [&](std::size_t end) {
    if (const Bytes part = trimmed_mailbox(text.substr(begin, end - begin)); !part.empty()) {
      mailboxes.push_back(part);
    }
    begin = end + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (is_quoted) {
      i += character == '\\' ? 1 : 0;
      is_quoted = character != '"';
    } else if (character == '"') {
      is_quoted = true;
    } else if (character == '<' || character == '[') {
      ++brackets;
    } else if (character == '>' || character == ']') {
      brackets -= brackets > 0 ? 1 : 0;
    } else if (brackets == 0 && (character == ',' || character == ';')) {
      take(i);
    } else if (brackets == 0 && character == ':') {
      begin = i + 1;
    }
  }
  take(text.size());
}

}  // namespace ringpost::codec
