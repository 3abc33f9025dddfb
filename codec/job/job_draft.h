// What one job line says, before it is put together. The reader's workshop; nobody else needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/job/job_fields.h"
#include "codec/job/job_reader.h"
#include "codec/journal/line_hash.h"
#include "codec/mail/address.h"
#include "codec/mail/composition.h"
#include "codec/template/mustache.h"
#include "codec/text/reusable_list.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

constexpr std::uint32_t bit_of(JobField field) {
  return std::uint32_t{1} << static_cast<unsigned>(field);
}

// A set of fields.
class JobFields {
 public:
  [[nodiscard]] bool has(JobField field) const { return (bits_ & bit_of(field)) != 0; }
  void add(JobField field) { bits_ |= bit_of(field); }
  // Of those that only lines with templates have.
  [[nodiscard]] bool has_any_of_templates() const {
    constexpr std::uint32_t others = bit_of(JobField::define) | bit_of(JobField::partials) |
                                     bit_of(JobField::unsubscribe) | bit_of(JobField::list_id);
    return (bits_ & (filling | others)) != 0;
  }
  // Whether the texts of the line are templates.
  [[nodiscard]] bool fill_in() const { return (bits_ & filling) != 0; }

 private:
  static constexpr std::uint32_t filling =
      bit_of(JobField::template_name) | bit_of(JobField::merge) | bit_of(JobField::recipients);
  std::uint32_t bits_ = 0;
};

// An attachment, and the file it is to be read from.
struct AttachmentDraft {
  Attachment attachment;
  std::string path;  // empty: the content was in the line

  void clear();
};

// Recipients that no header names, in as little room as they can have.
struct RecipientDraft {
  RecipientList addresses;
  bool need_smtputf8 = false;

  void add(const Mailbox& mailbox);
  void clear();
};

// What only lines with templates have. The views are of the line.
struct TemplateFields {
  std::string name;  // of `template` or `define`
  std::string unsubscribe;
  std::string list_id;
  std::vector<Partial> partials;
  Bytes merge_json;       // an object that was checked; empty: none, or it was refused
  Bytes recipients_json;  // a list that was checked; likewise
};

// Reused from line to line. What belongs in the message without further ado stands there already:
// id, dsn, tags, metadata, endpoint, and the content of `raw` and `raw_base64`.
struct JobDraft {
  JobFields given;
  ReusableList<Mailbox> from;
  ReusableList<Mailbox> reply_to;
  ReusableList<Mailbox> to;
  ReusableList<Mailbox> cc;
  RecipientDraft bcc;
  std::string subject;
  std::string text;
  std::string html;
  std::string text_file;
  std::string html_file;
  std::string raw_file;
  ReusableList<HeaderField> headers;
  ReusableList<AttachmentDraft> attachments;
  bool has_envelope_sender = false;
  Mailbox envelope_sender;
  bool has_envelope_recipients = false;
  RecipientDraft envelope_recipients;
  TemplateFields templates;
  // Of `to` and `cc`, those beyond what a job may have: it is refused, and they have to hear of it.
  RecipientDraft surplus;
  std::optional<JobError> error;  // the first offence

  void clear();
  // Keeps the first offence.
  void refuse(JobErrorKind kind, std::string field, std::string reason);
};

// All whom the line names, however many they are.
void add_job_recipients(JobDraft& draft, Message& message);
[[nodiscard]] Result<void, JobError> check_recipients(const JobDraft& draft,
                                                      const JobReaderOptions& options,
                                                      const Message& message);

// Puts the message together: recipients, sender, content. On error the recipients are in place all
// the same. `identity` is the hash of the line.
[[nodiscard]] Result<void, JobError> complete_job(JobDraft& draft, const JobReaderOptions& options,
                                                  const Source& where, const LineHash& identity,
                                                  Message& message);

}  // namespace ringpost::codec
