// How a job line gets at templates that stand elsewhere, since codec itself remembers none.
#pragma once

#include <cstdint>

#include "codec/job/job_error.h"
#include "codec/template/message_template.h"
#include <ringpost/base.h>

namespace ringpost::codec {

struct Source;

// engine/run/template_registry.h is the real one. Thread: any.
class TemplateSource {
 public:
  virtual ~TemplateSource() = default;

  // For a job that stands there: the template that a line above it has defined; of an empty name,
  // the one of jobs without content of their own. The error is about the field `template`.
  [[nodiscard]] virtual Result<MessageTemplatePtr, JobError> find(Bytes name,
                                                                  const Source& where) = 0;
};

}  // namespace ringpost::codec
