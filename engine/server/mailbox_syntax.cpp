// The problem: with the client's own check of addresses one mistake would pass on both sides. The
// idea: the grammar of RFC 5321 4.1.2 and RFC 6531 3.3 once more, octet by octet, with a UTF-8
// check of its own. Limits: of an address literal only the characters are looked at, and a domain
// in UTF-8 is not held to IDNA.
#include "engine/server/mailbox_syntax.h"

#include <algorithm>

#include <ringpost/limits.h>

namespace ringpost::server {

namespace {

constexpr std::size_t label_bytes_max = 63;  // RFC 1035 2.3.4

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool is_atext(char c) {
  constexpr Bytes specials = "!#$%&'*+-/=?^_`{|}~";
  return is_letter_or_digit(c) || is_eight_bit(c) || specials.find(c) != Bytes::npos;
}

bool is_printable(char c) { return (c >= ' ' && c <= '~') || is_eight_bit(c); }

// Octets of the UTF-8 sequence at the front of `text`; 0 when it is none (RFC 3629 4).
std::size_t utf8_sequence_bytes(Bytes text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  const std::size_t count = first < 0x80   ? 1
                            : first < 0xC2 ? 0
                            : first < 0xE0 ? 2
                            : first < 0xF0 ? 3
                            : first < 0xF5 ? 4
                                           : 0;
  if (count == 0 || count > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < count; ++i) {
    if ((octet(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const bool overlong_or_surrogate =
      (first == 0xE0 && octet(1) < 0xA0) || (first == 0xED && octet(1) > 0x9F) ||
      (first == 0xF0 && octet(1) < 0x90) || (first == 0xF4 && octet(1) > 0x8F);
  return overlong_or_surrogate ? 0 : count;
}

bool is_utf8(Bytes text) {
  while (!text.empty()) {
    const std::size_t count = utf8_sequence_bytes(text);
    if (count == 0) {
      return false;
    }
    text.remove_prefix(count);
  }
  return true;
}

// Octets of the local part at the front of `text`, 0 when there is none.
std::size_t quoted_string_bytes(Bytes text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      return i + 1;
    }
    if (text[i] == '\\') {
      ++i;
    }
    if (i >= text.size() || !is_printable(text[i])) {
      return 0;
    }
  }
  return 0;
}

std::size_t dot_string_bytes(Bytes text) {
  bool atom_open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_atext(text[i])) {
      atom_open = true;
    } else if (text[i] == '.' && atom_open) {
      atom_open = false;
    } else {
      return atom_open ? i : 0;
    }
  }
  return atom_open ? text.size() : 0;
}

bool is_label(Bytes label, bool utf8) {
  if (label.empty() || label.size() > label_bytes_max || label.front() == '-' ||
      label.back() == '-') {
    return false;
  }
  return std::all_of(label.begin(), label.end(), [utf8](char c) {
    return is_letter_or_digit(c) || c == '-' || (utf8 && is_eight_bit(c));
  });
}

}  // namespace

bool is_ascii(Bytes text) { return std::none_of(text.begin(), text.end(), is_eight_bit); }

bool is_domain(Bytes text, bool utf8) {
  if (text.empty() || text.size() > limits::domain_bytes_max) {
    return false;
  }
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot), utf8)) {
      return false;
    }
    if (dot == Bytes::npos) {
      return true;
    }
    text.remove_prefix(dot + 1);
  }
}

bool is_address_literal(Bytes text) {
  if (text.size() < 3 || text.size() > limits::domain_bytes_max || text.front() != '[' ||
      text.back() != ']') {
    return false;
  }
  const Bytes inner = text.substr(1, text.size() - 2);
  return std::all_of(inner.begin(), inner.end(), [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == ':' || c == '-';
  });
}

Result<Mailbox, Bytes> parse_mailbox(Bytes text) {
  const std::size_t local_bytes =
      text.starts_with('"') ? quoted_string_bytes(text) : dot_string_bytes(text);
  if (local_bytes == 0) {
    return Failure(Bytes("Bad local part"));
  }
  if (local_bytes == text.size() || text[local_bytes] != '@') {
    return Failure(Bytes("No domain behind the local part"));
  }
  const Mailbox mailbox{text.substr(0, local_bytes), text.substr(local_bytes + 1), is_ascii(text)};
  if (!is_domain(mailbox.domain, true) && !is_address_literal(mailbox.domain)) {
    return Failure(Bytes("Bad domain"));
  }
  if (!mailbox.ascii && !is_utf8(text)) {
    return Failure(Bytes("Address is neither ASCII nor UTF-8"));
  }
  return mailbox;
}

}  // namespace ringpost::server
