// `ringpost send`: the run itself is send_run.cpp. Signals are watched from behind the settings, so
// that until then one ends the program, and a password command with it, as any other, and in front
// of everything that starts a thread, so that all threads have them blocked.
#include "tools/process/log.h"
#include "tools/process/signal_watch.h"
#include "tools/program/commands.h"
#include "tools/send/send_flags.h"
#include "tools/send/send_run.h"

namespace ringpost::cli {

CommandSpec send_command() {
  CommandSpec command{.name = "send",
                      .summary = "Submit JSONL jobs and write an outcome line per recipient"};
  const SendFlags flags;
  flags.describe(command);
  command.run = [flags]() -> int {
    const auto settings = flags.settings();
    if (!settings) {
      print_error(settings.error().message);
      return exit_usage;
    }
    SignalWatch watch;
    Log log(settings->log);
    return run_send(*settings, watch, log);
  };
  return command;
}

}  // namespace ringpost::cli
