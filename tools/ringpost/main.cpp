#include <csignal>

#include "tools/ringpost/command_line.h"

int main(int argument_count, char** arguments) {
  // A reader that goes away is an error of write(2), not the end of a run with mail under way.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that reaches its limit is an error of the write, not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  return ringpost::cli::run_command_line(argument_count, arguments);
}
