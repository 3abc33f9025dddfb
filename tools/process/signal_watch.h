// SIGINT, SIGTERM, SIGHUP and SIGUSR1 on a thread of their own, and whatever else is to be done at
// intervals.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <ringpost/base.h>

namespace ringpost::cli {

struct SignalWatchActions {
  std::function<void()> first_signal;   // stop soon
  std::function<void()> second_signal;  // stop now; also when `drain` is over
  std::function<void()> tick;           // every `tick_every`; may be empty
  std::function<void()> asked;          // SIGUSR1, which stops nothing; may be empty
  // SIGHUP, which stops nothing then, as for programs that run for good; empty: it is a signal as
  // the others.
  std::function<void()> hung_up = {};
  Duration drain = std::chrono::seconds(30);
  Duration tick_every = std::chrono::milliseconds(500);
};

// Create it before any other thread: it blocks the signals (SIGHUP unless it is ignored) in the
// calling thread and all that it starts afterwards, and takes them itself. The actions run on its
// thread.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // As if the first signal had come, for another reason to stop: stop_descriptor() becomes
  // readable, and `second_signal` runs when the drain is over. signal() stays as it is. Any thread.
  void begin_drain();

  // Waits for a signal, at most so long; true when one has come. Before start().
  [[nodiscard]] bool wait_for_signal(Duration at_most);
  // Begins to act. Until then signals wait.
  void start(SignalWatchActions actions);
  // No action runs any more when it returns.
  void stop();

  // Becomes readable with the first signal: for those who wait for input.
  [[nodiscard]] int stop_descriptor() const { return stop_descriptor_; }
  // The first signal that came, 0: none.
  [[nodiscard]] int signal() const { return signal_.load(); }

 private:
  void run(const SignalWatchActions& actions);

  int signal_descriptor_ = -1;
  int stop_descriptor_ = -1;   // eventfd
  int end_descriptor_ = -1;    // eventfd: stop() was called
  int drain_descriptor_ = -1;  // eventfd: begin_drain() was called
  std::atomic<int> signal_{0};
  std::thread thread_;
};

}  // namespace ringpost::cli
