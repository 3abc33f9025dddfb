#include "engine/run/outcome_file.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;

OutcomeFile opened(const std::string& path) {
  auto file = OutcomeFile::open(path);
  REQUIRE(file.has_value());
  return std::move(*file);
}

// As the program does it.
void ignore_pipe_signals() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace

TEST_CASE("outcome file: lines are there when they are written, and only then") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes");
  OutcomeFile file = opened(path);
  CHECK(file.path() == path);
  CHECK(file.bytes_before() == 0);
  file.lines() += "one\n";
  CHECK(file.unwritten_bytes() == 4);
  REQUIRE(file.write_if_full().has_value());
  CHECK(folder.read("outcomes").empty());
  REQUIRE(file.write().has_value());
  CHECK(folder.read("outcomes") == "one\n");
  CHECK(file.unwritten_bytes() == 0);
  file.lines() += "two\n";
  REQUIRE(file.write().has_value());
  REQUIRE(file.write().has_value());
  CHECK(folder.read("outcomes") == "one\ntwo\n");
}

TEST_CASE("outcome file: when enough has gathered it is written") {
  const TemporaryFolder folder;
  OutcomeFile file = opened(folder.path("outcomes"));
  std::string expected;
  while (file.unwritten_bytes() + 100 < (64u << 10)) {
    file.lines() += std::string(99, 'x') + "\n";
    REQUIRE(file.write_if_full().has_value());
  }
  CHECK(folder.read("outcomes").empty());
  file.lines() += std::string(200, 'y') + "\n";
  const std::size_t bytes = file.unwritten_bytes();
  REQUIRE(file.write_if_full().has_value());
  CHECK(file.unwritten_bytes() == 0);
  CHECK(folder.read("outcomes").size() == bytes);
}

TEST_CASE("outcome file: one that exists is added to, and kept from the others") {
  const TemporaryFolder folder;
  const std::string path = folder.write("outcomes", "before\n");
  OutcomeFile file = opened(path);
  CHECK(file.bytes_before() == 7);
  CHECK(file.unwritten_bytes() == 0);
  file.lines() += "after\n";
  REQUIRE(file.write().has_value());
  CHECK(folder.read("outcomes") == "before\nafter\n");

  const std::string fresh = folder.path("fresh");
  const OutcomeFile other = opened(fresh);
  struct stat status {};
  REQUIRE(::stat(fresh.c_str(), &status) == 0);
  CHECK((status.st_mode & (S_IROTH | S_IWOTH)) == 0);
}

TEST_CASE("outcome file: half a line of a killed run does not swallow ours") {
  const TemporaryFolder folder;
  const std::string path = folder.write("outcomes", "whole\n{\"id\":\"ha");
  OutcomeFile file = opened(path);
  file.lines() += "ours\n";
  REQUIRE(file.write().has_value());
  CHECK(folder.read("outcomes") == "whole\n{\"id\":\"ha\nours\n");
}

TEST_CASE("outcome file: a path that cannot be written is an error that names it") {
  const TemporaryFolder folder;
  const std::string path = folder.path("no/such/folder");
  const auto file = OutcomeFile::open(path);
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().message == path + ": No such file or directory");
  CHECK_FALSE(OutcomeFile::open(folder.path("")).has_value());
}

TEST_CASE("outcome file: a FIFO that nobody reads is not waited for, and works when it is read") {
  const TemporaryFolder folder;
  const std::string path = folder.path("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const auto unread = OutcomeFile::open(path);
  REQUIRE_FALSE(unread.has_value());
  CHECK(unread.error().message == path + ": nobody reads this pipe");
  CHECK(unread.error().may_be_tried_again);
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  REQUIRE(reader >= 0);
  OutcomeFile file = opened(path);
  file.lines() += "one\n";
  REQUIRE(file.write().has_value());
  std::array<char, 10> got{};
  CHECK(::read(reader, got.data(), got.size()) == 4);
  ::close(reader);
}

TEST_CASE("outcome file: lines are counted by their ends while they are not written") {
  OutcomeFile file = opened("/dev/full");
  CHECK(file.unwritten_lines() == 0);
  file.lines() += "one\ntwo\n";
  REQUIRE_FALSE(file.write().has_value());
  CHECK(file.unwritten_lines() == 2);
}

TEST_CASE("outcome file: on a full disk lines stay, for another try") {
  OutcomeFile file = opened("/dev/full");
  file.lines() += "one\n";
  for (int i = 0; i < 3; ++i) {
    const auto written = file.write();
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().message == "/dev/full: No space left on device");
    CHECK(file.unwritten_bytes() == 4);
    CHECK(file.lines() == "one\n");
  }
}

