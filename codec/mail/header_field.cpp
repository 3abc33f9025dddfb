// The problem: what may stand in a field depends on which it is, and whoever writes a field must
// not be able to write another one with it. The idea: the few kinds of fields are lists of names,
// asked by the checks and by the writer alike. Limits: a field that is in no list is text of one
// line.
#include "codec/mail/header_field.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/job/job_error.h"
#include "codec/mail/field_rules.h"
#include "codec/mail/header_text.h"
#include "codec/text/ascii.h"
#include "codec/text/blanks.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// Fields with names beside addresses or ids, whose encoded words are phrases (RFC 2047 5).
constexpr std::array<Bytes, 8> phrase_fields = {"List-ID",           "Disposition-Notification-To",
                                                "Return-Receipt-To", "Errors-To",
                                                "Resent-From",       "Resent-Sender",
                                                "Resent-To",         "Resent-Cc"};

template <std::size_t count>
bool is_among(Bytes name, const std::array<Bytes, count>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](Bytes other) { return equal_field_names(name, other); });
}

bool has_outer_blanks(Bytes value) {
  constexpr Bytes blanks = " \t";
  return !value.empty() &&
         (blanks.find(value.front()) != Bytes::npos || blanks.find(value.back()) != Bytes::npos);
}

Composed check_value(Bytes name, FieldKind kind, Bytes value) {
  if (std::any_of(value.begin(), value.end(), is_control_but_tab)) {
    return refuse_field(CompositionErrorKind::header_value, name,
                        "has a line break or another control character");
  }
  if (has_outer_blanks(value) && kind != FieldKind::text) {
    return refuse_field(
        CompositionErrorKind::header_value, name,
        "begins or ends with a blank, which would be lost on the way: leave it out");
  }
  const bool is_ascii_only = kind == FieldKind::ascii || kind == FieldKind::message_id;
  if (!is_ascii(value) && is_ascii_only) {
    return refuse_field(
        CompositionErrorKind::header_value, name,
        "must be ASCII; for names that are not there are from, to, cc and reply_to");
  }
  if (kind == FieldKind::message_id &&
      (!value.starts_with('<') || !value.ends_with('>') || value.find(' ') != Bytes::npos)) {
    return refuse_field(CompositionErrorKind::header_value, name, "must look like <left@right>");
  }
  return {};
}

Composed append_value(std::string& out, Bytes name, FieldKind kind, Bytes value,
                      const JobPlace& place) {
  const auto append = kind == FieldKind::text ? append_text_field
                      : is_structured(kind)   ? append_structured_field
                                              : append_field;
  if (append(out, name, value)) {
    return {};
  }
  return Failure(CompositionError{CompositionErrorKind::header_too_long, place.text(),
                                  "has a word that is too long for a line of 998 octets"});
}

}  // namespace

void HeaderField::clear() {
  name.clear();
  value.clear();
}

bool equal_field_names(Bytes left, Bytes right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

bool has_field(std::span<const HeaderField> fields, Bytes name) {
  return std::any_of(fields.begin(), fields.end(), [name](const HeaderField& field) {
    return equal_field_names(field.name, name);
  });
}

Failure<CompositionError> refuse_field(CompositionErrorKind kind, Bytes name, std::string reason) {
  const JobPlace headers{nullptr, "headers"};
  return Failure(CompositionError{kind, headers.member(name).text(), std::move(reason)});
}

Composed check_field_name(Bytes name) {
  if (!is_field_name(name)) {
    return refuse_field(CompositionErrorKind::header_name, name,
                        "is no field name: 1 to 75 printable ASCII characters, no colon, no space");
  }
  if (is_among(name, owned_fields)) {
    return refuse_field(CompositionErrorKind::header_owned, name,
                        "is made from the other fields and cannot be given");
  }
  return {};
}

FieldKind field_kind(Bytes name) {
  if (equal_field_names(name, "Message-ID")) {
    return FieldKind::message_id;
  }
  return is_among(name, text_fields)     ? FieldKind::text
         : is_among(name, ascii_fields)  ? FieldKind::ascii
         : is_among(name, phrase_fields) ? FieldKind::phrases
                                         : FieldKind::other;
}

Composed check_field_value(Bytes name, Bytes value) {
  return check_value(name, field_kind(name), value);
}

Composed check_repeated_fields(std::span<const HeaderField> fields) {
  std::array<bool, single_fields.size()> seen{};
  for (const HeaderField& field : fields) {
    for (std::size_t index = 0; index < single_fields.size(); ++index) {
      if (equal_field_names(field.name, single_fields[index])) {
        if (std::exchange(seen[index], true)) {
          return refuse_field(CompositionErrorKind::header_repeated, field.name, "may stand once");
        }
      }
    }
  }
  return {};
}

Composed append_named_field(std::string& out, Bytes name, Bytes value, const JobPlace& place) {
  return append_value(out, name, field_kind(name), value, place);
}

Composed append_checked_field(std::string& out, Bytes name, FieldKind kind, Bytes value,
                              const JobPlace& place) {
  // What most values are can stand in any field but one.
  if (kind != FieldKind::message_id && append_short_field(out, name, value)) {
    return {};
  }
  return check_value(name, kind, value).and_then([&] {
    return append_value(out, name, kind, value, place);
  });
}

}  // namespace ringpost::codec
