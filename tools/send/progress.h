// What a person sees on stderr while a run is under way.
#pragma once

#include <mutex>

#include "tools/process/log.h"
#include "tools/send/run_report.h"
#include "tools/settings/settings.h"

namespace ringpost::cli {

// A line that is drawn over on a terminal, a line every ten seconds elsewhere. Log lines step
// around the drawn line. Thread-safe.
class Progress {
 public:
  Progress(const SendSettings& settings, Log& log);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // To be called every half second or so.
  void show(const RunFacts& facts);
  // Takes a drawn line away.
  void clear();

 private:
  ProgressKind kind_;
  Log& log_;
  std::mutex mutex_;
  bool drawn_ = false;
  double shown_at_seconds_ = 0;
};

}  // namespace ringpost::cli