TEST_CASE("outcome file: when room comes back the rest follows without a gap or a double") {
  std::signal(SIGXFSZ, SIG_IGN);
  const TemporaryFolder folder;
  OutcomeFile file = opened(folder.path("outcomes"));
  for (int i = 0; i < 100; ++i) {
    file.lines() += "line " + std::to_string(i) + "\n";
  }
  const std::string expected = file.lines();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  for (const rlim_t room : {rlim_t{10}, rlim_t{333}}) {
    const rlimit limit{room, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const bool written = file.write().has_value();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK_FALSE(written);
    CHECK(file.unwritten_bytes() == expected.size() - room);
  }
  REQUIRE(file.write().has_value());
  CHECK(folder.read("outcomes") == expected);
}

TEST_CASE("outcome file: a pipe whose reader has gone is an error, not the end of the program") {
  ignore_pipe_signals();
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  OutcomeFile file = opened("/proc/self/fd/" + std::to_string(pipe[1]));
  ::close(pipe[0]);
  ::close(pipe[1]);
  file.lines() += "one\n";
  const auto written = file.write();
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().message.ends_with(": Broken pipe"));
  CHECK(file.unwritten_bytes() == 4);
}

TEST_CASE(
    "outcome file: a slow reader of a pipe is waited for, also where a write would not wait") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const bool waits = GENERATE(true, false);
  // Standard output may have been made non-blocking by whoever shares it.
  const int kept = ::dup(STDOUT_FILENO);
  ::dup2(pipe[1], STDOUT_FILENO);
  ::close(pipe[1]);
  if (!waits) {
    ::fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
  }
  std::string got;
  std::thread reading([&] {
    std::array<char, 1000> room;
    for (ssize_t count = 1; count > 0;) {
      count = ::read(pipe[0], room.data(), room.size());
      got.append(room.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
  });
  std::string expected;
  bool written = false;
  {
    auto file = OutcomeFile::open("-");
    file->lines().assign(1'000'000, 'x');
    file->lines() += "\n";
    expected = file->lines();
    written = file->write().has_value();
  }
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  reading.join();
  ::close(pipe[0]);
  CHECK(written);
  CHECK(got == expected);
}

TEST_CASE("outcome file: a reader who stalls is waited for until somebody gives up") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  auto file = OutcomeFile::open("/proc/self/fd/" + std::to_string(pipe[1]), stop);
  REQUIRE(file);
  const std::string expected = std::string(1'000'000, 'x') + "\n";
  file->lines() = expected;
  ssize_t said = 0;
  std::thread giving_up([stop, &said] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::uint64_t one = 1;
    said = ::write(stop, &one, sizeof(one));
  });
  const auto written = file->write();
  giving_up.join();
  CHECK(said == sizeof(std::uint64_t));
  REQUIRE_FALSE(written);
  CHECK_FALSE(written.error().may_be_tried_again);
  const std::size_t left = file->unwritten_bytes();
  CHECK(left < expected.size());
  // From now on nothing waits, and what the reader takes at once is written.
  CHECK_FALSE(file->write());
  CHECK(file->unwritten_bytes() == left);
  std::string got(expected.size() - left, '\0');
  std::size_t have = 0;
  while (have < got.size()) {
    const ssize_t count = ::read(pipe[0], got.data() + have, got.size() - have);
    REQUIRE(count > 0);
    have += static_cast<std::size_t>(count);
  }
  CHECK(got == expected.substr(0, got.size()));
  CHECK_FALSE(file->write());
  CHECK(file->unwritten_bytes() < left);
  for (const int descriptor : {pipe[0], pipe[1], stop}) {
    ::close(descriptor);
  }
}

TEST_CASE("outcome file: it is told apart whether another try may help") {
  OutcomeFile full = opened("/dev/full");
  full.lines() += "one\n";
  const auto written = full.write();
  REQUIRE_FALSE(written);
  CHECK_FALSE(written.error().may_be_tried_again);  // it stays so
  const TemporaryFolder folder;
  OutcomeFile file = opened(folder.path("outcomes"));
  file.lines() += "one\n";
  // A file that has reached its limit (EFBIG) goes on when that is raised.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
  const auto limited = file.write();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_action);
  REQUIRE_FALSE(limited);
  CHECK(limited.error().may_be_tried_again);
  REQUIRE(file.write());
  CHECK(file.sync());
}

TEST_CASE("outcome file: moved, it goes on where it was") {
  const TemporaryFolder folder;
  OutcomeFile first = opened(folder.path("outcomes"));
  first.lines() += "one\n";
  OutcomeFile second(std::move(first));
  second.lines() += "two\n";
  REQUIRE(second.write().has_value());
  CHECK(folder.read("outcomes") == "one\ntwo\n");
}

}  // namespace ringpost::run
