// What has to hold of the process before anything else runs: whatever may go wrong with a file or a
// pipe is an error of a call and not the end of the program, there are descriptors enough, and want
// of memory ends it at once. Limits: commands that it starts would inherit that, and get their
// signals back where they are started (shell_command.cpp).
#include <algorithm>
#include <csignal>
#include <sys/resource.h>

#include "tools/process/exit_code.h"
#include "tools/process/out_of_memory.h"
#include "tools/program/command_line.h"

namespace {

// Systems allow 1,024 open files at first, for the sake of programs that use select(2), and more to
// those that ask. A ring has room for a socket and a quarter for each connection.
void raise_descriptor_limit() {
  constexpr rlim_t wanted = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  // A reader that goes away is an error of write(2), not the end of a run with mail under way.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that reaches its limit is an error of the write, not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  raise_descriptor_limit();
  ringpost::cli::end_when_out_of_memory(ringpost::cli::exit_uncategorised);
  return ringpost::cli::run_command_line(argument_count, arguments);
}
