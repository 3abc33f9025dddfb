// Mailboxes (RFC 5322 3.4, RFC 5321 4.1.2, RFC 6531 3.3), read from left to right once.
//
// What stands in an address ends up in a command, so the rule is a list of what is allowed.
// Comments, folding white space, groups, source routes and obsolete forms are refused: nobody needs
// them in a job, and each of them has carried an injection or a quadratic parser somewhere else.
#include "codec/mail/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <optional>

#include <fmt/format.h>
#include <idn2.h>

#include "codec/text/code_point.h"
#include "codec/text/lexical_token.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

// A name, an address before its domain was shortened to A-labels, quotes and brackets.
constexpr std::size_t text_bytes_max = 2048;
// RFC 1035 2.3.4.
constexpr std::size_t label_bytes_max = 63;

using AddressCheck = Result<void, AddressError>;

Failure<AddressError> refuse(AddressError error) { return Failure(error); }

// atext with UTF-8 (RFC 6532 3.2).
bool is_utf8_atext(char character) {
  return (static_cast<std::uint8_t>(character) & 0x80U) != 0 || is_atext(character);
}

// What may stand in a display name without quotes. Dots are RFC 5322's obs-phrase, and everybody's
// "Dr.".
bool is_name_text(char character) { return is_utf8_atext(character) || character == '.'; }

// Offset of the first one.
std::size_t find_control(Bytes text) {
  for (std::size_t index = 0; index < text.size(); ++index) {
    const auto octet = static_cast<std::uint8_t>(text[index]);
    // U+0080 to U+009F begin with C2 in UTF-8.
    const bool c1 = octet == 0xc2 && index + 1 < text.size() &&
                    static_cast<std::uint8_t>(text[index + 1]) < 0xa0;
    if (octet < 0x20 || octet == 0x7f || c1) {
      return index;
    }
  }
  return Bytes::npos;
}

bool has_control(Bytes text) { return find_control(text) != Bytes::npos; }

// The first character of an addr-spec that nobody would see. Joiners in a domain are IDNA's matter:
// some scripts need them, and its rules know where (RFC 5892 appendix A).
std::optional<char32_t> first_hidden(Bytes addr_spec) {
  const std::size_t at = addr_spec.rfind('@');
  for (std::size_t offset = 0; offset < addr_spec.size();) {
    const Utf8Character character = first_utf8_character(addr_spec.substr(offset));
    const bool joiner = character.code_point == 0x200c || character.code_point == 0x200d;
    if (is_hidden(character.code_point) && !(joiner && at != Bytes::npos && offset > at)) {
      return character.code_point;
    }
    offset += character.bytes;
  }
  return std::nullopt;
}

// What every text has to fulfil before anybody looks at its structure.
AddressCheck check_octets(Bytes text) {
  if (text.empty()) {
    return refuse(AddressError::empty);
  }
  if (text.size() > text_bytes_max) {
    return refuse(AddressError::too_long);
  }
  if (has_control(text)) {
    return refuse(AddressError::control_character);
  }
  if (!is_utf8(text)) {
    return refuse(AddressError::invalid_utf8);
  }
  return {};
}

