// What a template is compiled into. For message_template and template_writer; nobody else needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "codec/journal/line_hash.h"
#include "codec/mail/header_field.h"
#include "codec/template/merge_data.h"
#include "codec/template/message_template.h"
#include "codec/template/mustache.h"
#include <ringpost/base.h>
#include <ringpost/content.h>

namespace ringpost::codec {

// Octets that no recipient changes: a segment of the store, or where they are few some octets of
// `MessageTemplate::Parts::few`.
struct FixedOctets {
  static constexpr std::uint32_t no_segment = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t segment = no_segment;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

// A literal of a text as quoted-printable, beginning in the first column of a line.
struct EncodedLiteral {
  FixedOctets octets;
  std::uint32_t first_line_bytes = 0;
  std::uint32_t last_line_bytes = 0;
  bool has_line_end = false;

  // Its first line end comes before anything else, so it may stand in any column.
  [[nodiscard]] bool begins_with_line_end() const { return has_line_end && first_line_bytes == 0; }
};

// The text of a part.
struct OpenBody {
  Mustache source;
  bool is_html = false;
  bool ends_message = false;  // and its last line
  std::vector<EncodedLiteral> literals;
};

// A row of what comes behind the fields: octets, or the text of a part.
struct BodyRow {
  FixedOctets octets;
  std::uint32_t open = FixedOctets::no_segment;  // of Parts::open
};

// An address with its name, where a recipient changes one of them.
struct OpenMailbox {
  std::optional<Mustache> name;
  Mustache address;
};

struct TemplateField {
  enum class Kind : std::uint8_t {
    fixed,       // `octets`, whoever it is for
    to,          // the recipient, or who is named for To
    open_to,     // who is named for To; else `mailbox`, or where there is none `octets`
    mailbox,     // `mailbox`
    text,        // `source`
    url,         // `source`, in brackets, percent-encoded
    message_id,  // of the identity
  };

  Kind kind = Kind::fixed;
  std::string name;
  FieldKind value_kind = FieldKind::other;  // by the name
  std::string place;                        // in the definition, for errors
  std::string octets;                       // one field with its CRLF
  std::optional<Mustache> source;
  std::optional<OpenMailbox> mailbox;
};

struct MessageTemplate::Parts {
  std::vector<TemplateField> fields;  // in their order
  std::vector<BodyRow> body;          // from MIME-Version on
  std::vector<OpenBody> open;
  std::string few;
  SegmentStorePtr store;
  std::optional<Mustache> envelope_sender;
  std::string sender;  // of the envelope, where nobody changes it
  bool has_null_sender = false;
  bool needs_smtputf8 = false;    // for what is fixed
  std::string message_id_domain;  // where From is open: "localhost"
  MergeData merge;
  MissingPolicy missing = MissingPolicy::invalid;
  bool verp = false;
  LineHash identity;
  std::vector<std::string> required_names;
  std::vector<std::string> names;
};

}  // namespace ringpost::codec
