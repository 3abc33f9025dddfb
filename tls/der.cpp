// The problem: wolfSSL's own ways to a certificate's names and to a new certificate depend on the
// options it was built with, and neither does what is needed: its name check takes a common name
// or a wildcard anywhere, its generator cannot mark basic constraints as critical.
//
// The idea: DER is tag, length, content, nested. Reading is one function that takes an element off
// a view; writing is one that puts a tag and a length before octets. Both work on whole strings:
// certificates are small and rare.
//
// Limits: tags above 30, indefinite lengths and lengths of 64 KB and more are refused; certificates
// that arrive have passed wolfSSL's parser before, so this one only has to be safe, not complete.
#include "tls/der.h"

namespace ringpost::tls::der {

namespace {

std::uint8_t octet_at(Bytes bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

}  // namespace

std::optional<Element> take(Bytes& rest) {
  if (rest.size() < 2 || (octet_at(rest, 0) & 0x1f) == 0x1f) {
    return std::nullopt;
  }
  std::size_t length = octet_at(rest, 1);
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 2 || rest.size() < 2 + count) {
      return std::nullopt;
    }
    length = octet_at(rest, 2);
    if (count == 2) {
      length = length << 8 | octet_at(rest, 3);
    }
    header += count;
    if (length < (count == 2 ? 0x100u : 0x80u)) {
      return std::nullopt;
    }
  }
  if (rest.size() - header < length) {
    return std::nullopt;
  }
  const Element element{octet_at(rest, 0), rest.substr(header, length)};
  rest.remove_prefix(header + length);
  return element;
}

std::optional<Bytes> take(Bytes& rest, std::uint8_t tag) {
  Bytes copy = rest;
  const auto element = take(copy);
  if (!element || element->tag != tag) {
    return std::nullopt;
  }
  rest = copy;
  return element->content;
}

std::string make(std::uint8_t tag, Bytes content) {
  RP_ASSERT(content.size() < 0x10000);
  std::string element(1, static_cast<char>(tag));
  if (content.size() >= 0x100) {
    element += '\x82';
    element += static_cast<char>(content.size() >> 8);
  } else if (content.size() >= 0x80) {
    element += '\x81';
  }
  element += static_cast<char>(content.size() & 0xff);
  element += content;
  return element;
}

std::string make(std::uint8_t tag, std::initializer_list<Bytes> elements) {
  std::string content;
  for (const Bytes element : elements) {
    content += element;
  }
  return make(tag, content);
}

}  // namespace ringpost::tls::der
