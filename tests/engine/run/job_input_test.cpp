#include "engine/run/job_input.h"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "codec/job/job_reader.h"
#include "tests/engine/run/compressed.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;

// What one call of next() came to: "FILE:NUMBER:TEXT", with "!" for a line that is too long, or an
// error's text.
std::vector<std::string> all_lines(const std::vector<std::string>& files, int stop = -1) {
  std::vector<std::string> lines;
  auto input = JobInput::open(files, stop);
  if (!input) {
    return {"error: " + input.error().message};
  }
  for (;;) {
    JobInput::Line line;
    const auto next = input->next(line);
    if (!next) {
      lines.push_back("error: " + next.error().message);
      continue;
    }
    if (!*next) {
      return lines;
    }
    const Bytes file = line.file.substr(line.file.rfind('/') + 1);
    lines.push_back(std::string(file) + ":" + std::to_string(line.number) + ":" +
                    (line.too_long ? "!" : std::string(line.text)));
    // The padding is readable: a sanitizer says so when it is not.
    const char* const behind = line.text.data() + line.text.size();
    unsigned sum = 0;
    for (std::size_t i = 0; !line.too_long && i < codec::JobReader::padding_bytes; ++i) {
      sum += static_cast<unsigned char>(behind[i]);
    }
    lines.back() += sum == ~0u ? "?" : "";
  }
}

using Lines = std::vector<std::string>;

Instant soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

void raise_event(int descriptor) {
  const std::uint64_t one = 1;
  RP_ASSERT(::write(descriptor, &one, sizeof(one)) == sizeof(one));
}

}  // namespace

TEST_CASE("job input: lines are numbered from one in each file, and come in the files' order") {
  const TemporaryFolder folder;
  const std::string first = folder.write("a", "one\ntwo\n");
  const std::string second = folder.write("b", "three\n");
  CHECK(all_lines({first, second, first}) ==
        Lines{"a:1:one", "a:2:two", "b:1:three", "a:1:one", "a:2:two"});
}

TEST_CASE("job input: the last line needs no newline") {
  const TemporaryFolder folder;
  const std::string first = folder.write("a", "one\ntwo");
  const std::string second = folder.write("b", "three");
  CHECK(all_lines({first, second}) == Lines{"a:1:one", "a:2:two", "b:1:three"});
}

TEST_CASE("job input: blank lines are passed over and counted, and a CR is left to the reader") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "\n\r\n  \t \none\r\n\n\ntwo\n\n \n\t");
  CHECK(all_lines({file}) == Lines{"a:4:one\r", "a:7:two"});
  CHECK(all_lines({folder.write("b", "")}).empty());
  CHECK(all_lines({folder.write("c", "\n\n\n")}).empty());
}

TEST_CASE("job input: octets that are no text come through, NUL among them") {
  const TemporaryFolder folder;
  const std::string octets("a\0b\xff\xfe", 5);
  CHECK(all_lines({folder.write("a", octets + "\n" + octets)}) ==
        Lines{"a:1:" + octets, "a:2:" + octets});
}

TEST_CASE("job input: a line is whole wherever the buffer's end falls") {
  const TemporaryFolder folder;
  static constexpr std::size_t buffer_bytes = 1u << 20;
  // Before, on and behind the end of the first buffer, and of the grown one.
  const std::size_t end = GENERATE(buffer_bytes, 2 * buffer_bytes);
  for (std::size_t bytes = end - 4; bytes <= end + 4; ++bytes) {
    const std::string first(bytes, 'x');
    const std::string second(70, 'y');
    const std::string file = folder.write("a", first + "\n" + second + "\n\nz");
    INFO("a first line of " << bytes);
    REQUIRE(all_lines({file}) == Lines{"a:1:" + first, "a:2:" + second, "a:4:z"});
    REQUIRE(all_lines({folder.write("a", first)}) == Lines{"a:1:" + first});
  }
}

TEST_CASE("job input: many lines of all lengths come as they are") {
  const TemporaryFolder folder;
  std::string text;
  Lines expected;
  for (std::size_t i = 1; i <= 4000; ++i) {
    const std::string line(i * 7919 % 2500 + 1, static_cast<char>('a' + i % 26));
    text += line + "\n";
    expected.push_back("a:" + std::to_string(i) + ":" + line);
  }
  CHECK((all_lines({folder.write("a", text)}) == expected));
  CHECK((all_lines({folder.write("a", test::gzip(text))}) == expected));
  CHECK((all_lines({folder.write("a", test::zstd(text))}) == expected));
}

