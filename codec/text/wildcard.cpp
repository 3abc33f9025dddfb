// The problem: `*` in a pattern may stand for anything, and trying all of that has texts which take
// for ever. The idea: each piece between two stars is found at its first place behind the last one,
// which leaves the most for the rest. Limits: no other signs, and octets as they are.
#include "codec/text/wildcard.h"

namespace ringpost::codec {

bool fits_wildcard(Bytes text, Bytes pattern) {
  const std::size_t first = pattern.find('*');
  if (first == Bytes::npos) {
    return text == pattern;
  }
  const std::size_t last = pattern.rfind('*');
  const Bytes head = pattern.substr(0, first);
  const Bytes tail = pattern.substr(last + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) {
    return false;
  }
  text = text.substr(head.size(), text.size() - head.size() - tail.size());
  return first == last || contains_wildcard(text, pattern.substr(first + 1, last - first - 1));
}

// The leftmost place is right for each piece: it leaves the most for those behind.
bool contains_wildcard(Bytes text, Bytes pattern) {
  while (true) {
    const std::size_t star = pattern.find('*');
    const Bytes piece = pattern.substr(0, star);
    const std::size_t at = text.find(piece);
    if (at == Bytes::npos) {
      return false;
    }
    if (star == Bytes::npos) {
      return true;
    }
    text.remove_prefix(at + piece.size());
    pattern.remove_prefix(star + 1);
  }
}

}  // namespace ringpost::codec
