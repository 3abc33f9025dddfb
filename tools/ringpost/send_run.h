// One run of `ringpost send`: from job files to outcome lines.
#pragma once

#include "tools/ringpost/log.h"
#include "tools/ringpost/settings.h"
#include "tools/ringpost/signal_watch.h"

namespace ringpost::cli {

// Runs to the end and returns the exit code of CONTRACT.md. `watch` was made before any thread;
// SIGINT and SIGTERM are its to take while this runs. The summary goes to stdout, unless outcomes
// go there.
[[nodiscard]] int run_send(const SendSettings& settings, SignalWatch& watch, Log& log);

}  // namespace ringpost::cli
