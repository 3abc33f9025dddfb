#include "tests/support/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <ringpost/base.h>

namespace ringpost::test {

TemporaryFolder::TemporaryFolder()
    : folder_(std::filesystem::temp_directory_path() / "ringpost-test-XXXXXX") {
  RP_ASSERT(::mkdtemp(folder_.data()) != nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TemporaryFolder::path(std::string_view name) const {
  return folder_ + "/" + std::string(name);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view octets) const {
  std::ofstream file(path(name), std::ios::binary);
  file << octets;
  RP_ASSERT(file.good());
  return path(name);
}

std::string TemporaryFolder::read(std::string_view name) const {
  std::ifstream file(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace ringpost::test
