// What this program is made of, for `ringpost version` and bug reports.
#pragma once

#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/io_choice.h>

namespace ringpost::cli {

[[nodiscard]] std::string_view program_version();  // "0.1.0"

struct ProgramVersion {
  std::string ringpost;
  std::string liburing;
  std::string wolfssl;
  std::string simdjson;
  std::string compiler;
  std::string kernel;
  std::string records;    // whose AES-GCM makes those of TLS 1.3
  std::string io;         // what a run would use: ring, or epoll
  std::string why_epoll;  // where that was not asked for
  bool aes_in_hardware = false;
};
// The error is that of a ring that was asked for.
[[nodiscard]] Result<ProgramVersion, std::string> collect_program_version(IoChoice io);

// Lines for people, and one JSON object; both with a newline at the end.
[[nodiscard]] std::string version_text(const ProgramVersion& version);
[[nodiscard]] std::string version_json(const ProgramVersion& version);

}  // namespace ringpost::cli
