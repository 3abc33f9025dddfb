// Lines go into the file whole, and leave it without one being lost between those who add and those
// who take.
#include "tools/serve/webhook/dead_letters.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/support/temporary_folder.h"

namespace ringpost::serve::test {

namespace {

using ringpost::test::TemporaryFolder;

std::string letters_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE(
    "dead letters: lines are added behind others, and behind a torn one on a line of theirs") {
  const TemporaryFolder folder;
  const std::string path = folder.path("dead.jsonl");
  REQUIRE(append_dead_letters(path, "a\n"));
  REQUIRE(append_dead_letters(path, "b\nc\n"));
  CHECK(letters_in(path) == "a\nb\nc\n");
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0077) == 0);
  std::ofstream(path, std::ios::app) << "torn";
  REQUIRE(append_dead_letters(path, "d\n"));
  CHECK(letters_in(path) == "a\nb\nc\ntorn\nd\n");
}

TEST_CASE("dead letters: what is no file, and what has no room, is an error that names it") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), S_IRUSR | S_IWUSR) == 0);
  const auto to_fifo = append_dead_letters(fifo, "a\n");
  REQUIRE_FALSE(to_fifo);
  CHECK(to_fifo.error() ==
        fifo + ": it is no regular file, so nothing could be sent again from it");
  const auto nowhere = append_dead_letters(folder.path("no/such"), "a\n");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().ends_with("/no/such: open: No such file or directory"));
  CHECK_FALSE(TakenLetters::take(folder.path("none")).value());
}

TEST_CASE("dead letters: taken ones are another file, which stays until they are done") {
  const TemporaryFolder folder;
  const std::string path = folder.path("dead.jsonl");
  REQUIRE(append_dead_letters(path, "a\n"));
  {
    const auto taken = TakenLetters::take(path);
    REQUIRE(taken);
    REQUIRE(*taken);
    CHECK_FALSE((*taken)->were_left());
    CHECK(letters_in((*taken)->path()) == "a\n");
    REQUIRE(append_dead_letters(path, "b\n"));
    CHECK(letters_in(path) == "b\n");
    const auto second = TakenLetters::take(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().ends_with("another process is sending these just now"));
  }
  const auto left = TakenLetters::take(path);
  REQUIRE(left);
  CHECK((*left)->were_left());
  CHECK(letters_in((*left)->path()) == "a\n");
  CHECK((*left)->done());
  CHECK_FALSE(std::filesystem::exists(path + ".sending"));
  CHECK(letters_in(TakenLetters::take(path).value()->path()) == "b\n");
}

TEST_CASE("dead letters: none is lost between one who adds and one who takes") {
  const TemporaryFolder folder;
  const std::string path = folder.path("dead.jsonl");
  constexpr int count = 2000;
  std::atomic<bool> is_over{false};
  std::thread adding([&] {
    for (int number = 0; number < count; ++number) {
      if (!append_dead_letters(path, fmt::format("{}\n", number))) {
        break;
      }
    }
    is_over.store(true);
  });
  std::string all;
  for (bool was_over = false; !was_over;) {
    was_over = is_over.load();
    auto taken = TakenLetters::take(path);
    REQUIRE(taken);
    if (*taken) {
      all += letters_in((*taken)->path());
      REQUIRE((*taken)->done());
    }
  }
  adding.join();
  std::string expected;
  for (int number = 0; number < count; ++number) {
    expected += fmt::format("{}\n", number);
  }
  CHECK(all == expected);
}

}  // namespace ringpost::serve::test
