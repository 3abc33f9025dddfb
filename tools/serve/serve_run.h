// One run of `ringpost serve`: from the first listener to the last answer.
#pragma once

#include <string>

#include "tools/process/log.h"
#include "tools/process/signal_watch.h"
#include "tools/serve/serve_settings.h"

namespace ringpost::cli {

// Runs until a signal, and returns the exit code: 0 when all that was under way came to its end,
// the signal's when it was cut short, 11 when outcome lines were lost. `watch` was made before any
// thread. `ready_file` is written when it listens; empty: none is.
[[nodiscard]] int run_serve(const ServeSettings& settings, const std::string& ready_file,
                            SignalWatch& watch, Log& log);

}  // namespace ringpost::cli
