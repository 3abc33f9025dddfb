#include "codec/queue_id.h"

namespace ringpost::codec {

namespace {

// The word at the front of `text`, without the brackets and full stops that stand around an id.
Bytes word_of(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" <");
  if (begin == Bytes::npos) {
    return {};
  }
  text.remove_prefix(begin);
  Bytes word = text.substr(0, text.find_first_of(" \n>;,)"));
  while (!word.empty() && word.back() == '.') {
    word.remove_suffix(1);
  }
  return word;
}

// An id has a digit and is longer than a word by chance: "250 Ok thanks" has none.
bool looks_like_id(Bytes word) {
  constexpr std::size_t id_bytes_min = 6;
  return word.size() >= id_bytes_min && word.find_first_of("0123456789") != Bytes::npos;
}

bool starts_with_ok(Bytes text) {
  return text.size() > 3 && (text[0] == 'O' || text[0] == 'o') &&
         (text[1] == 'K' || text[1] == 'k') && text[2] == ' ';
}

}  // namespace

Bytes find_queue_id(Bytes text) {
  for (const Bytes marker : {Bytes("queued as "), Bytes("id=")}) {
    const std::size_t at = text.find(marker);
    if (at != Bytes::npos) {
      return word_of(text.substr(at + marker.size()));
    }
  }
  if (starts_with_ok(text)) {
    const Bytes word = word_of(text.substr(3));
    return looks_like_id(word) ? word : Bytes();
  }
  return {};
}

}  // namespace ringpost::codec