TEST_CASE("job input: a line over the limit is named and passed over, wherever it stands") {
  const TemporaryFolder folder;
  const std::string limit(limits::job_line_bytes_max, 'x');
  SECTION("one of just the largest size is taken") {
    const Lines lines = all_lines({folder.write("a", "one\n" + limit + "\nthree\n")});
    REQUIRE(lines.size() == 3);
    CHECK(lines[1].size() == limit.size() + 4);
    CHECK(lines[2] == "a:3:three");
  }
  SECTION("so it is at the end") {
    const Lines lines = all_lines({folder.write("a", limit)});
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].size() == limit.size() + 4);
  }
  SECTION("in the middle") {
    CHECK(all_lines({folder.write("a", "one\n" + limit + "x\nthree\n")}) ==
          Lines{"a:1:one", "a:2:!", "a:3:three"});
  }
  SECTION("at the end, without a newline") {
    const std::string next = folder.write("b", "next\n");
    CHECK(all_lines({folder.write("a", "one\n" + limit + "x"), next}) ==
          Lines{"a:1:one", "a:2:!", "b:1:next"});
  }
  SECTION("much longer") {
    const std::string file = folder.write("a", test::zstd("one\n" + limit + limit + limit + "\nx"));
    CHECK(all_lines({file}) == Lines{"a:1:one", "a:2:!", "a:3:x"});
  }
  SECTION("two of them, and a blank one") {
    CHECK(all_lines({folder.write("a", limit + "xy\n\n" + limit + "x\nfour")}) ==
          Lines{"a:1:!", "a:3:!", "a:4:four"});
  }
}

TEST_CASE("job input: a file that is damaged gives an error, and the next one is read") {
  const TemporaryFolder folder;
  const std::string good = folder.write("good", "good\n");
  SECTION("cut off: the lines before it are given, the half one is not") {
    const std::string whole = test::gzip("one\ntwo\nthree and no end");
    const std::string file = folder.write("cut", whole.substr(0, whole.size() - 8));
    CHECK(all_lines({file, good}) == Lines{"cut:1:one", "cut:2:two",
                                           "error: " + file + ": the compressed data is cut off",
                                           "good:1:good"});
  }
  SECTION("damaged") {
    std::string damaged = test::zstd("one\ntwo\n");
    damaged.back() ^= 1;
    const std::string file = folder.write("bad", damaged);
    const Lines lines = all_lines({file, good});
    CHECK(lines.back() == "good:1:good");
    CHECK(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.starts_with("error: " + file + ": damaged zstd data: ");
          }) == 1);
  }
  SECTION("within a line that is too long: one error, and no line") {
    std::string damaged = test::zstd(std::string(limits::job_line_bytes_max + 100, 'x') + "\n");
    damaged.back() ^= 1;
    const std::string file = folder.write("bad", damaged);
    const Lines lines = all_lines({file, good});
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].starts_with("error: " + file));
    CHECK(lines[1] == "good:1:good");
  }
}

TEST_CASE("job input: a file that is not there stops it before the first line") {
  const TemporaryFolder folder;
  const std::string good = folder.write("good", "good\n");
  const std::string missing = folder.path("missing");
  CHECK(all_lines({good, missing}) == Lines{"error: " + missing + ": No such file or directory"});
  CHECK(all_lines({folder.path("")}) == Lines{"error: " + folder.path("") + ": Is a directory"});
}

TEST_CASE("job input: a FIFO is waited for where it can be stopped, and read to its end") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  SECTION("nobody ever writes") {
    auto input = JobInput::open({fifo}, stop);
    REQUIRE(input.has_value());
    std::thread stopping([stop] { raise_event(stop); });
    JobInput::Line line;
    CHECK(input->next(line) == false);
    stopping.join();
  }
  SECTION("somebody does, in the end") {
    auto input = JobInput::open({fifo}, stop);
    REQUIRE(input.has_value());
    std::thread writing([&fifo] {
      const int descriptor = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
      for (const char octet : std::string("one\n\ntwo")) {
        RP_ASSERT(::write(descriptor, &octet, 1) == 1);
      }
      ::close(descriptor);
    });
    JobInput::Line line;
    REQUIRE(input->next(line) == true);
    CHECK(line.text == "one");
    REQUIRE(input->next(line) == true);
    CHECK(line.text == "two");
    CHECK(line.number == 3);
    CHECK(input->next(line) == false);
    writing.join();
  }
  ::close(stop);
}

