// It runs where there is no memory, on any thread, perhaps with a lock held: it makes no string and
// takes no lock, and knows two system calls. Limits: only what comes by operator new ends here.
#include "tools/process/out_of_memory.h"

#include <atomic>
#include <new>
#include <string_view>
#include <unistd.h>

namespace ringpost::cli {

namespace {

std::atomic<int> exit_code_when_out_of_memory{1};

// Any thread.
void end() {
  constexpr std::string_view text =
      "ringpost: out of memory: it ends at once, as if it was killed; with a journal, the same "
      "command with --resume goes on\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(exit_code_when_out_of_memory.load());
}

}  // namespace

void end_when_out_of_memory(int exit_code) {
  exit_code_when_out_of_memory.store(exit_code);
  std::set_new_handler(end);
}

}  // namespace ringpost::cli
