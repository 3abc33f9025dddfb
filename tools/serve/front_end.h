// Whatever takes messages from others and hands them to the intake: a listener, a folder, a broker.
#pragma once

#include <functional>
#include <string>

#include "tools/serve/figures/service_figures.h"
#include <ringpost/base.h>

namespace ringpost::cli {
struct ServeSettings;
}  // namespace ringpost::cli

namespace ringpost::serve {

// Works by threads of its own from when it was made. All calls come from one thread that is not
// among them. Its end goes in these steps:
//
//   begin_drain()   nothing new is taken on; what is under way comes to its end
//   is_idle()       says, when asked, whether all of it has
//   Intake::close() everybody who still waits is answered
//   stop()          the last answers leave, and the threads end
class FrontEnd {
 public:
  FrontEnd() = default;
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;
  virtual ~FrontEnd() = default;

  // "smtp=127.0.0.1:2525": for whoever waits until it listens, with the port that it has got.
  [[nodiscard]] virtual std::string place() const = 0;
  // Of its clients so far, from any thread.
  [[nodiscard]] virtual ListenerFigures figures() const = 0;
  // Reads what may change of it while it runs, and checks it: the function takes it over, for those
  // who come from then on, and nothing changes before it is called. Empty: there is nothing. The
  // error is a sentence.
  using TakeOver = std::function<void()>;
  [[nodiscard]] virtual Result<TakeOver, std::string> prepare_reload(
      const cli::ServeSettings& /*settings*/) {
    return TakeOver();
  }
  // For a watchdog: asks its loop to turn, and says whether it has since it was asked last; true at
  // the first call.
  [[nodiscard]] virtual bool take_pulse() { return true; }
  virtual void begin_drain() = 0;
  [[nodiscard]] virtual bool is_idle() const = 0;
  virtual void stop() = 0;
};

}  // namespace ringpost::serve
