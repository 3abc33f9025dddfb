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
