// The problem: a command may hang, print without end, ask on the terminal, or leave a daemon behind
// that keeps its output open; and it is started by a process with threads, blocked signals and jobs
// on its standard input. The idea: posix_spawn() with signals as programs expect them and /dev/null
// as input; a pidfd tells the end, and until then both outputs are read, with what is too much
// thrown away. Limits: what takes too long is killed alone: what it has started goes on; where
// there is no pidfd the command counts as ended when its outputs are closed.
#include "tools/process/shell_command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/descriptor.h"

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t error_text_bytes_max = 2048;

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;

  [[nodiscard]] bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return false;
    }
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    // Only our side: the command expects ordinary files.
    return ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK) == 0;
  }
};

std::string system_error(std::string_view what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

// The running command, killed and waited for at the latest by the destructor.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0 && !status_known_) {
      ::kill(pid_, SIGKILL);
      (void)wait_status();
    }
  }

  [[nodiscard]] Result<void, std::string> start(const std::string& command) {
    if (!output_.open() || !errors_.open()) {
      return Failure(system_error("no pipe for it"));
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    // Not our input: jobs may come from there.
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output_.write_end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, errors_.write_end.get(), STDERR_FILENO);
    // We ignore SIGPIPE, which programs inherit and do not expect. It stays in our process group: a
    // program that asks for a passphrase on the terminal would be stopped in another one.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::sigaddset(&defaults, SIGXFSZ);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    // Nor do threads that block signals want the command to be deaf to them.
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    std::string shell = "sh";
    std::string option = "-c";
    std::string text = command;
    std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
    const int error =
        ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      pid_ = -1;
      return Failure(fmt::format("/bin/sh did not start: {}", std::strerror(error)));
    }
    output_.write_end.reset();
    errors_.write_end.reset();
    // glibc 2.36 declares pidfd_open() for C only.
    exit_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    return {};
  }

  [[nodiscard]] int output() const { return output_.read_end.get(); }
  [[nodiscard]] int errors() const { return errors_.read_end.get(); }
  // Becomes readable when the command has ended; -1 where the system has no such thing.
  [[nodiscard]] int exit() const { return exit_.get(); }

  int wait_status() {
    while (!status_known_ && ::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    status_known_ = true;
    return status_;
  }

 private:
  Pipe output_;
  Pipe errors_;
  Descriptor exit_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool status_known_ = false;
};

struct Collected {
  std::string output;  // of which more than `bytes_max` is thrown away
  std::string errors;
  bool timed_out = false;
};

// Whether there may be more.
bool take_available(int descriptor, std::string& into, std::size_t bytes_max) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t taken = ::read(descriptor, buffer.data(), buffer.size());
    if (taken < 0 && errno == EINTR) {
      continue;
    }
    if (taken <= 0) {
      return taken < 0 && errno == EAGAIN;
    }
    const std::size_t room = bytes_max - std::min(bytes_max, into.size());
    into.append(buffer.data(), std::min(static_cast<std::size_t>(taken), room));
  }
}

// Reads until the command has ended, not until its output is closed: it may leave a daemon behind
// that keeps the pipe open, as gpg does.
Collected collect(const Child& child, const ShellOptions& options) {
  Collected collected;
  const Clock::time_point deadline = Clock::now() + options.timeout;
  bool output_open = true;
  bool errors_open = true;
  bool ended = false;
  while (!ended && (output_open || errors_open || child.exit() >= 0)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      collected.timed_out = true;
      return collected;
    }
    std::array<pollfd, 3> waiting = {{{output_open ? child.output() : -1, POLLIN, 0},
                                      {errors_open ? child.errors() : -1, POLLIN, 0},
                                      {child.exit(), POLLIN, 0}}};
    (void)::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
    ended = waiting[2].revents != 0;
    if (output_open && (ended || waiting[0].revents != 0)) {
      output_open = take_available(child.output(), collected.output, options.line_bytes_max + 2);
    }
    if (errors_open && (ended || waiting[1].revents != 0)) {
      errors_open = take_available(child.errors(), collected.errors, error_text_bytes_max);
    }
  }
  return collected;
}

std::string with_errors(std::string what, std::string errors) {
  while (!errors.empty() && (errors.back() == '\n' || errors.back() == ' ')) {
    errors.pop_back();
  }
  for (char& character : errors) {
    const bool control = static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
    character = control && character != '\n' ? '?' : character;
  }
  return errors.empty() ? what : fmt::format("{}; it said:\n{}", what, errors);
}

}  // namespace

namespace {

Result<Collected, std::string> run(const std::string& command, const ShellOptions& options) {
  Child child;
  if (auto started = child.start(command); !started) {
    return Failure(std::move(started.error()));
  }
  Collected collected = collect(child, options);
  if (collected.timed_out) {
    const auto seconds = std::chrono::duration<double>(options.timeout).count();
    return Failure(
        with_errors(fmt::format("it took longer than {:g} s", seconds), collected.errors));
  }
  const int status = child.wait_status();
  if (WIFSIGNALED(status)) {
    return Failure(
        with_errors(fmt::format("signal {} ended it", WTERMSIG(status)), collected.errors));
  }
  if (WEXITSTATUS(status) != 0) {
    return Failure(
        with_errors(fmt::format("it ended with status {}", WEXITSTATUS(status)), collected.errors));
  }
  return collected;
}

}  // namespace

Result<std::string, std::string> output_of_command(const std::string& command,
                                                   const ShellOptions& options) {
  auto collected = run(command, options);
  if (!collected) {
    return Failure(std::move(collected.error()));
  }
  if (collected->output.size() > options.line_bytes_max) {
    return Failure(fmt::format("its output is longer than {} octets", options.line_bytes_max));
  }
  return std::move(collected->output);
}

Result<std::string, std::string> first_line_of_command(const std::string& command,
                                                       const ShellOptions& options) {
  auto ran = run(command, options);
  if (!ran) {
    return Failure(std::move(ran.error()));
  }
  Collected& collected = *ran;
  std::string line = collected.output.substr(0, collected.output.find('\n'));
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  if (line.empty()) {
    return Failure(with_errors("its first line of output is empty", collected.errors));
  }
  if (line.size() > options.line_bytes_max) {
    return Failure(fmt::format("its first line is longer than {} octets", options.line_bytes_max));
  }
  return line;
}

}  // namespace ringpost::cli
