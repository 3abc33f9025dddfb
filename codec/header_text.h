// Header fields as octets: encoded words, folding, parameters.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "codec/address.h"
#include "codec/base.h"

namespace ringpost::codec {

// Everything here appends whole fields or parts of one, in 7 bits unless an address is not ASCII,
// with lines of 78 octets where white space allows it (RFC 5322 2.1.1). Text has no CR, LF or NUL:
// it was checked before, and this is asserted, so that no text can begin a field of its own.

// A field name may only have printable ASCII but the colon (RFC 5322 3.6.8).
[[nodiscard]] bool is_field_name(Bytes name);

// A token of MIME (RFC 2045 5.1).
[[nodiscard]] bool is_mime_token(Bytes text);

// `Name: value` with its CRLF. ASCII goes out as it is, folded at spaces; words that are not ASCII
// become encoded words (RFC 2047). Returns false, and appends nothing, when a word is longer than a
// line may be.
[[nodiscard]] bool append_field(std::string& out, Bytes name, Bytes value);

// `Name: ` and mailboxes with commas, folded between them.
void append_mailbox_field(std::string& out, Bytes name, std::span<const Mailbox> mailboxes);

// `;` and a parameter on a line of its own: `name="value"`, or RFC 2231 `name*=UTF-8''...`, in
// several pieces when it is long.
void append_parameter(std::string& out, Bytes name, Bytes value);

}  // namespace ringpost::codec
