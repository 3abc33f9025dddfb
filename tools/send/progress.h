// What a person sees on stderr while a run is under way.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tools/process/log.h"
#include "tools/send/run_report.h"
#include "tools/settings/settings.h"

namespace ringpost::cli {

// A block that is drawn over on a terminal, a line at intervals elsewhere. Log lines scroll above
// the block. Thread-safe.
class Progress {
 public:
  Progress(const SendSettings& settings, Log& log);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether show() shows anything, ever.
  [[nodiscard]] bool is_wanted() const { return kind_ != ProgressKind::none; }
  // To be called every half second or so.
  void show(const RunFacts& facts);
  // All figures at once, as text that stays: for whoever asks.
  void print(const RunFacts& facts);
  // Takes a drawn block away, for good.
  void clear();

 private:
  void erase(std::string& out) const;
  void draw(std::string& out) const;

  const ProgressKind kind_;
  const double every_seconds_;
  const bool color_;
  Log& log_;
  std::mutex mutex_;
  std::vector<std::string> drawn_;  // lines that stand there now
  double shown_at_seconds_ = 0;
};

}  // namespace ringpost::cli
