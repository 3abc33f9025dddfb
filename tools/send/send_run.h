// One run of `ringpost send`: from job files to outcome lines.
#pragma once

#include "tools/process/log.h"
#include "tools/process/signal_watch.h"
#include "tools/settings/settings.h"

namespace ringpost::cli {

// Runs to the end and returns the exit code of docs/CONTRACT.md. `watch` was made before any
// thread; SIGINT and SIGTERM are its to take while this runs. The summary goes to stdout, unless
// outcomes go there.
[[nodiscard]] int run_send(const SendSettings& settings, SignalWatch& watch, Log& log);

}  // namespace ringpost::cli
