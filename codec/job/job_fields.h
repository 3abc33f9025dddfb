// The fields of a job line (docs/CONTRACT.md section 2) and the members of the objects in it: what
// each is called, what may stand there, and what may not stand beside it.
//
// One row each, for everybody: job_reader finds fields by these names and takes these bounds,
// job_draft refuses what a row excludes, and the schema that `ringpost validate --schema jobs`
// prints is written from them. So where does a new field go? Its enumerator, its row, and its case
// in job_reader.cpp; a value that is like none of JobValue gets its words in job_fields.cpp and its
// schema in tools/send/job_schema.cpp, which do not compile without.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::codec {

// In the order of their rows.
enum class JobField : std::uint8_t {
  id,
  from,
  reply_to,
  to,
  cc,
  bcc,
  subject,
  text,
  html,
  text_file,
  html_file,
  headers,
  attachments,
  raw,
  raw_base64,
  raw_file,
  envelope,
  template_name,
  merge,
  recipients,
  define,
  partials,
  unsubscribe,
  list_id,
  tags,
  metadata,
  endpoint,
  expires_at,
  idempotency_key,
};

enum class MailboxMember : std::uint8_t { email, name };
enum class RecipientMember : std::uint8_t { email, name, id, merge, metadata, headers };
enum class AttachmentMember : std::uint8_t { filename, content, path, content_type, cid };
enum class EnvelopeMember : std::uint8_t { from, to, dsn };
enum class DsnMember : std::uint8_t { notify, ret, envid };

// What may stand as a value.
enum class JobValue : std::uint8_t {
  id,               // a label, or a whole number, which is taken by its digits
  label,            // a short string without controls
  printable_label,  // the same in ASCII
  line,             // text without a line break or another control
  text,             // text, its line ends all of one kind
  message,          // a finished one (RFC 5322)
  message_base64,   // the same in base64
  base64,
  path,        // the name of a file to be read
  address,     // `local@domain`
  name,        // of a person, beside an address
  author,      // one mailbox, maybe in a list
  mailboxes,   // one or a list
  sender,      // one mailbox or the null sender (RFC 5321 4.5.5)
  recipients,  // as mailboxes; what stands here replaces the others
  headers,
  attachments,
  file_name,     // that a reader of the message sees
  content_type,  // RFC 2045 5.1
  content_id,    // without brackets
  envelope,
  dsn,
  notify,       // RFC 3461 4.1
  return_kind,  // RFC 3461 4.3
  envelope_id,  // RFC 3461 4.4
  tags,
  json,     // anything
  merge,    // an object of values for a template
  texts,    // an object of texts
  fan_out,  // a list of mailboxes or of objects with recipient_rows, who get a message each
  moment,   // RFC 3339, or seconds of Unix time
};

// Of JobValue::moment: the end of the year 9999.
inline constexpr std::int64_t moment_seconds_max = 253'402'300'799;

// What a value of the wrong type should have been, as in "must be a string".
[[nodiscard]] std::string_view words_of(JobValue value);

template <typename Field>
struct FieldRow {
  Field field;
  std::string_view name;
  JobValue value;
  std::string_view help;                 // one line for people
  std::size_t bytes_max = 0;             // of a string; 0: no bound of its own
  std::size_t count_max = 0;             // of a list or an object; likewise
  std::span<const Field> excludes = {};  // may not stand beside this one; itself does not count
};

// ---- The rows ---------------------------------------------------------------------------------

// A finished message is said in one way, and has all of the others in itself.
inline constexpr std::array beside_raw = {
    JobField::raw,       JobField::raw_base64, JobField::raw_file,    JobField::reply_to,
    JobField::subject,   JobField::text,       JobField::html,        JobField::text_file,
    JobField::html_file, JobField::headers,    JobField::attachments, JobField::template_name,
    JobField::merge,     JobField::recipients};
inline constexpr std::array beside_template = {
    JobField::from,     JobField::reply_to,  JobField::subject,    JobField::text,
    JobField::html,     JobField::text_file, JobField::html_file,  JobField::attachments,
    JobField::partials, JobField::list_id,   JobField::unsubscribe};
inline constexpr std::array beside_recipients = {JobField::to, JobField::cc, JobField::bcc};
inline constexpr std::array beside_text = {JobField::text_file};
inline constexpr std::array beside_html = {JobField::html_file};
inline constexpr std::array beside_content = {AttachmentMember::path};

