// The problem: a job names fields and parts in its own way, and a message has them in one order,
// once each. The idea: everything is checked before the first octet is written, fields go in the
// order in which people read them, and the parts are part_tree's. Limits: fields that the job gives
// by name keep their order and stand behind the others.
#include "codec/mail/composition.h"

#include <array>
#include <utility>

#include "codec/job/job_error.h"
#include "codec/mail/header_text.h"
#include "codec/text/unix_date.h"

namespace ringpost::codec {

namespace {

bool has_header(const Composition& draft, Bytes name) { return has_field(draft.headers, name); }

// ---- Checks
// -----------------------------------------------------------------------------------------

Composed check_conflicts(const Composition& draft) {
  const std::array<std::pair<Bytes, bool>, 5> given = {{{"From", !draft.from.empty()},
                                                        {"Reply-To", !draft.reply_to.empty()},
                                                        {"To", !draft.to.empty()},
                                                        {"Cc", !draft.cc.empty()},
                                                        {"Subject", draft.subject.has_value()}}};
  for (const auto& [name, is_given] : given) {
    if (is_given && has_header(draft, name)) {
      return refuse_field(CompositionErrorKind::header_conflict, name,
                          "the job has a field of its own for it, and gives both");
    }
  }
  return {};
}

Composed check_headers(const Composition& draft) {
  for (const HeaderField& field : draft.headers) {
    Composed checked = check_field_name(field.name).and_then([&field] {
      return check_field_value(field.name, field.value);
    });
    if (!checked) {
      return checked;
    }
  }
  if (draft.from.empty() && !has_header(draft, "From")) {
    return Failure(CompositionError{CompositionErrorKind::no_author, "from",
                                    "is missing: a message needs an author"});
  }
  return check_repeated_fields(draft.headers).and_then([&draft] { return check_conflicts(draft); });
}

Composed check_attachments(const Composition& draft) {
  for (std::size_t index = 0; index < draft.attachments.size(); ++index) {
    if (Composed checked = check_attachment(draft.attachments[index], index); !checked) {
      return checked;
    }
  }
  return {};
}

Composed check(const Composition& draft) {
  if (Composed checked = check_headers(draft); !checked) {
    return checked;
  }
  if (!draft.text && !draft.html && draft.attachments.empty()) {
    return Failure(CompositionError{
        CompositionErrorKind::no_content, "",
        "there is no content: \"text\", \"html\", \"attachments\" or \"raw\" is needed"});
  }
  return check_attachments(draft);
}

// ---- Fields
// -----------------------------------------------------------------------------------------

void write_mailboxes(std::string& out, Bytes name, std::span<const Mailbox> mailboxes) {
  if (!mailboxes.empty()) {
    append_mailbox_field(out, name, mailboxes);
  }
}

void write_addresses(const Composition& draft, std::string& out) {
  write_mailboxes(out, "From", draft.from);
  write_mailboxes(out, "Reply-To", draft.reply_to);
  write_mailboxes(out, "To", draft.to);
  write_mailboxes(out, "Cc", draft.cc);
  const bool names_recipients =
      !draft.to.empty() || !draft.cc.empty() || has_header(draft, "To") || has_header(draft, "Cc");
  if (!names_recipients) {
    // RFC 5322 A.1.3 shows it; a message without any recipient looks like spam to many filters.
    out += "To: undisclosed-recipients:;\r\n";
  }
}

void write_generated_fields(const Composition& draft, std::string& out) {
  if (!has_header(draft, "Date")) {
    out += "Date: ";
    append_rfc5322_date(out, draft.date_us / 1'000'000);
    out += "\r\n";
  }
  if (!has_header(draft, "Message-ID")) {
    append_message_id_field(out, draft.identity, draft.message_id_domain);
  }
}

Composed write_fields(const Composition& draft, std::string& out) {
  write_addresses(draft, out);
  if (draft.subject) {
    Composed written = append_named_field(out, "Subject", *draft.subject, {nullptr, "subject"});
    if (!written) {
      return written;
    }
  }
  write_generated_fields(draft, out);
  const JobPlace headers{nullptr, "headers"};
  for (const HeaderField& field : draft.headers) {
    Composed written = append_named_field(out, field.name, field.value, headers.member(field.name));
    if (!written) {
      return written;
    }
  }
  out += "MIME-Version: 1.0\r\n";
  return {};
}

}  // namespace

void append_message_id_field(std::string& out, const LineHash& identity, Bytes domain) {
  out += "Message-ID: <";
  append_hex(out, identity);
  out += '@';
  out += domain;
  out += ">\r\n";
}

Composed compose(const Composition& draft, std::string& content) {
  if (Composed checked = check(draft); !checked) {
    return checked;
  }
  const PartTree parts{.text = draft.text ? &*draft.text : nullptr,
                       .html = draft.html ? &*draft.html : nullptr,
                       .attachments = draft.attachments,
                       .identity = draft.identity};
  // So that large parts are not copied while the string grows.
  content.reserve(content.size() + size_of_parts(parts));
  Composed written = write_fields(draft, content);
  return written ? append_parts(parts, content) : std::move(written);
}

}  // namespace ringpost::codec