Bytes without_outer_spaces(Bytes text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == Bytes::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Why a character may not stand where it stands, for people.
AddressError why_not(char character, AddressError otherwise) {
  switch (character) {
    case ' ':
      return AddressError::space;
    case '<':
    case '>':
      return AddressError::stray_bracket;
    case ',':
    case ';':
      return AddressError::several_addresses;
    case '(':
    case ')':
      return AddressError::comment;
    default:
      return otherwise;
  }
}

// RFC 5321 4.1.2: Dot-string.
AddressCheck check_dot_string(Bytes local) {
  if (local.empty()) {
    return refuse(AddressError::local_part_empty);
  }
  for (const char character : local) {
    if (!is_utf8_atext(character) && character != '.') {
      const AddressError otherwise =
          character == '"' ? AddressError::unclosed_quote : AddressError::local_part_character;
      return refuse(why_not(character, otherwise));
    }
  }
  if (local.front() == '.' || local.back() == '.' || local.find("..") != Bytes::npos) {
    return refuse(AddressError::local_part_dots);
  }
  return {};
}

// RFC 5321 4.1.3. A general literal (`[tag:...]`) has no registered tag, so it is refused.
AddressCheck check_address_literal(Bytes domain) {
  constexpr Bytes ipv6_tag = "IPv6:";
  if (domain.size() < 2 || domain.back() != ']') {
    return refuse(AddressError::bad_address_literal);
  }
  Bytes inside = domain.substr(1, domain.size() - 2);
  int family = AF_INET;
  if (inside.size() >= ipv6_tag.size() &&
      std::equal(ipv6_tag.begin(), ipv6_tag.end(), inside.begin(),
                 [](char tag, char given) { return tag == given || (tag ^ given) == 0x20; })) {
    family = AF_INET6;
    inside.remove_prefix(ipv6_tag.size());
  }
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (inside.size() >= terminated.size()) {
    return refuse(AddressError::bad_address_literal);
  }
  std::copy(inside.begin(), inside.end(), terminated.begin());
  in6_addr address{};  // the larger of the two
  if (inet_pton(family, terminated.data(), &address) != 1) {
    return refuse(AddressError::bad_address_literal);
  }
  return {};
}

// RFC 5321 4.1.2: Domain, that is letters, digits and hyphens between dots.
AddressCheck check_domain(Bytes domain) {
  std::size_t label_begin = 0;
  for (std::size_t index = 0; index <= domain.size(); ++index) {
    if (index == domain.size() || domain[index] == '.') {
      const Bytes label = domain.substr(label_begin, index - label_begin);
      if (label.empty() || label.size() > label_bytes_max || label.front() == '-' ||
          label.back() == '-') {
        return refuse(AddressError::domain_label);
      }
      label_begin = index + 1;
    } else if (!is_alphanumeric(domain[index]) && domain[index] != '-') {
      return refuse(why_not(domain[index], AddressError::domain_character));
    }
  }
  return {};
}

// Appends the A-labels of a domain that is not ASCII. The mapping can turn a full-width character
// into any ASCII one (U+FF1E into `>`), so the caller checks what comes out like a domain that was
// typed.
AddressCheck append_a_labels(std::string& out, Bytes domain) {
  const std::string terminated(domain);
  char* ascii = nullptr;
  const int status =
      idn2_to_ascii_8z(terminated.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (status != IDN2_OK) {
    return refuse(status == IDN2_TOO_BIG_LABEL || status == IDN2_TOO_BIG_DOMAIN
                      ? AddressError::domain_too_long
                      : AddressError::domain_not_idna);
  }
  out += ascii;
  idn2_free(ascii);
  return {};
}

// Appends the domain as it goes into commands, checked.
AddressCheck append_domain(std::string& out, Bytes domain) {
  if (domain.empty()) {
    return refuse(AddressError::domain_empty);
  }
  const std::size_t begin = out.size();
  if (is_ascii(domain)) {
    out += domain;
  } else if (const AddressCheck converted = append_a_labels(out, domain); !converted) {
    return converted;
  }
  const Bytes ascii = Bytes(out).substr(begin);
  if (ascii.size() > limits::domain_bytes_max) {
    return refuse(AddressError::domain_too_long);
  }
  return !ascii.empty() && ascii.front() == '[' ? check_address_literal(ascii)
                                                : check_domain(ascii);
}

// What an octet is to an everyday address.
enum class Octet : std::uint8_t { other, alphanumeric, symbol, hyphen, dot, at };

constexpr auto octets_by_value = [] {
  std::array<Octet, 256> octets{};
  for (unsigned value = 0; value < octets.size(); ++value) {
    const char character = static_cast<char>(value);
    if (is_alphanumeric(character)) {
      octets[value] = Octet::alphanumeric;
    } else if (character == '-') {
      octets[value] = Octet::hyphen;
    } else if (is_atext(character)) {
      octets[value] = Octet::symbol;
    }
  }
  octets['.'] = Octet::dot;
  octets['@'] = Octet::at;
  return octets;
}();

Octet octet_of(char character) { return octets_by_value[static_cast<unsigned char>(character)]; }

// The offset of the at sign behind a Dot-string; npos: something else stands there.
std::size_t everyday_local_part_size(Bytes text) {
  Octet before = Octet::dot;
  for (std::size_t index = 0; index < text.size(); ++index) {
    const Octet octet = octet_of(text[index]);
    const bool separates = octet == Octet::dot || octet == Octet::at;
    if (octet == Octet::other || (separates && before == Octet::dot)) {
      return Bytes::npos;
    }
    if (octet == Octet::at) {
      return index <= limits::local_part_bytes_max ? index : Bytes::npos;
    }
    before = octet;
  }
  return Bytes::npos;
}

bool is_everyday_domain(Bytes domain) {
  Octet before = Octet::dot;
  std::size_t label_begin = 0;
  for (std::size_t index = 0; index < domain.size(); ++index) {
    const Octet octet = octet_of(domain[index]);
    const bool opens = before == Octet::dot && octet != Octet::alphanumeric;
    const bool closes = before == Octet::hyphen && octet == Octet::dot;
    if (octet == Octet::other || octet == Octet::symbol || octet == Octet::at || opens || closes) {
      return false;
    }
    if (octet == Octet::dot) {
      label_begin = index + 1;
    } else if (index - label_begin >= label_bytes_max) {
      return false;
    }
    before = octet;
  }
  return before == Octet::alphanumeric && domain.size() <= limits::domain_bytes_max;
}

// What nearly all addresses are, told in one pass, since each of each job comes here: a bare
// addr-spec in ASCII without quotes and brackets that no rule forbids.
bool is_everyday_address(Bytes text) {
  const std::size_t at = everyday_local_part_size(text);
  return at != Bytes::npos && text.size() <= limits::mailbox_bytes_max &&
         is_everyday_domain(text.substr(at + 1));
}

// Splits at the at sign and checks both sides. Precondition: check_octets(text).
AddressCheck parse_addr_spec(Bytes text, Mailbox& mailbox, MailboxUse use) {
  const bool ascii = is_ascii(text);
  if (!ascii && first_hidden(text)) {
    return refuse(AddressError::hidden_character);
  }
  std::size_t at = 0;
  const bool quoted = text.front() == '"';
  if (quoted) {
    at = quoted_string_size(text);
    if (at == 0) {
      return refuse(AddressError::unclosed_quote);
    }
    if (at == text.size() || text[at] != '@') {
      return refuse(at == text.size() ? AddressError::no_at_sign
                                      : why_not(text[at], AddressError::local_part_character));
    }
  } else {
    if (text.front() == '@' && text.find(':') != Bytes::npos) {
      return refuse(AddressError::source_route);
    }
    at = text.find('@');
    if (at == Bytes::npos) {
      return refuse(AddressError::no_at_sign);
    }
    if (const AddressCheck checked = check_dot_string(text.substr(0, at)); !checked) {
      return checked;
    }
  }
  const Bytes local = text.substr(0, at);
  if (local.size() > limits::local_part_bytes_max && use != MailboxUse::reverse_path) {
    return refuse(AddressError::local_part_too_long);
  }
  mailbox.needs_smtputf8 = !ascii && !is_ascii(local);
  mailbox.address.assign(text.substr(0, at + 1));
  if (const AddressCheck appended = append_domain(mailbox.address, text.substr(at + 1));
      !appended) {
    return appended;
  }
  if (mailbox.address.size() > limits::mailbox_bytes_max) {
    return refuse(AddressError::too_long);
  }
  return {};
}

// RFC 5322 phrase: words with spaces between them, each an atom or a quoted string. Runs of spaces
// become one, as every reader of mail shows them.
AddressCheck parse_display_name(Bytes text, std::string& name) {
  name.clear();
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
      if (!name.empty() && !text.empty()) {
        name += ' ';
      }
    } else if (text.front() == '"') {
      const std::size_t size = quoted_string_size(text);
      if (size == 0) {
        return refuse(AddressError::unclosed_quote);
      }
      const Bytes inside = text.substr(1, size - 2);
      for (std::size_t index = 0; index < inside.size(); ++index) {
        index += inside[index] == '\\' ? 1U : 0U;
        name += inside[index];
      }
      text.remove_prefix(size);
    } else if (is_name_text(text.front())) {
      name += text.front();
      text.remove_prefix(1);
    } else {
      return refuse(text.front() == '>' ? AddressError::stray_bracket
                                        : AddressError::name_character);
    }
  }
  if (name.size() > limits::display_name_bytes_max) {
    return refuse(AddressError::name_too_long);
  }
  return {};
}

