// Header fields as octets: encoded words, folding, parameters.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "codec/mail/address.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Everything here appends whole fields or parts of one, in 7 bits unless an address is not ASCII,
// with lines of 78 octets where single blanks allow it (RFC 5322 2.1.1) and never more than 998.
// Nothing is folded in front of a field's first word. Text has no CR, LF or NUL: it was checked
// before, and this is asserted, so that no text can begin a field of its own. How things are
// written was tried on eight readers of mail; `tests/codec/readers` does it again.

// A field name may only have printable ASCII but the colon (RFC 5322 3.6.8).
[[nodiscard]] bool is_field_name(Bytes name);

// A token of MIME (RFC 2045 5.1).
[[nodiscard]] bool is_mime_token(Bytes text);

// What most fields are: ASCII words with a blank between each two, all on one line. False, and
// nothing is appended, where it is anything else.
[[nodiscard]] bool append_short_field(std::string& out, Bytes name, Bytes text);

// `Name: value` with its CRLF, without the white space around the value. ASCII goes out as it is,
// since programs read many fields; words that are not ASCII become encoded words (RFC 2047), and so
// do those that would be read as such although they are none. Returns false, and appends nothing,
// when a word is longer than a line may be.
[[nodiscard]] bool append_field(std::string& out, Bytes name, Bytes value);

// The same for fields with a syntax of their own, such as addresses with names, in which whoever
// wrote them may have put encoded words: those go out as they are.
[[nodiscard]] bool append_structured_field(std::string& out, Bytes name, Bytes value);

// The same for text that people read, as a subject, which comes back as it was given: blanks in
// rows and at the ends, and what looks like an encoded word, are encoded.
[[nodiscard]] bool append_text_field(std::string& out, Bytes name, Bytes text);

// `Name: ` and mailboxes with commas, folded between them or in front of an address, never within a
// name.
void append_mailbox_field(std::string& out, Bytes name, std::span<const Mailbox> mailboxes);

// `;` and the parameter of Content-Disposition on a line of its own: `filename="value"`, or
// `filename*=UTF-8''value` (RFC 2231) where the first would not be read right by everybody. A value
// has 255 octets at most, so that it fits on its line.
void append_file_name(std::string& out, Bytes value);

// `;` and `name="=?UTF-8?..?="` for Content-Type, which readers that know no RFC 2231 take. Nothing
// where the name is in `filename`.
void append_file_name_for_old_readers(std::string& out, Bytes value);

}  // namespace ringpost::codec
