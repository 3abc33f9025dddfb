// How codec gets at files that a job names, since codec itself does no I/O.
#pragma once

#include <cstddef>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Why a file could not be had, as a clause for people: "no such file", "it is not a regular file".
struct FileError {
  std::string reason;
};

// engine/run/job_file_source.h is the real one.
class FileSource {
 public:
  virtual ~FileSource() = default;

  // Replaces `content` by the whole of the file. Anything that is no regular file, has more than
  // `bytes_max` octets or changes while it is read is an error. Must not block for long.
  [[nodiscard]] virtual Result<void, FileError> read(Bytes path, std::size_t bytes_max,
                                                     std::string& content) = 0;
};

}  // namespace ringpost::codec
