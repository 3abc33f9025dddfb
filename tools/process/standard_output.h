// Data on its way to stdout, which may be a full disk or a reader that has gone.
#pragma once

#include <string>
#include <string_view>

namespace ringpost::cli {

// Gathers text and writes it in large pieces.
class StandardOutput {
 public:
  StandardOutput() = default;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;
  // flush() has to be called before: here nobody can be told of a failure.
  ~StandardOutput() = default;

  // False once something could not be written; what follows is thrown away.
  bool write(std::string_view text);
  [[nodiscard]] bool flush();
  // Of the write that failed; 0: none has. EPIPE is a reader who has seen enough, as in `| head`.
  [[nodiscard]] int error() const { return error_; }

 private:
  std::string gathered_;
  int error_ = 0;
};

// Writes all of `text` and returns the exit code for that, with a message on stderr if it failed.
[[nodiscard]] int print_data(std::string_view text);
// The exit code for a failed `output`, with a message unless the reader has gone.
[[nodiscard]] int report_failure(const StandardOutput& output);

}  // namespace ringpost::cli
