// The problem: a manager takes a process for ready when it was started, and for well as long as it
// is there, unless it is told more. The idea: one datagram of VARIABLE=value lines for each thing
// that is told. Written here and not taken from libsystemd: the protocol is stable and documented
// for that, and the library would bring its compressors and all they need into a process that has
// passwords. Limits: no vsock, which is for machines that report to their host.
#include "tools/process/service_manager.h"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/process/descriptor.h"

namespace ringpost::cli {

namespace {

std::string taken_from_environment(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(number) : std::nullopt;
}

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& character : line) {
    character = character == '\n' ? ' ' : character;
  }
  return line;
}

std::uint64_t monotonic_us() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

std::uint64_t in_us(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const std::string path = taken_from_environment("NOTIFY_SOCKET");
  const auto watchdog_us = number_of(taken_from_environment("WATCHDOG_USEC"));
  const auto watched = number_of(taken_from_environment("WATCHDOG_PID"));
  const bool is_path = path.starts_with('/') || path.starts_with('@');
  if (is_path && path.size() > 1 && path.size() < sizeof(sockaddr_un::sun_path)) {
    manager.socket_path_ = path;
  }
  // Of a process that has started this one: it is not asked.
  const bool is_this = !watched || *watched == static_cast<std::uint64_t>(::getpid());
  constexpr std::uint64_t most_us = std::uint64_t{1} << 50;
  if (manager.listens() && is_this && watchdog_us && *watchdog_us > 0 && *watchdog_us < most_us) {
    manager.watchdog_ = std::chrono::microseconds(*watchdog_us);
  }
  return manager;
}

void ServiceManager::say(std::string_view assignments) const {
  if (!listens()) {
    return;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (address.sun_path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  const Descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ssize_t sent = -1;
  do {
    sent = ::sendto(sender.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address), length);
  } while (sent < 0 && errno == EINTR);
}

void ServiceManager::is_ready(std::string_view status) const {
  say(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

// The time tells this reload from one that was asked for before (Type=notify-reload).
void ServiceManager::is_reloading() const {
  say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reads its configuration anew",
                  monotonic_us()));
}

void ServiceManager::is_stopping(std::string_view status, Duration at_most) const {
  say(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS={}", in_us(at_most),
                  one_line(status)));
}

void ServiceManager::is_alive() const { say("WATCHDOG=1"); }

}  // namespace ringpost::cli
