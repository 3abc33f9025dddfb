// A template out of the fields of a line: one that a `define` line names, or one for that line
// alone.
#pragma once

#include "codec/job/job_draft.h"
#include "codec/job/job_error.h"
#include "codec/job/job_reader.h"
#include "codec/template/message_template.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Fields that make the content of a message.
[[nodiscard]] bool has_content(const JobFields& given);

// Takes texts and attachments out of the draft, reads its files, and fills `definition`, but for
// its values.
[[nodiscard]] Result<void, JobError> make_definition(JobDraft& draft,
                                                     const JobReaderOptions& options,
                                                     TemplateDefinition& definition);

// A finished message has no places for values, and a `define` line nothing of a job.
[[nodiscard]] Result<void, JobError> check_template_line(const JobFields& given);
[[nodiscard]] Result<void, JobError> check_definition_line(const JobDraft& draft,
                                                           const Message& message);

}  // namespace ringpost::codec
