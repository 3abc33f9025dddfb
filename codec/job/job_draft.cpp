// The problem: a line is wrong in many ways, and each recipient in it has to hear of the first. The
// idea: recipients go into the message before anything is checked, also those that are too many;
// then what may stand beside what, and then a finished message or the parts of one, whose files are
// read through an interface and within the bounds of one message. Limits: recipients are as many as
// a line has room for, in little more than its octets.
#include "codec/job/job_draft.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/job/job_files.h"
#include "codec/text/reusable_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using Checked = Result<void, JobError>;

Failure<JobError> refuse(JobErrorKind kind, std::string_view field, std::string reason) {
  return Failure(JobError{kind, std::string(field), std::move(reason)});
}

Failure<JobError> refuse_both(JobField field, JobField other) {
  return refuse(JobErrorKind::conflicting_fields, name_of(field),
                fmt::format("may not stand beside \"{}\"", name_of(other)));
}

constexpr std::array raw_fields = {JobField::raw, JobField::raw_base64, JobField::raw_file};

// ---- Recipients and sender
// -----------------------------------------------------------------------

void add_recipients(const ReusableList<Mailbox>& mailboxes, Message& message) {
  for (const Mailbox& mailbox : mailboxes.span()) {
    message.recipients.add(mailbox.address);
    message.needs_smtputf8 = message.needs_smtputf8 || mailbox.needs_smtputf8;
  }
}

void add_recipients(RecipientDraft& recipients, Message& message) {
  message.recipients.take(recipients.addresses);
  message.needs_smtputf8 = message.needs_smtputf8 || recipients.need_smtputf8;
}

Checked assign_sender(const JobDraft& draft, Message& message) {
  if (draft.from.size() > 1) {
    return refuse(JobErrorKind::invalid_value, "from", "takes one address");
  }
  if (!draft.has_envelope_sender && draft.from.empty()) {
    return refuse(JobErrorKind::missing_field, "from",
                  "is missing: \"from\" or \"envelope.from\" names the sender");
  }
  const Mailbox& sender =
      draft.has_envelope_sender ? draft.envelope_sender : draft.from.span().front();
  message.sender.assign(sender.address);
  message.needs_smtputf8 = message.needs_smtputf8 || sender.needs_smtputf8;
  return {};
}

// ---- Which fields go together
// ---------------------------------------------------------------------

// What the rows exclude.
Checked check_excluded(const JobFields& given, JobField field) {
  if (!given.has(field)) {
    return {};
  }
  for (const JobField other : row_of(field).excludes) {
    if (other != field && given.has(other)) {
      return refuse_both(other, field);
    }
  }
  return {};
}

// Of a line whose texts are no templates.
Checked refuse_template_field(const JobFields& given) {
  for (const JobField field : {JobField::partials, JobField::unsubscribe, JobField::list_id}) {
    if (given.has(field)) {
      return refuse(JobErrorKind::conflicting_fields, name_of(field),
                    "is part of a template: it stands in a line with \"define\", \"recipients\" "
                    "or \"merge\"");
    }
  }
  return {};
}

// ---- Content ------------------------------------------------------------------------------------

// A header that is not ASCII needs SMTPUTF8 (RFC 6531 3.1) when it is UTF-8; in an older encoding
// it is sent as it stands, as everybody's relay does.
bool has_utf8_header(Bytes content) {
  const Bytes header = content.substr(0, content.find("\r\n\r\n"));
  return !is_ascii(header) && is_utf8(header);
}

Checked check_size(const Content& content, std::string_view field) {
  if (content.bytes() > limits::message_bytes_max) {
    return refuse(JobErrorKind::message_too_large, field,
                  fmt::format("the message has {} octets, and {} are allowed", content.bytes(),
                              limits::message_bytes_max));
  }
  return {};
}

