// Tells the service manager that all is well as long as every loop turns.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tools/process/service_manager.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Thread: look() is called by one, which has no other work that could go on while the loops stand
// still. Where the manager asks for nothing, nobody is asked here.
class Watchdog {
 public:
  explicit Watchdog(const cli::ServiceManager& manager) : manager_(manager) {}

  // `has_turned` asks a loop to turn, and says whether it has since it was asked last; of the first
  // call it is true.
  void watch(std::function<bool()> has_turned) { loops_.push_back(std::move(has_turned)); }
  // How often look() wants to be called at least; never: not at all.
  [[nodiscard]] Duration interval() const {
    return manager_.watchdog() ? *manager_.watchdog() / looks_per_time : Duration::max();
  }
  void look(Instant now) {
    if (!manager_.watchdog() || now < look_at_) {
      return;
    }
    look_at_ = now + interval();
    bool is_alive = true;
    for (const auto& has_turned : loops_) {
      is_alive = has_turned() && is_alive;  // each is asked
    }
    if (is_alive) {
      manager_.is_alive();
    }
  }

 private:
  // One that is late by a look, or a loop that turns slowly once, is not the end.
  static constexpr int looks_per_time = 4;

  const cli::ServiceManager& manager_;
  std::vector<std::function<bool()>> loops_;
  Instant look_at_{};
};

}  // namespace ringpost::serve