// The first `wanted` outside of quoted strings; npos when there is none.
std::size_t find_unquoted(Bytes text, char wanted) {
  std::size_t index = 0;
  while (index < text.size()) {
    if (text[index] == wanted) {
      return index;
    }
    const std::size_t quoted = text[index] == '"' ? quoted_string_size(text.substr(index)) : 1;
    if (quoted == 0) {
      return Bytes::npos;
    }
    index += quoted;
  }
  return Bytes::npos;
}

// `Name <a@b>`, the bracket at `bracket`.
AddressCheck parse_name_addr(Bytes text, std::size_t bracket, Mailbox& mailbox, MailboxUse use) {
  if (const AddressCheck named = parse_display_name(text.substr(0, bracket), mailbox.name);
      !named) {
    return named;
  }
  const Bytes behind = text.substr(bracket + 1);
  const std::size_t closing = find_unquoted(behind, '>');
  if (closing == Bytes::npos) {
    return refuse(AddressError::unclosed_bracket);
  }
  if (closing + 1 != behind.size()) {
    const char next = without_outer_spaces(behind.substr(closing + 1)).front();
    return refuse(next == ',' || next == ';' ? AddressError::several_addresses
                                             : AddressError::text_after_bracket);
  }
  const Bytes address = without_outer_spaces(behind.substr(0, closing));
  if (address.empty()) {
    return refuse(AddressError::null_address);
  }
  return parse_addr_spec(address, mailbox, use);
}