inline constexpr std::array job_rows = std::to_array<FieldRow<JobField>>({
    {.field = JobField::id,
     .name = "id",
     .value = JobValue::id,
     .help = "Stands in each outcome, and is the key of a resume; a hash of the line without one",
     .bytes_max = limits::job_id_bytes_max},
    {.field = JobField::from,
     .name = "from",
     .value = JobValue::author,
     .help = "The author; the envelope's sender, too, unless envelope.from is given"},
    {.field = JobField::reply_to,
     .name = "reply_to",
     .value = JobValue::mailboxes,
     .help = "Where answers go instead",
     .count_max = limits::job_recipients_max},
    {.field = JobField::to,
     .name = "to",
     .value = JobValue::mailboxes,
     .help = "Recipients",
     .count_max = limits::job_recipients_max},
    {.field = JobField::cc,
     .name = "cc",
     .value = JobValue::mailboxes,
     .help = "Recipients of a copy",
     .count_max = limits::job_recipients_max},
    {.field = JobField::bcc,
     .name = "bcc",
     .value = JobValue::mailboxes,
     .help = "Recipients whom no header names",
     .count_max = limits::job_recipients_max},
    {.field = JobField::subject,
     .name = "subject",
     .value = JobValue::line,
     .help = "The subject, in any script"},
    {.field = JobField::text,
     .name = "text",
     .value = JobValue::text,
     .help = "The message as plain text",
     .excludes = beside_text},
    {.field = JobField::html,
     .name = "html",
     .value = JobValue::text,
     .help = "The message as HTML",
     .excludes = beside_html},
    {.field = JobField::text_file,
     .name = "text_file",
     .value = JobValue::path,
     .help = "A file with the plain text, UTF-8"},
    {.field = JobField::html_file,
     .name = "html_file",
     .value = JobValue::path,
     .help = "A file with the HTML, UTF-8"},
    {.field = JobField::headers,
     .name = "headers",
     .value = JobValue::headers,
     .help = "Further header fields: a string each, or a list of strings",
     .count_max = limits::job_header_fields_max},
    {.field = JobField::attachments,
     .name = "attachments",
     .value = JobValue::attachments,
     .help = "Files that come with the message",
     .count_max = limits::job_attachments_max},
    {.field = JobField::raw,
     .name = "raw",
     .value = JobValue::message,
     .help = "A finished RFC 5322 message instead of the fields that make one",
     .excludes = beside_raw},
    {.field = JobField::raw_base64,
     .name = "raw_base64",
     .value = JobValue::message_base64,
     .help = "The same in base64",
     .excludes = beside_raw},
    {.field = JobField::raw_file,
     .name = "raw_file",
     .value = JobValue::path,
     .help = "The same in a file",
     .excludes = beside_raw},
    {.field = JobField::envelope,
     .name = "envelope",
     .value = JobValue::envelope,
     .help = "What SMTP is told, whatever the headers say"},
    {.field = JobField::template_name,
     .name = "template",
     .value = JobValue::label,
     .help = "The template that makes the message: of a line above with define",
     .bytes_max = limits::job_id_bytes_max,
     .excludes = beside_template},
    {.field = JobField::merge,
     .name = "merge",
     .value = JobValue::merge,
     .help = "Values for {{name}} in the texts of the line, or in its template"},
    {.field = JobField::recipients,
     .name = "recipients",
     .value = JobValue::fan_out,
     .help = "Recipients who get a message each",
     .count_max = limits::journal_recipients_max,
     .excludes = beside_recipients},
    {.field = JobField::define,
     .name = "define",
     .value = JobValue::label,
     .help = "No job, but a template of that name: the first member of its line",
     .bytes_max = limits::job_id_bytes_max},
    {.field = JobField::partials,
     .name = "partials",
     .value = JobValue::texts,
     .help = "Templates that others put into themselves by {{>name}}",
     .count_max = limits::template_partials_max},
    {.field = JobField::unsubscribe,
     .name = "unsubscribe",
     .value = JobValue::line,
     .help = "An https: or mailto: URL for List-Unsubscribe (RFC 8058), of a template"},
    {.field = JobField::list_id,
     .name = "list_id",
     .value = JobValue::line,
     .help = "List-ID (RFC 2919), of a template"},
    {.field = JobField::tags,
     .name = "tags",
     .value = JobValue::tags,
     .help = "Stand in each outcome, and are never sent",
     .bytes_max = limits::job_echo_bytes_max},
    {.field = JobField::metadata,
     .name = "metadata",
     .value = JobValue::json,
     .help = "Any JSON; stands in each outcome, and is never sent",
     .bytes_max = limits::job_echo_bytes_max},
    {.field = JobField::endpoint,
     .name = "endpoint",
     .value = JobValue::label,
     .help = "The endpoint that is to send it, by its name in the configuration",
     .bytes_max = limits::job_endpoint_bytes_max},
    {.field = JobField::expires_at,
     .name = "expires_at",
     .value = JobValue::moment,
     .help = "No attempt begins after it"},
    {.field = JobField::idempotency_key,
     .name = "idempotency_key",
     .value = JobValue::printable_label,
     .help = "By what a provider knows the same message again, where the endpoint names a header "
             "for it",
     .bytes_max = limits::idempotency_key_bytes_max},
});

inline constexpr std::array mailbox_rows = std::to_array<FieldRow<MailboxMember>>({
    {.field = MailboxMember::email,
     .name = "email",
     .value = JobValue::address,
     .help = "local@domain"},
    {.field = MailboxMember::name,
     .name = "name",
     .value = JobValue::name,
     .help = "The display name, without quotes",
     .bytes_max = limits::display_name_bytes_max},
});

