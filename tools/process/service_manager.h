// Whoever started the program and wants to know how it is: systemd's manager, or another that
// speaks its protocol (sd_notify(3)).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::cli {

// What stands in the environment goes from there, so that no command that is started later speaks
// for this process. What cannot be delivered is lost: a service works without a manager. Any
// thread, but for from_environment().
class ServiceManager {
 public:
  ServiceManager() = default;  // nobody listens
  // By $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. Before other threads are started.
  [[nodiscard]] static ServiceManager from_environment();

  [[nodiscard]] bool listens() const { return !socket_path_.empty(); }
  // How long it waits for is_alive() before it ends this process; nothing: it waits for none.
  [[nodiscard]] std::optional<Duration> watchdog() const { return watchdog_; }

  // What it does is a text for people, of one line.
  void is_ready(std::string_view status) const;  // also when a reload is over
  void is_reloading() const;
  // Everything will be over within so long.
  void is_stopping(std::string_view status, Duration at_most) const;
  void is_alive() const;

 private:
  void say(std::string_view assignments) const;

  std::string socket_path_;  // '@' in front: abstract
  std::optional<Duration> watchdog_;
};

}  // namespace ringpost::cli
