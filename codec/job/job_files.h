// What a job line has in files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/job/job_draft.h"
#include "codec/job/job_error.h"
#include "codec/job/job_reader.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Replaces `content`. The error is about the field that names the file.
[[nodiscard]] Result<void, JobError> read_file(const JobReaderOptions& options,
                                               std::string_view field, Bytes path,
                                               std::size_t bytes_max, std::string& content);
// The same of text, which has to be UTF-8.
[[nodiscard]] Result<void, JobError> read_text_file(const JobReaderOptions& options, JobField field,
                                                    Bytes path, std::string& text);
// Reads what stands in files. All parts together, text and html of the draft among them, have no
// more octets than one message may have, so that no line can have the reader hold a multiple of
// that.
[[nodiscard]] Result<void, JobError> load_attachments(JobDraft& draft,
                                                      const JobReaderOptions& options);

}  // namespace ringpost::codec
