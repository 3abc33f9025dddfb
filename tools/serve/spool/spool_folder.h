// The folder of a spool: one process has it, and nobody else reads it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::serve {

// Locked as long as this lives, which the end of the process ends, however it comes.
class SpoolFolder {
 public:
  // Made, with 0700, where it is not there. The error is a sentence: another process has it, other
  // users may look into it, it cannot be made.
  [[nodiscard]] static Result<SpoolFolder, std::string> open(const std::string& path);
  SpoolFolder(SpoolFolder&& other) noexcept;
  SpoolFolder& operator=(SpoolFolder&&) = delete;
  ~SpoolFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  // Of segments that have jobs, the lowest first. Journals whose jobs are gone are the rest of a
  // removal, and are removed. The error is a sentence.
  [[nodiscard]] Result<std::vector<std::uint32_t>, std::string> segments() const;

 private:
  SpoolFolder(std::string path, int lock_descriptor);

  std::string path_;
  int lock_descriptor_ = -1;
};

}  // namespace ringpost::serve
