// Bodies of other services' sending interfaces, one JSON body a line, into job lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/job/job_error.h"
#include "codec/journal/line_hash.h"
#include <ringpost/base.h>

namespace ringpost::codec {

enum class Dialect : std::uint8_t {
  sendgrid,    // v3 /mail/send
  mailgun,     // v3 /messages, as the object that its libraries take
  postmark,    // /email, /email/batch of equal messages, /email/bulk
  ses,         // v2 SendEmail and SendBulkEmail
  kumomta,     // /api/inject/v1
  nodemailer,  // the object of sendMail()
  listmonk,    // what a messenger is posted
};

// In the order of Dialect.
[[nodiscard]] std::span<const std::string_view> dialect_names();
[[nodiscard]] std::optional<Dialect> dialect_of(Bytes name);

struct DialectOptions {
  Dialect dialect = Dialect::sendgrid;
  // Of what the ids of bodies without one are made, as those of job lines.
  LineHashKind line_hash = LineHashKind::xxh3_128;
};

// Translates bodies, one after the other; its memory is kept up to a size. Thread: one.
class DialectTranslator {
 public:
  explicit DialectTranslator(const DialectOptions& options);
  ~DialectTranslator();
  DialectTranslator(DialectTranslator&&) noexcept;
  DialectTranslator& operator=(DialectTranslator&&) noexcept;

  // Replaces `job_line` by a job (docs/CONTRACT.md section 2) that means what the body means:
  // several messages are `recipients`, what differs between them is in `merge`, and texts are
  // templates then. `line` is as JobReader has it. `date_us` is Unix time, by which a body is
  // refused that is to be sent later.
  //
  // An error names the service's own field. Then `job_line` is a job with the id and all recipients
  // that could be read, for their outcomes, and not one that could be sent.
  [[nodiscard]] Result<void, JobError> translate(Bytes line, std::int64_t date_us,
                                                 std::string& job_line);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ringpost::codec
