// The problem: the reader of a pipe has seen enough, or the disk is full, and an exit code of 0
// would say that all is there. The idea: octets are gathered and written by write(2), and the first
// failure stays known until somebody asks for the exit code; who has gone needs no message, others
// do. Limits: what is gathered and not flushed is lost without a word.
#include "tools/process/standard_output.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/process/exit_code.h"
#include "tools/process/log.h"

namespace ringpost::cli {

namespace {
constexpr std::size_t gathered_bytes_max = 64u << 10;
}  // namespace

bool StandardOutput::write(std::string_view text) {
  gathered_ += text;
  return gathered_.size() < gathered_bytes_max ? error_ == 0 : flush();
}

bool StandardOutput::flush() {
  std::string_view rest = gathered_;
  while (!rest.empty() && error_ == 0) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  gathered_.clear();
  return error_ == 0;
}

int print_data(std::string_view text) {
  StandardOutput output;
  output.write(text);
  return output.flush() ? static_cast<int>(exit_all_accepted) : report_failure(output);
}

int report_failure(const StandardOutput& output) {
  if (output.error() != EPIPE) {
    print_error(fmt::format("stdout: {}", std::strerror(output.error())));
  }
  return exit_uncategorised;
}

}  // namespace ringpost::cli
