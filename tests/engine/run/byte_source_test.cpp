#include "engine/run/byte_source.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/run/compressed.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;
using test::gzip;
using test::zstd;

struct Pipe {
  Pipe() { RP_ASSERT(::pipe2(descriptors.data(), O_CLOEXEC) == 0); }
  // The reading end belongs to whoever takes it.
  ~Pipe() { end(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void write(Bytes octets) const {
    while (!octets.empty()) {
      const ssize_t count = ::write(descriptors[1], octets.data(), octets.size());
      RP_ASSERT(count > 0);
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end() {
    if (descriptors[1] >= 0) {
      ::close(std::exchange(descriptors[1], -1));
    }
  }

  std::array<int, 2> descriptors{};
};

// Everything a source gives, through a room of this size; an error's text behind it.
std::string read_all(ByteSource& source, std::size_t room_bytes) {
  std::string all;
  std::string room(room_bytes, '\0');
  for (;;) {
    const auto got = source.read(room);
    if (!got) {
      return all + "!" + got.error();
    }
    all.append(room, 0, got->bytes);
    if (got->end || got->stopped) {
      return got->stopped ? all + "!stopped" : all;
    }
  }
}

std::string read_octets(Bytes octets, std::size_t room_bytes = 4096) {
  const TemporaryFolder folder;
  const std::string path = folder.write("input", octets);
  ByteSource source(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path, -1);
  return read_all(source, room_bytes);
}

// Not all of one octet, so that compression has something to get wrong.
std::string some_text(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    text += "line " + std::to_string(i * i) + "\n";
  }
  text.resize(bytes);
  return text;
}

}  // namespace

TEST_CASE("byte source: plain octets come as they are, however short") {
  const std::size_t room_bytes = GENERATE(1u, 3u, 4u, 4096u);
  for (std::size_t bytes : {0u, 1u, 2u, 3u, 4u, 5u, 10'000u}) {
    const std::string text = some_text(bytes);
    CHECK(read_octets(text, room_bytes) == text);
  }
  CHECK(read_octets("\x1f", room_bytes) == "\x1f");
  CHECK(read_octets("\x28\xb5\x2f", room_bytes) == "\x28\xb5\x2f");
}

TEST_CASE("byte source: gzip and zstd are recognised and decompressed, in several parts too") {
  const std::size_t room_bytes = GENERATE(1u, 7u, 65'536u);
  const std::string first = some_text(100'000);
  const std::string second = "and more\n";
  CHECK(read_octets(gzip(first), room_bytes) == first);
  CHECK(read_octets(zstd(first), room_bytes) == first);
  CHECK(read_octets(gzip(first) + gzip(second) + gzip(""), room_bytes) == first + second);
  CHECK(read_octets(zstd(first) + zstd(second) + zstd(""), room_bytes) == first + second);
  CHECK(read_octets(gzip(""), room_bytes).empty());
  CHECK(read_octets(zstd(""), room_bytes).empty());
}

TEST_CASE("byte source: a compressed file larger than any buffer comes whole") {
  const std::string text = some_text(3'000'000);
  CHECK(read_octets(gzip(text), 1u << 20) == text);
  CHECK(read_octets(zstd(text), 1u << 20) == text);
}

TEST_CASE("byte source: octets that are highly compressible cannot outgrow the room") {
  const std::string zeros(50u << 20, '0');
  const bool with_zstd = GENERATE(false, true);
  const std::string bomb = with_zstd ? zstd(zeros) : gzip(zeros);
  CHECK(bomb.size() < 100'000);
  CHECK(read_octets(bomb, 1u << 16) == zeros);
}

TEST_CASE("byte source: compressed data that is cut off anywhere is an error, never a short file") {
  const std::string text = some_text(2000);
  for (const std::string& whole : {gzip(text), zstd(text)}) {
    for (std::size_t bytes = 4; bytes < whole.size(); ++bytes) {
      const std::string got = read_octets(whole.substr(0, bytes));
      INFO(bytes << " of " << whole.size());
      REQUIRE(got.ends_with("!the compressed data is cut off"));
      REQUIRE(text.starts_with(got.substr(0, got.find('!'))));
    }
  }
  // The second part is missing its end.
  CHECK(read_octets(gzip(text) + gzip(text).substr(0, 40)).ends_with("cut off"));
  CHECK(read_octets(zstd(text) + zstd(text).substr(0, 40)).ends_with("cut off"));
}

TEST_CASE("byte source: damaged compressed data is an error") {
  const std::string text = some_text(20'000);
  std::string damaged_gzip = gzip(text);
  damaged_gzip[damaged_gzip.size() / 2] ^= 0x55;
  CHECK(read_octets(damaged_gzip).find("!damaged gzip data") != std::string::npos);
  std::string wrong_sum = gzip(text);
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  CHECK(read_octets(wrong_sum).find("!damaged gzip data") != std::string::npos);
  std::string damaged_zstd = zstd(text);
  damaged_zstd[damaged_zstd.size() - 1] ^= 1;
  CHECK(read_octets(damaged_zstd).find("!damaged zstd data: ") != std::string::npos);
  CHECK(read_octets("\x1f\x8b what is this").find("!damaged gzip data") != std::string::npos);
}

TEST_CASE("byte source: garbage behind a gzip member is an error behind its text") {
  CHECK(read_octets(gzip("text\n") + "garbage and more of it") == "text\n!damaged gzip data");
}

TEST_CASE("byte source: a pipe is read to its end, whatever the pieces") {
  const bool compressed = GENERATE(false, true);
  const std::string text = some_text(3000);
  const std::string octets = compressed ? gzip(text) : text;
  Pipe pipe;
  ByteSource source(pipe.descriptors[0], "-", -1);
  CHECK(source.size_bytes() == 0);
  CHECK(source.may_wait());
  std::thread writing([&] {
    for (std::size_t at = 0; at < octets.size(); at += 11) {
      pipe.write(Bytes(octets).substr(at, 11));
    }
    pipe.end();
  });
  CHECK(read_all(source, 100) == text);
  writing.join();
  CHECK(source.taken_bytes() == octets.size());
}

TEST_CASE("byte source: waiting ends when the stop descriptor says so, at any moment") {
  const std::string before = GENERATE(std::string(), std::string("{"), std::string("half a line"),
                                      gzip("a line\n").substr(0, 15));
  Pipe pipe;
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  ByteSource source(pipe.descriptors[0], "-", stop);
  pipe.write(before);
  std::thread stopping([&] {
    // Not before everything has been read.
    pollfd pending{pipe.descriptors[0], POLLIN, 0};
    while (::poll(&pending, 1, 0) == 1) {
      std::this_thread::yield();
    }
    const std::uint64_t one = 1;
    RP_ASSERT(::write(stop, &one, sizeof(one)) == sizeof(one));
  });
  const std::string got = read_all(source, 100);
  stopping.join();
  CHECK(got.ends_with("!stopped"));
  CHECK(got.find("cut off") == std::string::npos);
  // And it stays stopped.
  CHECK(read_all(source, 100) == "!stopped");
  ::close(stop);
}

TEST_CASE("byte source: a regular file says how large it is and needs no waiting") {
  const TemporaryFolder folder;
  const std::string path = folder.write("input", "four");
  ByteSource source(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path, -1);
  CHECK(source.name() == path);
  CHECK(source.size_bytes() == 4);
  CHECK_FALSE(source.may_wait());
  CHECK(source.taken_bytes() == 0);
  CHECK(read_all(source, 100) == "four");
  CHECK(source.taken_bytes() == 4);
}

TEST_CASE("byte source: what cannot be read is an error in the system's words") {
  const TemporaryFolder folder;
  ByteSource source(::open(folder.path("").c_str(), O_RDONLY | O_CLOEXEC), "folder", -1);
  CHECK(read_all(source, 100) == "!Is a directory");
}

}  // namespace ringpost::run