Checked finish_raw(const JobDraft& draft, JobField field, const JobReaderOptions& options,
                   Message& message) {
  if (Checked checked = check_excluded(draft.given, field); !checked) {
    return checked;
  }
  Content& content = message.content;
  if (field == JobField::raw_file) {
    Checked read = read_file(options, name_of(field), draft.raw_file, limits::message_bytes_max,
                             ContentMaker::open(content));
    if (!read) {
      return read;
    }
  }
  if (content.piece(0).empty()) {
    return refuse(JobErrorKind::invalid_content, name_of(field), "the message is empty");
  }
  if (auto reason = why_no_message(content.piece(0))) {
    return refuse(JobErrorKind::invalid_content, name_of(field), *std::move(reason));
  }
  if (const auto sealed = ContentMaker(options.newlines).seal(content); !sealed) {
    return refuse(JobErrorKind::invalid_content, name_of(field), sealed.error().message());
  }
  if (content.traits().has_8bit && has_utf8_header(content.piece(0))) {
    message.needs_smtputf8 = true;
  }
  return check_size(content, name_of(field));
}

// The text of one part, its line ends in order.
Result<std::optional<TextPart>, JobError> finish_text(const JobDraft& draft, JobField inline_field,
                                                      JobField file_field, Bytes path,
                                                      const JobReaderOptions& options,
                                                      std::string& text) {
  const bool from_file = draft.given.has(file_field);
  if (!from_file && !draft.given.has(inline_field)) {
    return std::nullopt;
  }
  if (from_file) {
    if (Checked read = read_text_file(options, file_field, path, text); !read) {
      return Failure(std::move(read).error());
    }
  }
  // It says nothing where the encoding is named, and would be part of the text for most readers.
  if (Bytes(text).starts_with(byte_order_mark)) {
    text.erase(0, byte_order_mark.size());
  }
  const auto traits = canonicalise_text(text, options.newlines);
  if (!traits) {
    return refuse(JobErrorKind::invalid_content, name_of(from_file ? file_field : inline_field),
                  traits.error().message());
  }
  return TextPart{text, *traits};
}

Bytes message_id_domain(const JobDraft& draft, const Message& message) {
  if (!draft.from.empty()) {
    return domain_of(draft.from.span().front().address);
  }
  return message.sender.empty() ? Bytes("localhost") : domain_of(message.sender);
}

bool any_needs_smtputf8(std::span<const Mailbox> mailboxes) {
  return std::any_of(mailboxes.begin(), mailboxes.end(),
                     [](const Mailbox& mailbox) { return mailbox.needs_smtputf8; });
}

Checked finish_composed(JobDraft& draft, const JobReaderOptions& options, const Source& where,
                        const LineHash& identity, Message& to) {
  for (const JobField field : {JobField::text, JobField::html}) {
    if (Checked checked = check_excluded(draft.given, field); !checked) {
      return checked;
    }
  }
  auto text =
      finish_text(draft, JobField::text, JobField::text_file, draft.text_file, options, draft.text);
  auto html =
      finish_text(draft, JobField::html, JobField::html_file, draft.html_file, options, draft.html);
  if (!text || !html) {
    return Failure(std::move(text ? html.error() : text.error()));
  }
  if (Checked loaded = load_attachments(draft, options); !loaded) {
    return loaded;
  }
  std::vector<Attachment> attachments;
  for (AttachmentDraft& part : draft.attachments.span()) {
    attachments.push_back(std::move(part.attachment));
  }
  Composition parts;
  parts.from = draft.from.span();
  parts.reply_to = draft.reply_to.span();
  parts.to = draft.to.span();
  parts.cc = draft.cc.span();
  if (draft.given.has(JobField::subject)) {
    parts.subject = draft.subject;
  }
  parts.text = *text;
  parts.html = *html;
  parts.headers = draft.headers.span();
  parts.attachments = attachments;
  parts.message_id_domain = message_id_domain(draft, to);
  parts.identity = identity;
  parts.date_us = where.date_us;
  if (auto composed = compose(parts, ContentMaker::open(to.content)); !composed) {
    CompositionError& error = composed.error();
    return refuse(job_error_kind_of(error.kind), error.field, std::move(error.reason));
  }
  for (const auto mailboxes : {parts.from, parts.reply_to, parts.to, parts.cc}) {
    to.needs_smtputf8 = to.needs_smtputf8 || any_needs_smtputf8(mailboxes);
  }
  // What was composed is checked like what was given: it is the last line of defence.
  if (const auto sealed = ContentMaker(NewlinePolicy::strict).seal(to.content); !sealed) {
    return refuse(JobErrorKind::invalid_content, "", sealed.error().message());
  }
  if (to.idempotency_key.empty()) {
    // Two messages under one id are two messages, so the whole line is in the key.
    to.idempotency_key = to.id;
    to.idempotency_key += '/';
    append_hex(to.idempotency_key, identity.high);
  }
  return check_size(to.content, "");
}

}  // namespace

