// One message for many recipients: what whoever writes it says, and what is made of that once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/job/job_error.h"
#include "codec/journal/line_hash.h"
#include "codec/mail/address.h"
#include "codec/mail/composition.h"
#include "codec/template/merge_data.h"
#include "codec/template/mustache.h"
#include <ringpost/base.h>
#include <ringpost/content.h>

namespace ringpost::codec {

// Texts and values of fields are templates; names of fields, addresses of attachments and their
// content are not.
struct TemplateDefinition {
  std::optional<std::string> from;      // a mailbox, as in a job
  std::optional<std::string> reply_to;  // one
  std::optional<std::string> to;        // instead of the recipient's own address and name
  std::optional<std::string> subject;
  std::optional<std::string> text;  // UTF-8, whatever its line ends
  std::optional<std::string> html;
  std::vector<HeaderField> headers;
  std::vector<Attachment> attachments;  // one copy for all
  std::vector<Partial> partials;
  std::optional<std::string> envelope_sender;  // an address, as `bounce+{{id}}@example.com`
  std::optional<std::string> unsubscribe;  // an https: or mailto: URL: List-Unsubscribe, and for
                                           // https: List-Unsubscribe-Post (RFC 8058)
  std::optional<std::string> list_id;      // `Name <id.example.com>` (RFC 2919)
  MergeData merge;                         // values that all share
};

struct TemplateOptions {
  std::int64_t date_us = 0;  // Unix time, for Date
  MissingPolicy missing = MissingPolicy::invalid;
  bool verp = false;  // bounces say whose message it was: local+user=domain@host
};

// Immutable; any thread may write of it. How many messages use it says its SegmentStore.
class MessageTemplate {
 public:
  struct Parts;

  // Makes segments of everything that no recipient changes. Attached messages get their line ends
  // put in order. An error names the field of the
  // definition, and where a template is malformed line and column in it. `identity` is a hash of
  // whatever the definition was read from: boundaries and Message-IDs are made of it.
  [[nodiscard]] static Result<std::shared_ptr<const MessageTemplate>, JobError> compile(
      TemplateDefinition definition, const TemplateOptions& options, const LineHash& identity);

  explicit MessageTemplate(std::unique_ptr<const Parts> parts);
  ~MessageTemplate();
  MessageTemplate(const MessageTemplate&) = delete;
  MessageTemplate& operator=(const MessageTemplate&) = delete;

  // See Mustache: of all of its texts together.
  [[nodiscard]] const std::vector<std::string>& required_names() const;
  [[nodiscard]] const std::vector<std::string>& names() const;
  [[nodiscard]] const LineHash& identity() const;
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<const Parts> parts_;
};
using MessageTemplatePtr = std::shared_ptr<const MessageTemplate>;

}  // namespace ringpost::codec
