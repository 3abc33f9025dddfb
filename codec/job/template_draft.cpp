// The problem: a template is written in the fields of a job, and each of them may be wrong in its
// own way. The idea: the reader has read them as those of a job, so what is left is which may stand
// together, what stands in files, and mailboxes that are written as one text again, since their
// names are templates. Limits: within an address a tag has no spaces, because an address has none.
#include "codec/job/template_draft.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/job/job_files.h"
#include "codec/smtp/dsn_request.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

using JobChecked = Result<void, JobError>;

Failure<JobError> template_failure(JobErrorKind kind, JobField field, std::string reason) {
  return Failure(JobError{kind, std::string(name_of(field)), std::move(reason)});
}

constexpr std::array content_fields = {JobField::subject,   JobField::text,
                                       JobField::html,      JobField::text_file,
                                       JobField::html_file, JobField::attachments};
// What a template says itself.
constexpr std::array template_fields = {JobField::from, JobField::reply_to, JobField::partials,
                                        JobField::unsubscribe, JobField::list_id};
constexpr std::array finished_fields = {JobField::raw, JobField::raw_base64, JobField::raw_file};
constexpr std::array addressed_fields = {JobField::to, JobField::cc, JobField::bcc};
constexpr std::array definition_fields = {
    JobField::define,   JobField::from,        JobField::reply_to,  JobField::subject,
    JobField::text,     JobField::html,        JobField::text_file, JobField::html_file,
    JobField::headers,  JobField::attachments, JobField::envelope,  JobField::merge,
    JobField::partials, JobField::unsubscribe, JobField::list_id};

std::string text_of(const Mailbox& mailbox) {
  if (mailbox.name.empty()) {
    return mailbox.address;
  }
  std::string text = "\"";
  for (const char character : mailbox.name) {
    if (character == '"' || character == '\\') {
      text += '\\';
    }
    text += character;
  }
  return text + "\" <" + mailbox.address + ">";
}

JobChecked take_mailbox(JobField field, const ReusableList<Mailbox>& list,
                        std::optional<std::string>& text) {
  if (list.size() > 1) {
    return template_failure(JobErrorKind::invalid_value, field, "takes one address in a template");
  }
  if (!list.empty()) {
    text = text_of(list.span().front());
  }
  return {};
}

// From its field or from its file.
JobChecked take_text(const JobFields& given, JobField inline_field, JobField file_field, Bytes path,
                     const JobReaderOptions& options, std::string& text) {
  if (!given.has(file_field)) {
    return {};
  }
  if (given.has(inline_field)) {
    return template_failure(JobErrorKind::conflicting_fields, file_field,
                            fmt::format("may not stand beside \"{}\"", name_of(inline_field)));
  }
  return read_text_file(options, file_field, path, text);
}

void move_text(const JobFields& given, JobField inline_field, JobField file_field,
               std::string& text, std::optional<std::string>& to) {
  if (!given.has(inline_field) && !given.has(file_field)) {
    return;
  }
  if (Bytes(text).starts_with(byte_order_mark)) {
    text.erase(0, byte_order_mark.size());
  }
  to = std::move(text);
}

JobChecked take_parts(JobDraft& draft, const JobReaderOptions& options,
                      TemplateDefinition& definition) {
  const JobFields& given = draft.given;
  JobChecked taken =
      take_text(given, JobField::text, JobField::text_file, draft.text_file, options, draft.text)
          .and_then([&] {
            return take_text(given, JobField::html, JobField::html_file, draft.html_file, options,
                             draft.html);
          })
          .and_then([&] { return load_attachments(draft, options); });
  if (!taken) {
    return taken;
  }
  move_text(given, JobField::text, JobField::text_file, draft.text, definition.text);
  move_text(given, JobField::html, JobField::html_file, draft.html, definition.html);
  for (AttachmentDraft& part : draft.attachments.span()) {
    definition.attachments.push_back(std::move(part.attachment));
  }
  return {};
}

}  // namespace

bool has_content(const JobFields& given) {
  return std::any_of(content_fields.begin(), content_fields.end(),
                     [&given](JobField field) { return given.has(field); });
}

JobChecked make_definition(JobDraft& draft, const JobReaderOptions& options,
                           TemplateDefinition& definition) {
  JobChecked taken =
      take_mailbox(JobField::from, draft.from, definition.from)
          .and_then(
              [&] { return take_mailbox(JobField::reply_to, draft.reply_to, definition.reply_to); })
          .and_then([&] { return take_parts(draft, options, definition); });
  if (!taken) {
    return taken;
  }
  if (draft.given.has(JobField::subject)) {
    definition.subject = draft.subject;
  }
  for (const HeaderField& field : draft.headers.span()) {
    definition.headers.push_back(field);
  }
  if (draft.has_envelope_sender) {
    definition.envelope_sender = draft.envelope_sender.address;
  }
  if (draft.given.has(JobField::unsubscribe)) {
    definition.unsubscribe = std::move(draft.templates.unsubscribe);
  }
  if (draft.given.has(JobField::list_id)) {
    definition.list_id = std::move(draft.templates.list_id);
  }
  definition.partials = std::move(draft.templates.partials);
  return {};
}

JobChecked check_template_line(const JobFields& given) {
  const JobField about = given.has(JobField::recipients)      ? JobField::recipients
                         : given.has(JobField::template_name) ? JobField::template_name
                                                              : JobField::merge;
  for (const JobField field : finished_fields) {
    if (given.has(field)) {
      return template_failure(
          JobErrorKind::conflicting_fields, field,
          fmt::format("may not stand beside \"{}\": a finished message has no places for values; "
                      "give subject, text and html instead",
                      name_of(about)));
    }
  }
  for (const JobField field : addressed_fields) {
    if (about == JobField::recipients && given.has(field)) {
      return template_failure(JobErrorKind::conflicting_fields, field,
                              "may not stand beside \"recipients\", who get a message each");
    }
  }
  const bool is_named = given.has(JobField::template_name);
  if (!is_named && has_content(given)) {
    return {};
  }
  for (const std::span<const JobField> fields :
       {std::span<const JobField>(content_fields), std::span<const JobField>(template_fields)}) {
    for (const JobField field : fields) {
      if (given.has(field)) {
        return template_failure(
            JobErrorKind::conflicting_fields, field,
            is_named
                ? "may not stand beside \"template\", where it has its place"
                : "is the template's: a line that has no subject, text or html of its own uses "
                  "the template of --template");
      }
    }
  }
  return {};
}

JobChecked check_definition_line(const JobDraft& draft, const Message& message) {
  for (std::size_t index = 0; index < job_field_names.size(); ++index) {
    const auto field = static_cast<JobField>(index);
    if (draft.given.has(field) && std::find(definition_fields.begin(), definition_fields.end(),
                                            field) == definition_fields.end()) {
      return template_failure(JobErrorKind::conflicting_fields, field,
                              "is a job's, and may not stand beside \"define\"");
    }
  }
  if (draft.has_envelope_recipients || is_requested(message.dsn)) {
    return template_failure(JobErrorKind::conflicting_fields, JobField::envelope,
                            "has \"from\" alone in a template: the rest is a job's");
  }
  return {};
}

}  // namespace ringpost::codec
