// A template and a recipient into a message that is ready to be sent.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "codec/job/job_error.h"
#include "codec/journal/line_hash.h"
#include "codec/mail/address.h"
#include "codec/mail/composition.h"
#include "codec/template/merge_data.h"
#include "codec/template/message_template.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

// Lent for the call.
struct TemplateRecipient {
  const Mailbox* mailbox = nullptr;  // whom it is for: envelope, and To where there is no other
  // Where they are not empty they stand in To and Cc instead of `mailbox`, and instead of the
  // template's own To; a recipient who is hidden stands in neither.
  std::span<const Mailbox> to;
  std::span<const Mailbox> cc;
  bool is_hidden = false;
  Bytes id;                              // `{{id}}`; may be empty
  const MergeData* merge = nullptr;      // its own values, if any
  MergeLayers shared;                    // behind them and `{{email}}`, `{{name}}`, `{{id}}`
  std::span<const HeaderField> headers;  // of this message: they replace those of that name
  LineHash identity;                     // of the line or row it stands in: for Message-ID and key
};

// Writes messages, one after the other, and keeps its memory: none is allocated in the steady
// state. Thread: one.
class TemplateWriter {
 public:
  TemplateWriter();
  ~TemplateWriter();
  TemplateWriter(TemplateWriter&&) noexcept;
  TemplateWriter& operator=(TemplateWriter&&) noexcept;

  // Adds the recipient to `message`, fills sender, content, needs_smtputf8 and idempotency_key
  // (made of message.id, where it is empty). Everything else of the message (id, tags, metadata,
  // endpoint, origin, dsn) is the caller's, before or after. On error the recipient is in place all
  // the same.
  [[nodiscard]] Result<void, JobError> write(const MessageTemplate& source,
                                             const TemplateRecipient& recipient, Message& message);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ringpost::codec
