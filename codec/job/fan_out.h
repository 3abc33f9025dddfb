// Lines whose texts are templates: one message, or one for each of its `recipients`.
#pragma once

#include <cstddef>
#include <memory>

#include "codec/job/job_draft.h"
#include "codec/job/job_error.h"
#include "codec/job/job_reader.h"
#include "codec/journal/line_hash.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

// A part of JobReader, which has read the line into a draft. Thread: one.
class FanOut {
 public:
  explicit FanOut(const JobReaderOptions& options);
  ~FanOut();
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // Takes what it needs out of the draft, and makes the first message; `message` has id, tags,
  // metadata, endpoint, times, DSN and key of the line. The octets of the line stay what they are
  // until has_more() is false, or the next call of begin() or forget(). On error the message is
  // addressed as far as it can be.
  [[nodiscard]] Result<void, JobError> begin(JobDraft& draft, const Source& where,
                                             const LineHash& identity, Message& message);
  [[nodiscard]] bool has_more() const;
  // The next message of the line, which comes cleared. An error is this recipient's alone, unless
  // it is the line's.
  [[nodiscard]] Result<void, JobError> next(Message& message);
  // Of its recipients, how many had their message, and how many not.
  [[nodiscard]] std::size_t given_count() const;
  [[nodiscard]] std::size_t left_count() const;
  void forget();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ringpost::codec