constexpr std::array<std::string_view, address_error_count> error_texts = {
    "the address is empty",
    "the address is too long",
    "a control character stands in the address",
    "a character that nobody can see stands in the address",
    "a space stands outside of quotes",
    "the address is not valid UTF-8",
    "a quote is not closed",
    "a '<' is not closed",
    "a '<' or '>' stands where none may stand",
    "something stands behind the '>'",
    "'<>' is no recipient",
    "source routes are not supported",
    "comments in parentheses are not supported",
    "there is more than one address: use a list",
    "the name is too long",
    "the name has a character that needs quotes around the name",
    "the '@' is missing",
    "the part before the '@' is empty",
    "the part before the '@' is longer than 64 octets, as only envelope.from may have it",
    "the part before the '@' has a character that may not stand there",
    "the part before the '@' begins or ends with a dot, or has two in a row; if that is how it is "
    "written, quotes help: \"a..b\"@example.com",
    "the domain is empty",
    "the domain is too long",
    "the domain has a character that may not stand there",
    "a part of the domain is empty, longer than 63 octets, or begins or ends with a hyphen",
    "the domain is no valid internationalised name",
    "the address in brackets is no IPv4 address and no 'IPv6:' address",
};

// Of what is too long, how long it is and how long it may be; nothing for another error.
std::optional<std::string> describe_length(AddressError error, Bytes text) {
  const std::size_t bracket = find_unquoted(text, '<');
  const bool has_bracket = bracket != Bytes::npos;
  Bytes address = has_bracket ? text.substr(bracket + 1) : text;
  address = address.substr(0, has_bracket ? address.find('>') : Bytes::npos);
  const std::size_t at = std::min(address.rfind('@'), address.size());
  const auto told = [](std::string_view what, std::size_t bytes_max, std::size_t bytes) {
    return fmt::format("{} is longer than {} octets: it has {}", what, bytes_max, bytes);
  };
  if (error == AddressError::too_long && text.size() > text_bytes_max) {
    return told("the text of an address, with its name,", text_bytes_max, text.size());
  }
  if (error == AddressError::too_long) {
    return told("the address", limits::mailbox_bytes_max, address.size());
  }
  if (error == AddressError::name_too_long) {
    return told("the name", limits::display_name_bytes_max,
                without_outer_spaces(has_bracket ? text.substr(0, bracket) : text).size());
  }
  if (error == AddressError::local_part_too_long) {
    return told("the part before the '@'", limits::local_part_bytes_max, at) +
           "; only envelope.from may have more";
  }
  if (error == AddressError::domain_too_long) {
    return told("the domain", limits::domain_bytes_max,
                address.size() - std::min(at + 1, address.size()));
  }
  return std::nullopt;
}

}  // namespace

