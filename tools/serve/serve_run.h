// One run of `ringpost serve`: from the first listener to the last answer.
#pragma once

#include <functional>
#include <string>

#include "tools/process/log.h"
#include "tools/process/service_manager.h"
#include "tools/process/signal_watch.h"
#include "tools/serve/serve_settings.h"

namespace ringpost::cli {

// The same settings, from where they were read before.
using ReadSettings = std::function<Result<ServeSettings, UsageError>()>;

// Runs until a signal, and returns the exit code: 0 when all that was under way came to its end,
// the signal's when it was cut short, 11 when outcome lines were lost. `watch` and `manager` were
// made before any thread. `ready_file` is written when it listens; empty: none is.
// SIGHUP has the settings read anew, on a thread of its own, by `read_settings`.
[[nodiscard]] int run_serve(const ServeSettings& settings, const ReadSettings& read_settings,
                            const std::string& ready_file, SignalWatch& watch,
                            const ServiceManager& manager, Log& log);

}  // namespace ringpost::cli