inline constexpr std::array recipient_rows = std::to_array<FieldRow<RecipientMember>>({
    {.field = RecipientMember::email,
     .name = "email",
     .value = JobValue::address,
     .help = "local@domain"},
    {.field = RecipientMember::name,
     .name = "name",
     .value = JobValue::name,
     .help = "The display name, without quotes",
     .bytes_max = limits::display_name_bytes_max},
    {.field = RecipientMember::id,
     .name = "id",
     .value = JobValue::id,
     .help = "Stands in his outcome as rcpt_id",
     .bytes_max = limits::job_id_bytes_max},
    {.field = RecipientMember::merge,
     .name = "merge",
     .value = JobValue::merge,
     .help = "His values, over those of the line"},
    {.field = RecipientMember::metadata,
     .name = "metadata",
     .value = JobValue::json,
     .help = "Stands in his outcome, its members over those of the line",
     .bytes_max = limits::job_echo_bytes_max},
    {.field = RecipientMember::headers,
     .name = "headers",
     .value = JobValue::headers,
     .help = "Header fields of his message, instead of those of the line",
     .count_max = limits::job_header_fields_max},
});

inline constexpr std::array attachment_rows = std::to_array<FieldRow<AttachmentMember>>({
    {.field = AttachmentMember::filename,
     .name = "filename",
     .value = JobValue::file_name,
     .help = "The name that readers show; with path, that file's own name without one",
     .bytes_max = limits::file_name_bytes_max},
    {.field = AttachmentMember::content,
     .name = "content",
     .value = JobValue::base64,
     .help = "The file itself, in base64",
     .excludes = beside_content},
    {.field = AttachmentMember::path,
     .name = "path",
     .value = JobValue::path,
     .help = "The file that it is read from"},
    {.field = AttachmentMember::content_type,
     .name = "content_type",
     .value = JobValue::content_type,
     .help = "type/subtype, with parameters; by the file name's ending without one",
     .bytes_max = limits::content_type_bytes_max},
    {.field = AttachmentMember::cid,
     .name = "cid",
     .value = JobValue::content_id,
     .help = "How the html refers to it, without brackets: <img src=\"cid:...\">",
     .bytes_max = limits::content_id_bytes_max},
});

inline constexpr std::array envelope_rows = std::to_array<FieldRow<EnvelopeMember>>({
    {.field = EnvelopeMember::from,
     .name = "from",
     .value = JobValue::sender,
     .help = "Where bounces go; \"\" is the null sender"},
    {.field = EnvelopeMember::to,
     .name = "to",
     .value = JobValue::recipients,
     .help = "The recipients, instead of those in to, cc and bcc",
     .count_max = limits::job_recipients_max},
    {.field = EnvelopeMember::dsn,
     .name = "dsn",
     .value = JobValue::dsn,
     .help = "Which delivery status notifications are asked for (RFC 3461)"},
});

inline constexpr std::array dsn_rows = std::to_array<FieldRow<DsnMember>>({
    {.field = DsnMember::notify,
     .name = "notify",
     .value = JobValue::notify,
     .help = "NEVER, or some of SUCCESS, FAILURE, DELAY: with commas between them, or a list"},
    {.field = DsnMember::ret,
     .name = "ret",
     .value = JobValue::return_kind,
     .help = "FULL or HDRS: how much of the message a notification brings back"},
    {.field = DsnMember::envid,
     .name = "envid",
     .value = JobValue::envelope_id,
     .help = "An id that a notification brings back",
     .bytes_max = limits::envelope_id_bytes_max},
});

// ---- Names ------------------------------------------------------------------------------------

// The names alone, which is what is searched for each field of each job.
template <typename Field, std::size_t count>
[[nodiscard]] constexpr std::array<std::string_view, count> names_of(
    const std::array<FieldRow<Field>, count>& rows) {
  std::array<std::string_view, count> names{};
  for (std::size_t index = 0; index < count; ++index) {
    // Enumerators, rows and names are found by the same number.
    RP_ASSERT(rows[index].field == static_cast<Field>(index));
    names[index] = rows[index].name;
  }
  return names;
}

inline constexpr std::array job_field_names = names_of(job_rows);
inline constexpr std::array mailbox_members = names_of(mailbox_rows);
inline constexpr std::array recipient_members = names_of(recipient_rows);
inline constexpr std::array attachment_members = names_of(attachment_rows);
inline constexpr std::array envelope_members = names_of(envelope_rows);
inline constexpr std::array dsn_members = names_of(dsn_rows);

[[nodiscard]] constexpr const FieldRow<JobField>& row_of(JobField field) {
  return job_rows[static_cast<std::size_t>(field)];
}

[[nodiscard]] constexpr std::string_view name_of(JobField field) { return row_of(field).name; }

}  // namespace ringpost::codec
