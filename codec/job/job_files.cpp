// The problem: a line names files of any size, and text among them has no JSON to vouch for its
// encoding. The idea: they are read through an interface, each up to what the others have left of
// one message. Limits: a file is read whole, and once for each line that names it.
#include "codec/job/job_files.h"

#include <fmt/format.h>

#include "codec/mail/composition.h"
#include "codec/mail/content_check.h"
#include "codec/text/shown_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

Failure<JobError> file_failure(JobErrorKind kind, std::string_view field, std::string reason) {
  return Failure(JobError{kind, std::string(field), std::move(reason)});
}

}  // namespace

Result<void, JobError> read_file(const JobReaderOptions& options, std::string_view field,
                                 Bytes path, std::size_t bytes_max, std::string& content) {
  if (options.files == nullptr) {
    return file_failure(JobErrorKind::file_error, field, "files are not allowed here");
  }
  if (path.empty()) {
    return file_failure(JobErrorKind::file_error, field, "the file name is empty");
  }
  if (auto read = options.files->read(path, bytes_max, content); !read) {
    return file_failure(JobErrorKind::file_error, field,
                        fmt::format("{}: {}", printable(path), read.error().reason));
  }
  return {};
}

Result<void, JobError> read_text_file(const JobReaderOptions& options, JobField field, Bytes path,
                                      std::string& text) {
  Result<void, JobError> read =
      read_file(options, name_of(field), path, limits::message_bytes_max, text);
  if (!read) {
    return read;
  }
  if (const std::size_t valid = valid_utf8_prefix(text); valid != text.size()) {
    return file_failure(JobErrorKind::file_error, name_of(field),
                        fmt::format("{}: octet {} is not UTF-8", printable(path), valid));
  }
  return {};
}

Result<void, JobError> load_attachments(JobDraft& draft, const JobReaderOptions& options) {
  const std::size_t text_bytes = draft.text.size() + draft.html.size();
  if (text_bytes > limits::message_bytes_max) {
    return file_failure(
        JobErrorKind::message_too_large, "",
        fmt::format("text and html have more than {} octets", limits::message_bytes_max));
  }
  std::size_t room = limits::message_bytes_max - text_bytes;
  std::size_t index = 0;
  for (AttachmentDraft& part : draft.attachments.span()) {
    if (!part.path.empty()) {
      Result<void, JobError> read = read_file(options, fmt::format("attachments[{}].path", index),
                                              part.path, room, part.attachment.content);
      if (!read) {
        return read;
      }
      if (part.attachment.file_name.empty()) {
        part.attachment.file_name.assign(part.path, part.path.rfind('/') + 1);
      }
    }
    if (part.attachment.content.size() > room) {
      return file_failure(JobErrorKind::message_too_large, "attachments",
                          fmt::format("have more than {} octets", limits::message_bytes_max));
    }
    room -= part.attachment.content.size();
    if (is_message_type(part.attachment.content_type)) {
      // The rest of what a message must be is compose()'s matter; this only puts line ends in
      // order.
      if (const auto lines = canonicalise(part.attachment.content, options.newlines); !lines) {
        return file_failure(
            JobErrorKind::invalid_attachment, fmt::format("attachments[{}]", index),
            lines.error().message() +
                ", which no message may have; as application/octet-stream it can be "
                "attached");
      }
    }
    ++index;
  }
  return {};
}

}  // namespace ringpost::codec
