// What was appended is there, what could not be is not, and half a line is nobody's.
#include "tools/serve/spool/spool_file.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::serve::test {

namespace {

using ringpost::test::TemporaryFolder;

std::vector<std::string> lines_in(const SpoolFile& file) {
  SpoolLines lines(file);
  std::vector<std::string> all;
  Bytes line;
  while (true) {
    const auto next = lines.next(line);
    REQUIRE(next);
    if (!*next) {
      CHECK(lines.is_at_end());
      return all;
    }
    CHECK(lines.index() == all.size());
    all.emplace_back(line);
  }
}

std::unique_ptr<SpoolFile> opened(const std::string& path) {
  auto file = SpoolFile::open(path);
  REQUIRE(file);
  return std::move(*file);
}

int failing_calls = 0;  // of the next calls, how many fail

ssize_t short_of_room(int descriptor, const void* octets, std::size_t count, off_t offset) {
  if (failing_calls > 0) {
    --failing_calls;
    // Some octets find room.
    static_cast<void>(::pwrite(descriptor, octets, count / 2, offset));
    errno = ENOSPC;
    return -1;
  }
  return ::pwrite(descriptor, octets, count, offset);
}

int failing_sync(int descriptor) {
  if (failing_calls > 0) {
    --failing_calls;
    errno = EIO;
    return -1;
  }
  return ::fdatasync(descriptor);
}

}  // namespace

TEST_CASE("spool file: lines come back as they were appended, also those that come later") {
  const TemporaryFolder folder;
  auto file = SpoolFile::create(folder.path("jobs"));
  REQUIRE(file);
  struct stat status {};
  REQUIRE(::stat(folder.path("jobs").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string long_line(700'000, 'x');
  SpoolLines lines(**file);
  Bytes line;
  CHECK(lines.next(line) == false);
  REQUIRE((*file)->append("one\ntwo\n"));
  REQUIRE(lines.next(line) == true);
  CHECK(line == "one");
  REQUIRE((*file)->append(long_line + "\nfour\n"));
  for (const std::string& wanted : {std::string("two"), long_line, std::string("four")}) {
    REQUIRE(lines.next(line) == true);
    CHECK(line == wanted);
  }
  CHECK(lines.index() == 3);
  lines.rest();
  REQUIRE((*file)->append("five\n"));
  REQUIRE(lines.next(line) == true);
  CHECK(line == "five");
  CHECK_FALSE(SpoolFile::create(folder.path("jobs")));
}

TEST_CASE("spool file: a torn line is cut, and nothing else") {
  const TemporaryFolder folder;
  struct Case {
    std::string octets;
    std::string whole;
  };
  const std::string long_rest(600'000, 'r');
  for (const auto& [octets, whole] :
       {Case{"", ""}, Case{"torn", ""}, Case{"one\n", "one\n"}, Case{"one\ntor", "one\n"},
        Case{"one\n" + long_rest, "one\n"},
        Case{"one\n" + long_rest + "\nt", "one\n" + long_rest + "\n"}}) {
    const std::string path = folder.write("jobs", octets);
    const auto file = opened(path);
    CHECK(file->cut_bytes() == octets.size() - whole.size());
    CHECK(file->bytes() == whole.size());
    CHECK(folder.read("jobs") == whole);
    REQUIRE(file->append("next\n"));
    CHECK(lines_in(*file).back() == "next");
  }
}

TEST_CASE("spool file: what finds no room leaves it as it was, and may be tried again") {
  const TemporaryFolder folder;
  auto file = SpoolFile::create(folder.path("jobs"), {.pwrite = short_of_room});
  REQUIRE(file);
  REQUIRE((*file)->append("one\n"));
  failing_calls = 1;
  const auto failed = (*file)->append("two and more\n");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().may_be_tried_again);
  CHECK_FALSE((*file)->is_broken());
  CHECK(folder.read("jobs") == "one\n");
  REQUIRE((*file)->append("two\n"));
  CHECK(lines_in(**file) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("spool file: a disk that has failed to sync is not believed again") {
  const TemporaryFolder folder;
  auto file = SpoolFile::create(folder.path("jobs"), {.fdatasync = failing_sync});
  REQUIRE(file);
  REQUIRE((*file)->append("one\n"));
  failing_calls = 1;
  const auto failed = (*file)->append("two\n");
  REQUIRE_FALSE(failed);
  CHECK_FALSE(failed.error().may_be_tried_again);
  CHECK((*file)->is_broken());
  CHECK_FALSE((*file)->append("three\n"));
  CHECK(lines_in(**file) == std::vector<std::string>{"one"});
  CHECK(folder.read("jobs") == "one\n");
}

}  // namespace ringpost::serve::test
