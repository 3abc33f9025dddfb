// A journal that is open for reading alone.
#pragma once

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "queue/journal_error.h"
#include "queue/journal_reader.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Closed at its end; readers must not outlive it.
class JournalOpenFile {
 public:
  // A pipe of that name must not hold us.
  explicit JournalOpenFile(std::string path)
      : path_(std::move(path)),
        descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
        error_number_(descriptor_ < 0 ? errno : 0) {}
  JournalOpenFile(const JournalOpenFile&) = delete;
  JournalOpenFile& operator=(const JournalOpenFile&) = delete;
  ~JournalOpenFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  // -1 when it could not be opened.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] Result<JournalReader, JournalError> begin_reading() const {
    if (descriptor_ < 0) {
      return Failure(
          JournalError{path_ + ": " + std::strerror(error_number_), false, error_number_});
    }
    return JournalReader::begin(descriptor_, path_);
  }

 private:
  const std::string path_;
  const int descriptor_;
  const int error_number_;
};

}  // namespace ringpost::queue