void AttachmentDraft::clear() {
  attachment.clear();
  empty(path);
}

void RecipientDraft::add(const Mailbox& mailbox) {
  addresses.add(mailbox.address);
  need_smtputf8 = need_smtputf8 || mailbox.needs_smtputf8;
}

void RecipientDraft::clear() {
  addresses.clear();
  need_smtputf8 = false;
}

void JobDraft::clear() {
  if (given.has_any_of_templates()) {
    templates = {};
  }
  given = {};
  for (ReusableList<Mailbox>* list : {&from, &reply_to, &to, &cc}) {
    list->clear();
  }
  for (RecipientDraft* list : {&bcc, &envelope_recipients, &surplus}) {
    list->clear();
  }
  for (std::string* buffer : {&subject, &text, &html, &text_file, &html_file, &raw_file}) {
    empty(*buffer);
  }
  headers.clear();
  attachments.clear(0);
  has_envelope_sender = false;
  has_envelope_recipients = false;
  envelope_sender.clear();
  error.reset();
}

void JobDraft::refuse(JobErrorKind kind, std::string field, std::string reason) {
  if (!error) {
    error = JobError{kind, std::move(field), std::move(reason)};
  }
}

void add_job_recipients(JobDraft& draft, Message& message) {
  if (draft.has_envelope_recipients) {
    add_recipients(draft.envelope_recipients, message);
    return;
  }
  add_recipients(draft.to, message);
  add_recipients(draft.cc, message);
  add_recipients(draft.bcc, message);
  add_recipients(draft.surplus, message);
}

Result<void, JobError> check_recipients(const JobDraft& draft, const JobReaderOptions& options,
                                        const Message& message) {
  if (message.recipients.size() > options.recipients_max) {
    return refuse(JobErrorKind::too_many_recipients, "",
                  fmt::format("more than {} recipients in one job", options.recipients_max));
  }
  if (message.recipients.empty()) {
    const bool given = draft.has_envelope_recipients || draft.given.has(JobField::to) ||
                       draft.given.has(JobField::cc) || draft.given.has(JobField::bcc);
    return refuse(JobErrorKind::no_recipients, given ? "" : "to",
                  given ? "there is no recipient"
                        : "is missing: without a recipient nobody would get the message");
  }
  return {};
}

Result<void, JobError> complete_job(JobDraft& draft, const JobReaderOptions& options,
                                    const Source& where, const LineHash& identity,
                                    Message& message) {
  add_job_recipients(draft, message);
  const auto complete = [&]() -> Checked {
    if (draft.error) {
      return Failure(std::move(*draft.error));
    }
    Checked checked = check_recipients(draft, options, message).and_then([&] {
      return assign_sender(draft, message);
    });
    if (!checked) {
      return checked;
    }
    if (draft.given.has_any_of_templates()) {
      return refuse_template_field(draft.given);
    }
    for (const JobField field : raw_fields) {
      if (draft.given.has(field)) {
        return finish_raw(draft, field, options, message);
      }
    }
    return finish_composed(draft, options, where, identity, message);
  };
  Checked completed = complete();
  if (!completed && message.content.empty()) {
    ContentMaker::abandon(message.content);  // outcome lines say how large it was
  }
  return completed;
}

}  // namespace ringpost::codec
