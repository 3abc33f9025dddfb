#include "tools/process/shell_command.h"

#include <chrono>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;
using namespace std::chrono_literals;

namespace {

std::string error_of(const std::string& command, const ShellOptions& options = {}) {
  const auto line = first_line_of_command(command, options);
  INFO(command);
  REQUIRE_FALSE(line);
  return line.error();
}

}  // namespace

TEST_CASE("shell command: the first line is taken, without its line end") {
  CHECK(first_line_of_command("echo one; echo two", {}) == "one");
  CHECK(first_line_of_command("printf one", {}) == "one");
  CHECK(first_line_of_command("printf 'one\\r\\n'", {}) == "one");
  CHECK(first_line_of_command("printf 'a b \\n'", {}) == "a b ");
  CHECK(first_line_of_command("yes | head -c 1000000", {}) == "y");
}

TEST_CASE("shell command: it reads nothing of ours") {
  CHECK(first_line_of_command("wc -c", {}) == "0");
}

TEST_CASE("shell command: an error tells what happened and what was said") {
  CHECK(contains(error_of("echo why >&2; exit 7"), "status 7; it said:\nwhy"));
  CHECK(contains(error_of("kill -9 $$"), "signal 9"));
  CHECK(contains(error_of("no-such-program-here"), "status 127"));
  CHECK(contains(error_of("true"), "empty"));
  CHECK(contains(error_of("echo; echo second"), "empty"));
  CHECK(contains(error_of("echo 123456789", {.line_bytes_max = 8}), "longer than 8"));
  CHECK(first_line_of_command("echo 12345678", {.line_bytes_max = 8}) == "12345678");
}

TEST_CASE("shell command: what it said is cut and cannot steer a terminal") {
  const std::string error =
      error_of("printf '\\033[2J' >&2; yes >&2 | head -c 100000; exit 1", {.timeout = 2s});
  CHECK_FALSE(contains(error, "\x1b"));
  CHECK(error.size() < 3000);
}

TEST_CASE("shell command: one that takes too long is ended") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(contains(error_of("sleep 60", {.timeout = 200ms}), "longer than 0.2 s"));
  CHECK(contains(error_of("exec >&- 2>&-; sleep 60", {.timeout = 200ms}), "longer than 0.2 s"));
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
}

TEST_CASE("shell command: a daemon that it leaves behind is not waited for") {
  const test::Folder folder;
  const auto begin = std::chrono::steady_clock::now();
  const std::string command = "sleep 30 & echo $! > '" + folder.path("pid") + "'; echo secret";
  CHECK(first_line_of_command(command, {}) == "secret");
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
  (void)first_line_of_command("kill $(cat '" + folder.path("pid") + "'); echo done", {});
}
