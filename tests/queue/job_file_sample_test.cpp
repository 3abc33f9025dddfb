#include "queue/job_file_sample.h"

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::queue {

namespace {

codec::JournalFile sample(const std::string& path) {
  const auto file = sample_job_file(path);
  REQUIRE(file);
  return *file;
}

std::optional<std::string> difference(std::vector<codec::JournalFile> then,
                                      std::vector<codec::JournalFile> now) {
  return job_files_difference(then, now);
}

}  // namespace

TEST_CASE("job file sample: each octet of a small file counts") {
  const test::TemporaryFolder folder;
  const std::string text(1000, 'x');
  const auto before = sample(folder.write("jobs", text));
  CHECK(before.size_bytes == 1000);
  CHECK(before == sample(folder.path("jobs")));
  for (std::size_t place = 0; place < text.size(); place += 37) {
    std::string changed = text;
    changed[place] = 'y';
    const auto said = difference({before}, {sample(folder.write("jobs", changed))});
    REQUIRE(said);
    CHECK(said->find(folder.path("jobs")) == 0);
  }
}

TEST_CASE("job file sample: begin, middle and end of a large file count") {
  const test::TemporaryFolder folder;
  const std::string text(1'000'000, 'x');
  const auto before = sample(folder.write("jobs", text));
  const std::size_t place = GENERATE(0U, 65'535U, 500'000U, 934'464U, 999'999U);
  std::string changed = text;
  changed[place] = 'y';
  CHECK(difference({before}, {sample(folder.write("jobs", changed))}));
  CHECK(difference({before}, {sample(folder.write("jobs", text + "x"))}));
  // Where it stands does not matter.
  CHECK_FALSE(difference({before}, {sample(folder.write("moved", text))}));
}

TEST_CASE("job file sample: missing, further and unreadable files are named") {
  const test::TemporaryFolder folder;
  const auto one = sample(folder.write("one", "1"));
  const auto two = sample(folder.write("two", "2"));
  const auto input = sample("-");
  CHECK(input == codec::JournalFile{"-", UINT64_MAX, 0});
  CHECK(difference({one, two}, {one}).value_or("").find(two.path) == 0);
  CHECK(difference({one}, {one, two}).value_or("").find(two.path) == 0);
  CHECK(difference({one, two}, {two, one}));
  CHECK(difference({one}, {input}));
  CHECK(difference({input}, {one}));
  CHECK_FALSE(difference({one, two, input}, {one, two, input}));
  const auto none = sample_job_file(folder.path("none"));
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find(folder.path("none")) == 0);
}

TEST_CASE("job file sample: a file that grows is bound to its lines alone") {
  const test::TemporaryFolder folder;
  const codec::JournalFile then{"spool", job_file_size_unknown, job_file_grows};
  CHECK_FALSE(difference({then}, {sample(folder.write("empty", ""))}));
  CHECK_FALSE(difference({then}, {sample(folder.write("grown", "some more"))}));
  CHECK(difference({then}, {sample("-")}));
}

TEST_CASE("job file sample: whoever waits to write into a pipe goes on waiting for its reader") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("pipe");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::atomic<bool> is_open = false;
  std::thread writer([&] {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    is_open = true;
    ::close(descriptor);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the writer waits by then
  CHECK(sample(path) == codec::JournalFile{path, UINT64_MAX, 0});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(is_open);
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  writer.join();
  ::close(reader);
}

}  // namespace ringpost::queue
