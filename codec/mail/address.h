// Mailboxes as people write them, checked before any octet of them can come near a command or a
// header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::codec {

// A mailbox that may stand in a command and in a header.
struct Mailbox {
  std::string name;  // display name in UTF-8, without quotes and escapes; empty when there is none
  std::string address;  // `local@domain`; the domain in ASCII (A-labels), no brackets, no controls
  bool needs_smtputf8 = false;  // the local part is not ASCII (RFC 6531)

  void clear();
};

enum class AddressError : std::uint8_t {
  empty,
  too_long,
  control_character,
  hidden_character,
  space,
  invalid_utf8,
  unclosed_quote,
  unclosed_bracket,
  stray_bracket,
  text_after_bracket,
  null_address,
  source_route,
  comment,
  several_addresses,
  name_too_long,
  name_character,
  no_at_sign,
  local_part_empty,
  local_part_too_long,
  local_part_character,
  local_part_dots,
  domain_empty,
  domain_too_long,
  domain_character,
  domain_label,
  domain_not_idna,
  bad_address_literal,
};
inline constexpr std::size_t address_error_count = 27;

// One clause for people, as in "the domain is empty".
[[nodiscard]] std::string_view text_of(AddressError error);

// The same, with the character that is to blame named by its code point, where there is one that
// nobody can see: "U+200B (zero width space) stands in the address: ...", or with the length of
// what is too long. `text` is what was read.
[[nodiscard]] std::string describe(AddressError error, Bytes text);

// What a mailbox is for.
enum class MailboxUse : std::uint8_t {
  any,
  // A reverse-path only: the local part may fill it. Those of VERP and SRS have the recipient's
  // address in them, and RFC 5321 4.5.3.1 asks for fewer than 65 octets without forbidding more.
  reverse_path,
};

// Reads `a@b`, `<a@b>`, `Name <a@b>` or `"Quoted, Name" <a@b>` (RFC 5322 name-addr and addr-spec
// without comments and obsolete forms). Spaces around the whole of it and within the brackets do
// not count. Linear in the length of the text, no recursion; text longer than any mailbox can be is
// refused unread.
//
// What nobody can see is refused where it would become part of the address: blanks of Unicode,
// zero-width characters, marks of direction, U+FFFD, noncharacters. A name may have them.
//
// Accepted: dot-atom and quoted local parts, UTF-8 local parts, UTF-8 domains (converted by
// IDNA2008 with the non-transitional UTS 46 mapping), `[192.0.2.1]` and `[IPv6:2001:db8::1]`. A
// domain in ASCII keeps its spelling.
//
// Writes into `mailbox`, whose capacity is reused; on error its content is unspecified.
[[nodiscard]] Result<void, AddressError> parse_mailbox(Bytes text, Mailbox& mailbox,
                                                       MailboxUse use = MailboxUse::any);
[[nodiscard]] Result<Mailbox, AddressError> parse_mailbox(Bytes text,
                                                          MailboxUse use = MailboxUse::any);

// The same for a bare addr-spec `local@domain`; the name stays empty.
[[nodiscard]] Result<void, AddressError> validate_address(Bytes text, Mailbox& mailbox,
                                                          MailboxUse use = MailboxUse::any);
[[nodiscard]] Result<Mailbox, AddressError> validate_address(Bytes text,
                                                             MailboxUse use = MailboxUse::any);

// Checks a display name that came apart from its address: UTF-8, no controls.
[[nodiscard]] Result<void, AddressError> validate_display_name(Bytes text);

// The part behind the last at sign. Precondition: a validated address.
[[nodiscard]] Bytes domain_of(Bytes address);

}  // namespace ringpost::codec
