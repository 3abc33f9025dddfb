#include <CLI/CLI.hpp>

#include "tools/process/log.h"
#include "tools/process/signal_watch.h"
#include "tools/program/commands.h"
#include "tools/send/send_flags.h"
#include "tools/send/send_run.h"

namespace ringpost::cli {

void add_send_command(CLI::App& app, CommandResult& result) {
  CLI::App* const command =
      app.add_subcommand("send", "Submit JSONL jobs and write an outcome line per recipient");
  SendFlags flags;
  flags.add_to(*command);
  command->callback([flags, &result] {
    const auto settings = flags.settings();
    if (!settings) {
      print_error(settings.error().message);
      result.exit_code = exit_usage;
      return;
    }
    SignalWatch watch;
    Log log(settings->log);
    result.exit_code = run_send(*settings, watch, log);
  });
}

}  // namespace ringpost::cli
