// The problem: a signal handler may do next to nothing, and whoever has to hear of a signal waits
// for input, for a ring or for room. The idea: signals are blocked everywhere and read from a
// descriptor by one thread, which may do anything; who waits for input waits for an eventfd beside
// it. Limits: a thread that was started before takes signals as ever; commands that are started
// inherit the blocked signals, and have to be given back theirs (shell_command.cpp).
#include "tools/process/signal_watch.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ringpost::cli {

namespace {

void raise_event(int descriptor) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof(one));
}

// As it is under nohup(1), whose user wants the run to outlive the terminal. Blocked signals would
// come all the same.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  if (!is_ignored(SIGHUP)) {
    sigaddset(&signals, SIGHUP);
  }
  return signals;
}

}  // namespace

SignalWatch::SignalWatch() {
  const sigset_t signals = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal_descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  stop_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
  end_descriptor_ = ::eventfd(0, EFD_CLOEXEC);
  drain_descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  RP_ASSERT(signal_descriptor_ >= 0 && stop_descriptor_ >= 0);
  RP_ASSERT(end_descriptor_ >= 0 && drain_descriptor_ >= 0);
}

SignalWatch::~SignalWatch() {
  stop();
  ::close(signal_descriptor_);
  ::close(stop_descriptor_);
  ::close(end_descriptor_);
  ::close(drain_descriptor_);
}

void SignalWatch::begin_drain() {
  raise_event(stop_descriptor_);
  raise_event(drain_descriptor_);
}

bool SignalWatch::wait_for_signal(Duration at_most) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  pollfd wanted{signal_descriptor_, POLLIN, 0};
  ::poll(&wanted, 1, static_cast<int>(std::clamp<long>(milliseconds, 0, 60'000)));
  signalfd_siginfo info{};
  if (::read(signal_descriptor_, &info, sizeof(info)) != sizeof(info) ||
      info.ssi_signo == SIGUSR1) {
    return false;  // whoever asks before anything is known is not answered
  }
  signal_.store(static_cast<int>(info.ssi_signo));
  raise_event(stop_descriptor_);
  return true;
}

void SignalWatch::start(SignalWatchActions actions) {
  thread_ = std::thread([this, actions = std::move(actions)] { run(actions); });
}

void SignalWatch::stop() {
  if (thread_.joinable()) {
    raise_event(end_descriptor_);
    thread_.join();
  }
}

void SignalWatch::run(const SignalWatchActions& actions) {
  using Clock = std::chrono::steady_clock;
  Instant next_tick = Clock::now() + actions.tick_every;
  Instant drain_over = never;
  for (;;) {
    const Instant wake_at = std::min(next_tick, drain_over);
    const auto pause = std::chrono::ceil<std::chrono::milliseconds>(wake_at - Clock::now()).count();
    std::array<pollfd, 3> wanted{{{signal_descriptor_, POLLIN, 0},
                                  {end_descriptor_, POLLIN, 0},
                                  {drain_descriptor_, POLLIN, 0}}};
    ::poll(wanted.data(), wanted.size(), static_cast<int>(std::clamp<long>(pause, 0, 60'000)));
    if (wanted[1].revents != 0) {
      return;
    }
    std::uint64_t asked = 0;
    if (::read(drain_descriptor_, &asked, sizeof(asked)) == sizeof(asked) && drain_over == never) {
      drain_over = Clock::now() + actions.drain;
    }
    signalfd_siginfo info{};
    while (::read(signal_descriptor_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGUSR1) {
        if (actions.asked) {
          actions.asked();
        }
      } else if (info.ssi_signo == SIGHUP && actions.hung_up) {
        actions.hung_up();
      } else if (signal_.load() == 0) {
        signal_.store(static_cast<int>(info.ssi_signo));
        raise_event(stop_descriptor_);
        drain_over = Clock::now() + actions.drain;
        actions.first_signal();
      } else {
        actions.second_signal();
      }
    }
    if (Clock::now() >= drain_over) {
      drain_over = never;
      actions.second_signal();
    }
    if (Clock::now() >= next_tick) {
      next_tick = Clock::now() + actions.tick_every;
      if (actions.tick) {
        actions.tick();
      }
    }
  }
}

}  // namespace ringpost::cli
