// Signals are sent to this very process; the watch has blocked them in its only thread.
#include "tools/process/signal_watch.h"

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <poll.h>
#include <string>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::cli {

namespace {

using namespace std::chrono_literals;

// What the watch did, in its order: 1 and 2 for the signals, . for a tick.
class Noted {
 public:
  [[nodiscard]] SignalWatchActions actions() {
    SignalWatchActions actions;
    actions.first_signal = [this] { note('1'); };
    actions.second_signal = [this] { note('2'); };
    return actions;
  }
  void note(char action) {
    const std::lock_guard lock(mutex_);
    noted_ += action;
    changed_.notify_all();
  }
  // Waits until as many have been noted.
  std::string wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 60s, [&] { return noted_.size() >= count; }));
    return noted_;
  }
  std::string all() {
    const std::lock_guard lock(mutex_);
    return noted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string noted_;
};

bool readable(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 1;
}

void send(int signal) { REQUIRE(::kill(::getpid(), signal) == 0); }

}  // namespace

TEST_CASE("signal watch: before it acts, one may wait for a signal") {
  SignalWatch watch;
  CHECK_FALSE(watch.wait_for_signal(1ms));
  CHECK(watch.signal() == 0);
  send(SIGTERM);
  CHECK(watch.wait_for_signal(10s));
  CHECK(watch.signal() == SIGTERM);
  CHECK(readable(watch.stop_descriptor()));
}

TEST_CASE("signal watch: the first signal asks to stop soon, the next ones to stop now") {
  const int first = GENERATE(SIGINT, SIGTERM, SIGHUP);
  const int second = GENERATE(SIGINT, SIGTERM, SIGHUP);
  SignalWatch watch;
  Noted noted;
  watch.start(noted.actions());
  CHECK(watch.signal() == 0);
  CHECK_FALSE(readable(watch.stop_descriptor()));
  send(first);
  CHECK(noted.wait_for(1) == "1");
  CHECK(watch.signal() == first);
  CHECK(readable(watch.stop_descriptor()));
  send(second);
  CHECK(noted.wait_for(2) == "12");
  send(second);
  CHECK(noted.wait_for(3) == "122");
  CHECK(watch.signal() == first);
  CHECK(readable(watch.stop_descriptor()));
  watch.stop();
}

TEST_CASE("signal watch: a signal from before start() is not lost") {
  SignalWatch watch;
  send(SIGTERM);
  CHECK(watch.signal() == 0);
  Noted noted;
  watch.start(noted.actions());
  CHECK(noted.wait_for(1) == "1");
  CHECK(watch.signal() == SIGTERM);
}

TEST_CASE("signal watch: SIGHUP that is ignored, as under nohup, stays so") {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  {
    SignalWatch watch;
    Noted noted;
    watch.start(noted.actions());
    sigset_t blocked;
    REQUIRE(::pthread_sigmask(SIG_BLOCK, nullptr, &blocked) == 0);
    if (::sigismember(&blocked, SIGHUP) == 0) {  // an earlier watch of this process has blocked it
      send(SIGHUP);
    }
    send(SIGTERM);
    CHECK(noted.wait_for(1) == "1");
    CHECK(watch.signal() == SIGTERM);
  }
  std::signal(SIGHUP, before);
}

TEST_CASE("signal watch: when the time to drain is over it stops now, once") {
  SignalWatch watch;
  Noted noted;
  SignalWatchActions actions = noted.actions();
  actions.drain = 20ms;
  actions.tick_every = 30ms;
  actions.tick = [&noted] {
    if (noted.all().find('2') != std::string::npos) {
      noted.note('.');
    }
  };
  watch.start(actions);
  const auto begin = std::chrono::steady_clock::now();
  send(SIGINT);
  CHECK(noted.wait_for(2).substr(0, 2) == "12");  // a tick may have come behind it already
  CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
  // Two ticks later, nothing else has come.
  CHECK(noted.wait_for(4).substr(0, 4) == "12..");
}

TEST_CASE("signal watch: who asks is answered, and stops nothing") {
  SignalWatch watch;
  Noted noted;
  SignalWatchActions actions = noted.actions();
  actions.asked = [&noted] { noted.note('?'); };
  watch.start(actions);
  send(SIGUSR1);
  CHECK(noted.wait_for(1) == "?");
  CHECK(watch.signal() == 0);
  send(SIGINT);
  CHECK(noted.wait_for(2) == "?1");
  send(SIGUSR1);
  CHECK(noted.wait_for(3) == "?1?");
  CHECK(watch.signal() == SIGINT);
}

TEST_CASE("signal watch: it ticks, before and behind a signal") {
  SignalWatch watch;
  Noted noted;
  SignalWatchActions actions = noted.actions();
  actions.tick_every = 2ms;
  actions.tick = [&noted] { noted.note('.'); };
  watch.start(actions);
  CHECK(noted.wait_for(3).starts_with("..."));
  send(SIGINT);
  const Instant give_up_at = std::chrono::steady_clock::now() + 60s;
  while (noted.all().find('1') == std::string::npos &&
         std::chrono::steady_clock::now() < give_up_at) {
    ::usleep(1000);
  }
  const std::size_t count = noted.all().size();
  noted.wait_for(count + 3);
}

TEST_CASE("signal watch: behind stop() no action runs any more, and stop() does not wait for one") {
  SignalWatch watch;
  Noted noted;
  SignalWatchActions actions = noted.actions();
  actions.tick_every = 1ms;
  actions.tick = [&noted] { noted.note('.'); };
  watch.start(actions);
  noted.wait_for(2);
  watch.stop();
  const std::string before = noted.all();
  send(SIGINT);
  ::usleep(5000);
  CHECK(noted.all() == before);
  CHECK(watch.signal() == 0);
  watch.stop();
  // Taken away, so that it does not wait for another test.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  int taken = 0;
  CHECK(::sigwait(&signals, &taken) == 0);
}

TEST_CASE("signal watch: one that is never started goes quietly") {
  const SignalWatch watch;
  CHECK(watch.signal() == 0);
  CHECK(watch.stop_descriptor() >= 0);
}

TEST_CASE("signal watch: a drain that began without a signal ends as one of a signal does") {
  Noted noted;
  SignalWatch watch;
  SignalWatchActions actions = noted.actions();
  actions.drain = 50ms;
  watch.start(std::move(actions));
  CHECK_FALSE(readable(watch.stop_descriptor()));
  watch.begin_drain();
  CHECK(readable(watch.stop_descriptor()));
  CHECK(noted.wait_for(1) == "2");
  CHECK(watch.signal() == 0);
  watch.stop();
  CHECK(noted.all() == "2");
}

}  // namespace ringpost::cli
