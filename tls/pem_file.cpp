// The problem: a name of the configuration may be that of a disk image or of /dev/zero. The idea:
// reading ends where no PEM file would go on. Limits: it blocks.
#include "tls/pem_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace ringpost::tls {

namespace {

// A CA bundle has some 200 KB. What is larger is no PEM file but a mistake.
constexpr std::size_t pem_bytes_max = 16u << 20;

}  // namespace

Result<std::string, std::string> read_pem_file(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"),
                                                               &std::fclose);
  if (!stream) {
    return Failure(std::string(std::strerror(errno)));
  }
  std::string text;
  std::array<char, 16384> block;
  while (text.size() <= pem_bytes_max) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), stream.get());
    text.append(block.data(), count);
    if (count < block.size()) {
      return std::ferror(stream.get()) != 0
                 ? Result<std::string, std::string>(Failure(std::strerror(errno)))
                 : text;
    }
  }
  return Failure(std::string("it is too large for a PEM file"));
}

}  // namespace ringpost::tls