void Mailbox::clear() {
  name.clear();
  address.clear();
  needs_smtputf8 = false;
}

std::string_view text_of(AddressError error) {
  return error_texts[static_cast<std::size_t>(error)];
}

std::string describe(AddressError error, Bytes text) {
  if (auto measured = describe_length(error, text)) {
    return std::move(*measured);
  }
  std::optional<char32_t> blamed;
  if (error == AddressError::hidden_character) {
    const std::size_t bracket = find_unquoted(text, '<');
    blamed = first_hidden(text.substr(bracket == Bytes::npos ? 0 : bracket + 1));
  } else if (error == AddressError::control_character) {
    if (const std::size_t at = find_control(text); at != Bytes::npos) {
      const Utf8Character character = first_utf8_character(text.substr(at));
      blamed = character.valid ? std::optional(character.code_point) : std::nullopt;
    }
  }
  if (!blamed) {
    return std::string(text_of(error));
  }
  const Bytes name = name_of_hidden(*blamed);
  return fmt::format("U+{:04X}{}{}{} stands in the address, where nobody sees it: take it out",
                     static_cast<std::uint32_t>(*blamed), name.empty() ? "" : " (", name,
                     name.empty() ? "" : ")");
}

Result<void, AddressError> parse_mailbox(Bytes text, Mailbox& mailbox, MailboxUse use) {
  mailbox.clear();
  if (is_everyday_address(text)) {
    mailbox.address.assign(text);
    return {};
  }
  const Bytes trimmed = without_outer_spaces(text);
  if (const AddressCheck checked = check_octets(trimmed); !checked) {
    return checked;
  }
  const std::size_t bracket = find_unquoted(trimmed, '<');
  return bracket == Bytes::npos ? parse_addr_spec(trimmed, mailbox, use)
                                : parse_name_addr(trimmed, bracket, mailbox, use);
}

Result<Mailbox, AddressError> parse_mailbox(Bytes text, MailboxUse use) {
  Mailbox mailbox;
  return parse_mailbox(text, mailbox, use).transform([&mailbox] { return std::move(mailbox); });
}

Result<void, AddressError> validate_address(Bytes text, Mailbox& mailbox, MailboxUse use) {
  mailbox.clear();
  if (is_everyday_address(text)) {
    mailbox.address.assign(text);
    return {};
  }
  const Bytes trimmed = without_outer_spaces(text);
  return check_octets(trimmed).and_then([&] {
    return trimmed == "<>" ? AddressCheck(refuse(AddressError::null_address))
                           : parse_addr_spec(trimmed, mailbox, use);
  });
}

Result<Mailbox, AddressError> validate_address(Bytes text, MailboxUse use) {
  Mailbox mailbox;
  return validate_address(text, mailbox, use).transform([&mailbox] { return std::move(mailbox); });
}

Result<void, AddressError> validate_display_name(Bytes text) {
  if (text.size() > limits::display_name_bytes_max) {
    return refuse(AddressError::name_too_long);
  }
  if (has_control(text)) {
    return refuse(AddressError::control_character);
  }
  return is_utf8(text) ? AddressCheck{} : AddressCheck(refuse(AddressError::invalid_utf8));
}

Bytes domain_of(Bytes address) { return address.substr(address.rfind('@') + 1); }

}  // namespace ringpost::codec
