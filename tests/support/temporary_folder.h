// A folder of its own for a test.
#pragma once

#include <string>
#include <string_view>

namespace ringpost::test {

// Removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string path(std::string_view name) const;
  // Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view octets) const;
  [[nodiscard]] std::string read(std::string_view name) const;

 private:
  std::string folder_;
};

}  // namespace ringpost::test