TEST_CASE("job input: when it is stopped the line that is still being written is no line") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  const std::string half = GENERATE(std::string("{\"id\":\"half"), std::string());
  auto input = JobInput::open({fifo, folder.write("next", "next\n")}, stop);
  REQUIRE(input.has_value());
  const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  const std::string octets = "whole\n" + half;
  REQUIRE(::write(writer, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
  JobInput::Line line;
  REQUIRE(input->next(line) == true);
  CHECK(line.text == "whole");
  CHECK(input->may_wait());
  raise_event(stop);
  CHECK(input->next(line) == false);
  CHECK(input->next(line) == false);
  ::close(writer);
  ::close(stop);
}

TEST_CASE("job input: it may have to wait only when no whole line is at hand") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  auto input = JobInput::open({fifo}, -1);
  REQUIRE(input.has_value());
  CHECK(input->may_wait());
  const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::write(writer, "one line\ntwo\nthr", 16) == 16);
  JobInput::Line line;
  REQUIRE(input->next(line) == true);
  CHECK_FALSE(input->may_wait());
  REQUIRE(input->next(line) == true);
  CHECK(line.text == "two");
  CHECK(input->may_wait());
  ::close(writer);
  REQUIRE(input->next(line) == true);
  CHECK(line.text == "thr");
  CHECK(input->next(line) == false);
  CHECK_FALSE(input->may_wait());
}

TEST_CASE("job input: octets read are the files' own, and come to their total in the end") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  const std::string plain = folder.write("plain", text);
  const std::string compressed = folder.write("compressed", test::gzip(text));
  auto input = JobInput::open({plain, compressed}, -1);
  REQUIRE(input.has_value());
  const std::uint64_t total = text.size() + test::gzip(text).size();
  CHECK(input->bytes_total() == total);
  CHECK(input->bytes_read() == 0);
  JobInput::Line line;
  std::uint64_t before = 0;
  bool grows = true;
  for (int i = 0; i < 200'000; ++i) {
    REQUIRE(input->next(line) == true);
    grows = grows && input->bytes_read() >= before && input->bytes_read() <= total;
    before = input->bytes_read();
  }
  CHECK(grows);
  REQUIRE(input->next(line) == false);
  CHECK(input->bytes_read() == total);
}

TEST_CASE("job input: the total is not known when one of the files is a pipe") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  auto input = JobInput::open({folder.write("a", "one\n"), fifo}, -1);
  REQUIRE(input.has_value());
  CHECK(input->bytes_total() == 0);
}

TEST_CASE("job input: what was not read is counted in files, whatever they are") {
  const TemporaryFolder folder;
  const std::string lines = "1\n\n2\n3\n";
  const std::vector<std::string> files = {folder.write("a", lines), folder.write("empty", ""),
                                          folder.write("b", test::gzip(lines)),
                                          folder.write("c", "4\n5")};
  auto input = JobInput::open(files, -1);
  REQUIRE(input);
  JobInput::Line line;
  REQUIRE(input->next(line).value());
  const UnreadLines unread = input->unread(soon());
  CHECK(unread.from.ends_with("/a:3"));
  CHECK(unread.count == 7);
  CHECK(unread.are_in_one_piece);
  CHECK(input->unread(soon()).from.empty());
  CHECK(input->unread(soon()).count == 0);
}

TEST_CASE("job input: what was not read is counted also when it was told to stop") {
  const TemporaryFolder folder;
  const int stop = ::eventfd(1, EFD_CLOEXEC);
  auto input = JobInput::open(
      {folder.write("a", "1\n2\n"), folder.write("empty", ""), folder.write("b", "3\n")}, stop);
  REQUIRE(input);
  CHECK(input->unread(soon()).count == 3);
  ::close(stop);
}

TEST_CASE(
    "job input: nobody knows what a pipe or a damaged file still has, nor how long it takes") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string good = folder.write("a", "1\n2\n");
  auto piped = JobInput::open({good, fifo}, -1);
  REQUIRE(piped);
  CHECK_FALSE(piped->unread(soon()).count);
  auto damaged = JobInput::open({good, folder.write("b", test::gzip("1\n2\n").substr(0, 20))}, -1);
  REQUIRE(damaged);
  CHECK_FALSE(damaged->unread(soon()).count);
  auto late = JobInput::open({good}, -1);
  REQUIRE(late);
  CHECK_FALSE(late->unread(Instant{}).count);
}

}  // namespace ringpost::run
