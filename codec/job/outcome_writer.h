// Outcome lines: one JSON object for each recipient, the fields of docs/CONTRACT.md section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "codec/text/unix_date.h"
#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::codec {

// What one line says. Views only: they need to live as long as the call.
struct OutcomeLine {
  Bytes id;
  Bytes recipient_id;
  Bytes recipient;      // empty: null is written, for a job without a recipient that could be named
  Bytes endpoint;       // its name
  Bytes tags_json;      // raw JSON, already checked by JobReader; empty when absent
  Bytes metadata_json;  // likewise
  std::uint64_t message_bytes = 0;  // octets of content; 0: left out
  bool final = true;                // false: a line of --log-attempts
};

// Appends lines to strings that the caller writes out. Keeps nothing but a cached second, so one
// writer a thread. Strings are made valid UTF-8 on the way (codec/text/json_text.h); the server's
// text and our reason are cut at limits::outcome_text_bytes_max. No allocation once `lines` has its
// capacity.
//
// Fields without a value are left out, except id, rcpt, status, stage, attempts and ts.
class OutcomeWriter {
 public:
  // `endpoint_names[Outcome::endpoint]` is the name that lines carry when a server was reached or
  // tried (the stage is not local). The names must outlive the writer.
  explicit OutcomeWriter(std::span<const std::string> endpoint_names = {})
      : endpoint_names_(endpoint_names) {}

  // The line of `message.recipients[recipient_index]`, newline included.
  void append(std::string& lines, const Message& message, std::size_t recipient_index,
              const Outcome& outcome);

  // The general form.
  void append(std::string& lines, const OutcomeLine& line, const Outcome& outcome);

 private:
  std::span<const std::string> endpoint_names_;
  Rfc3339Writer timestamps_;
};

}  // namespace ringpost::codec
