// The file of outcome lines that a webhook could not be told. It is an outcome file as any other.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tools/process/descriptor.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Adds whole lines at the end of the file, or nothing. The file is opened for it and closed again,
// so it may be moved away at any time. Processes wait for each other. The error is a sentence.
[[nodiscard]] Result<void, std::string> append_dead_letters(const std::string& path, Bytes lines);

// Lines that were taken out of the file for another try: it is moved to PATH.sending, so that
// others go on adding to a new one, and stays there until done(): if this process ends before, the
// next one finds it.
class TakenLetters {
 public:
  // Nothing: there are none. The error is a sentence: another process has them, or the system says
  // no.
  [[nodiscard]] static Result<std::unique_ptr<TakenLetters>, std::string> take(
      const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // By a process that ended before done().
  [[nodiscard]] bool were_left() const { return were_left_; }
  // Each of them was delivered, or is in the file again.
  [[nodiscard]] Result<void, std::string> done();

 private:
  explicit TakenLetters(std::string path) : path_(std::move(path)) {}

  std::string path_;
  bool were_left_ = false;
  cli::Descriptor descriptor_;  // with the lock
};

}  // namespace ringpost::serve
