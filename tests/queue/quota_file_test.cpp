#include "queue/quota_file.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::queue {

namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

constexpr std::int64_t hour_ns = 3'600'000'000'000;

QuotaClocks clocks_at(std::int64_t monotonic_ns, std::int64_t unix_ns,
                      const std::string& boot_id = "boot-one") {
  return {Instant(Duration(monotonic_ns)), unix_ns, boot_id};
}

QuotaFile::Opened open_at(const std::string& path, const QuotaClocks& clocks) {
  auto opened = QuotaFile::open(path, clocks);
  INFO((opened ? "" : opened.error()));
  REQUIRE(opened);
  return std::move(*opened);
}

constexpr std::size_t day_index = log_index(QuotaUnit::messages, QuotaPeriod::day);

const QuotaLog& day_of(const QuotaFile& file) { return file.logs()[day_index]; }

void write_group(QuotaFile& file, std::size_t group, std::int64_t last_ns, std::uint64_t units,
                 std::size_t index = day_index) {
  const std::lock_guard lock(file);
  set_group(file.log(index), group, last_ns, units);
}

// What the file has now.
std::uint64_t day_units(QuotaFile& file) {
  const std::lock_guard lock(file);
  return day_of(file).units;
}

void overwrite(const std::string& path, std::streamoff offset, const std::string& octets) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file << octets;
}

void flip(const std::string& path, std::streamoff offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  const char octet = static_cast<char>(file.get() ^ 0x40);
  file.seekp(offset);
  file.put(octet);
}

// Waits for a child of this process; says whether a signal ended it.
int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

TEST_CASE("quota file: what one run has taken, the next one finds") {
  const TemporaryFolder folder;
  const std::string path = folder.path("one.state");
  {
    const auto opened = open_at(path, clocks_at(1000, 5000));
    CHECK(opened.notice.empty());
    write_group(*opened.file, 7, 900, 42);
  }
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto again = open_at(path, clocks_at(2000, 6000));
  CHECK(again.notice.empty());
  CHECK(day_of(*again.file).units == 42);
  CHECK(day_of(*again.file).groups[7].last_ns == 900);
}

TEST_CASE("quota file: others than its owner may not read it, whatever it was before") {
  const TemporaryFolder folder;
  const std::string path = folder.write("open.state", "");
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  const auto opened = open_at(path, clocks_at(1, 1));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("quota file: a name that points elsewhere is not followed") {
  const TemporaryFolder folder;
  const std::string target = folder.write("target", "precious");
  const std::string path = folder.path("link.state");
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  CHECK_FALSE(QuotaFile::open(path, clocks_at(1, 1)));
  CHECK(folder.read("target") == "precious");
  CHECK_FALSE(QuotaFile::open(folder.path("no/such/folder.state"), clocks_at(1, 1)));
}

TEST_CASE("quota file: the wall clock may jump within a boot, and nothing moves") {
  const TemporaryFolder folder;
  const std::string path = folder.path("jump.state");
  {
    const auto opened = open_at(path, clocks_at(10 * hour_ns, 1000 * hour_ns));
    write_group(*opened.file, 0, 9 * hour_ns, 5);
  }
  for (const std::int64_t wall : {1 * hour_ns, 99'000 * hour_ns}) {
    const auto opened = open_at(path, clocks_at(11 * hour_ns, wall));
    CHECK(day_of(*opened.file).groups[0].last_ns == 9 * hour_ns);
  }
}

TEST_CASE("quota file: after a boot times are as old as the wall clock says") {
  const TemporaryFolder folder;
  const std::string path = folder.path("boot.state");
  {
    const auto opened = open_at(path, clocks_at(100 * hour_ns, 1000 * hour_ns));
    write_group(*opened.file, 0, 98 * hour_ns, 5);
  }
  SECTION("two hours and one") {
    const auto opened = open_at(path, clocks_at(hour_ns / 2, 1001 * hour_ns, "boot-two"));
    CHECK(day_of(*opened.file).groups[0].last_ns == hour_ns / 2 - 3 * hour_ns);
    CHECK(is_sound(day_of(*opened.file)));
  }
  SECTION("a clock that was set back: what would be in the future is now") {
    const auto opened = open_at(path, clocks_at(hour_ns / 2, 7 * hour_ns, "boot-two"));
    CHECK(day_of(*opened.file).groups[0].last_ns == hour_ns / 2);
    CHECK(is_sound(day_of(*opened.file)));
  }
  SECTION("the offset is that of the last sync") {
    {
      const auto opened = open_at(path, clocks_at(100 * hour_ns, 1000 * hour_ns));
      REQUIRE(opened.file->sync(clocks_at(101 * hour_ns, 2001 * hour_ns)));
    }
    const auto opened = open_at(path, clocks_at(hour_ns, 2002 * hour_ns, "boot-two"));
    CHECK(day_of(*opened.file).groups[0].last_ns == hour_ns - 4 * hour_ns);
  }
}

TEST_CASE("quota file: a time in the future, whoever wrote it, is now") {
  const TemporaryFolder folder;
  const std::string path = folder.path("future.state");
  {
    const auto opened = open_at(path, clocks_at(hour_ns, hour_ns));
    write_group(*opened.file, 3, INT64_MAX, 5);
  }
  const auto opened = open_at(path, clocks_at(2 * hour_ns, 2 * hour_ns));
  CHECK(day_of(*opened.file).groups[3].last_ns == 2 * hour_ns);
}

TEST_CASE("quota file: damage is set aside and said, and makes no room") {
  const TemporaryFolder folder;
  const std::string path = folder.path("damaged.state");
  {
    const auto opened = open_at(path, clocks_at(1000, 5000));
    for (std::size_t index = 0; index < quota_logs; ++index) {
      write_group(*opened.file, 1, 900, 3, index);
    }
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  const auto logs_begin = size - static_cast<std::streamoff>(sizeof(QuotaLogs));
  SECTION("one octet of a time") {
    flip(path,
         logs_begin + static_cast<std::streamoff>(sizeof(QuotaLog) + offsetof(QuotaLog, groups) +
                                                  sizeof(QuotaGroup)));
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("checksums are wrong") != std::string::npos);
    CHECK(opened.file->logs()[0].units == 3);
    CHECK(opened.file->logs()[1].units == 3);
    CHECK(opened.file->logs()[2].units == 3);
    CHECK(std::filesystem::exists(path + ".damaged"));
  }
  SECTION("a page that is lost: what the sums tell of counts as taken now") {
    overwrite(path, logs_begin + static_cast<std::streamoff>(offsetof(QuotaLog, groups)),
              std::string(4096, '\0'));
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK_FALSE(opened.notice.empty());
    CHECK(opened.file->logs()[0].units == 3);
    CHECK(opened.file->logs()[0].groups[0].last_ns == 2000);
  }
  SECTION("the head") {
    flip(path, 3);
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("is no state file") != std::string::npos);
    CHECK(opened.file->logs()[0].units == 3);
  }
  SECTION("the first octets are zero") {
    overwrite(path, 0, std::string(8, '\0'));
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("is no state file") != std::string::npos);
    CHECK(opened.file->logs()[0].units == 3);
  }
  SECTION("a second time: what was set aside before is still there") {
    for (int time = 0; time < 12; ++time) {
      flip(path, logs_begin + static_cast<std::streamoff>(offsetof(QuotaLog, groups)));
      flip(path, 3);
      CHECK_FALSE(open_at(path, clocks_at(2000, 6000)).notice.empty());
    }
    CHECK(std::filesystem::exists(path + ".damaged"));
    CHECK(std::filesystem::exists(path + ".damaged-2"));
    CHECK(std::filesystem::exists(path + ".damaged-9"));
    CHECK_FALSE(std::filesystem::exists(path + ".damaged-10"));
  }
  SECTION("another version") {
    flip(path, 8);
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("version") != std::string::npos);
  }
  SECTION("of an older release, which had less in its head") {
    constexpr std::size_t less = 72;
    std::string octets = folder.read("damaged.state");
    const auto layout = static_cast<std::uint32_t>(octets.size() - less);
    octets.replace(12, sizeof layout, reinterpret_cast<const char*>(&layout), sizeof layout);
    octets.erase(static_cast<std::size_t>(logs_begin) - less, less);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << octets;
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("set aside") != std::string::npos);
    CHECK(opened.notice.find("its counts begin anew") != std::string::npos);
    CHECK(folder.read("damaged.state.damaged") == octets);
    for (const QuotaLog& log : opened.file->logs()) {
      CHECK(log.units == 0);
    }
    CHECK(open_at(folder.path("other.state"), clocks_at(1, 1)).notice.empty());
  }
  SECTION("cut short") {
    std::filesystem::resize_file(path, 1234);
    const auto opened = open_at(path, clocks_at(2000, 6000));
    CHECK(opened.notice.find("1234 octets") != std::string::npos);
    CHECK(opened.file->logs()[0].units == 3);
    CHECK(opened.file->logs()[1].units == 0);
  }
  SECTION("any octet: never a crash, and never fewer counts than there were") {
    for (std::streamoff offset = 0; offset < size; offset += 997) {
      flip(path, offset);
      const auto opened = open_at(path, clocks_at(2000, 6000));
      for (const QuotaLog& log : opened.file->logs()) {
        REQUIRE(is_sound(log));
        REQUIRE(log.units >= 3);
      }
    }
  }
  // What was opened above is sound again.
  CHECK(open_at(path, clocks_at(3000, 7000)).notice.empty());
}

TEST_CASE("quota file: what was learnt stays") {
  const TemporaryFolder folder;
  const std::string path = folder.path("learnt.state");
  const LearntLimits learnt{.rate_amount = 70,
                            .rate_length_ns = 1'000'000'000,
                            .sessions_max = 10,
                            .session_messages_max = 5,
                            .learnt_at_unix_ns = 77};
  CHECK(open_at(path, clocks_at(1, 1)).file->learnt() == LearntLimits{});
  open_at(path, clocks_at(1, 1)).file->set_learnt(learnt);
  CHECK(open_at(path, clocks_at(1, 1)).file->learnt() == learnt);
}

TEST_CASE("quota file: whoever is killed with the lock loses it") {
  const TemporaryFolder folder;
  const std::string path = folder.path("killed.state");
  const auto opened = open_at(path, read_quota_clocks());
  write_group(*opened.file, 9, 12, 8);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto own = QuotaFile::open(path, read_quota_clocks());
    if (own) {
      own->file->lock();
      set_group(own->file->log(day_index), 9, 13, 80);
      ::kill(::getpid(), SIGKILL);
    }
    ::_exit(1);
  }
  CHECK(WIFSIGNALED(wait_for(child)));
  // He had not begun to write, and so had sent nothing.
  CHECK(day_units(*opened.file) == 8);
  CHECK(is_sound(day_of(*opened.file)));
}

TEST_CASE("quota file: what a writer left half written is mended without a word") {
  const TemporaryFolder folder;
  const std::string path = folder.path("half.state");
  auto opened = open_at(path, read_quota_clocks());
  write_group(*opened.file, 9, 12, 8);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  const auto log_begin = size - static_cast<std::streamoff>(sizeof(QuotaLogs)) +
                         static_cast<std::streamoff>(day_index * sizeof(QuotaLog));
  // Behind the magic, the version and the size; an odd number.
  overwrite(path, 16 + static_cast<std::streamoff>(day_index) * 8, std::string(1, '\x63'));
  overwrite(path, log_begin, std::string(1, '\x0b'));  // eleven units, of which groups have eight
  SECTION("beside him") { CHECK(day_units(*opened.file) == 11); }
  SECTION("behind him") {
    opened.file.reset();
    opened = open_at(path, read_quota_clocks());
    CHECK(opened.notice.empty());
    CHECK(day_units(*opened.file) == 11);
  }
  CHECK(is_sound(day_of(*opened.file)));
  CHECK(opened.file->sync(read_quota_clocks()));
}

TEST_CASE("quota file: what others do to it in use costs no counts, and is said once") {
  const TemporaryFolder folder;
  const std::string path = folder.path("used.state");
  const auto one = open_at(path, read_quota_clocks());
  const auto other = open_at(path, read_quota_clocks());
  write_group(*one.file, 9, 12, 8);
  CHECK(day_units(*other.file) == 8);
  SECTION("emptied") { std::filesystem::resize_file(path, 0); }
  SECTION("cut short") { std::filesystem::resize_file(path, 5000); }
  SECTION("made longer") { std::filesystem::resize_file(path, 5'000'000); }
  SECTION("written over") { overwrite(path, 0, std::string(1000, 'x')); }
  CHECK(day_units(*one.file) == 8);
  CHECK(day_units(*other.file) == 8);
  write_group(*other.file, 10, 12, 5);
  CHECK(day_units(*one.file) == 13);
  const auto said = one.file->sync(read_quota_clocks());
  REQUIRE_FALSE(said);
  CHECK(said.error().starts_with(path + ": somebody has changed it"));
  CHECK(one.file->sync(read_quota_clocks()));
  // A third one finds it whole.
  const auto third = open_at(path, read_quota_clocks());
  CHECK(third.notice.empty());
  CHECK(day_units(*third.file) == 13);
}

TEST_CASE("quota file: one that is removed in use is missed") {
  const TemporaryFolder folder;
  const std::string path = folder.path("removed.state");
  const auto opened = open_at(path, read_quota_clocks());
  std::filesystem::remove(path);
  const auto said = opened.file->sync(read_quota_clocks());
  REQUIRE_FALSE(said);
  CHECK(said.error().find("removed") != std::string::npos);
}

TEST_CASE("quota file: processes that come at once make one file") {
  const TemporaryFolder folder;
  const std::string path = folder.path("race.state");
  constexpr int children = 12;
  std::vector<pid_t> processes;
  for (int i = 0; i < children; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto own = QuotaFile::open(path, read_quota_clocks());
      if (!own || !own->notice.empty()) {
        ::_exit(1);
      }
      for (int round = 0; round < 1000; ++round) {
        const std::lock_guard lock(*own->file);
        QuotaLog& log = own->file->log(day_index);
        set_group(log, 0, 1, log.groups[0].units + 1);
      }
      ::_exit(0);
    }
    processes.push_back(child);
  }
  for (const pid_t child : processes) {
    CHECK(wait_for(child) == 0);
  }
  const auto opened = open_at(path, read_quota_clocks());
  CHECK(opened.notice.empty());
  CHECK(day_of(*opened.file).units == children * 1000);
}

TEST_CASE("quota file: names tell the host and no user") {
  CHECK(quota_file_name("smtp.example.com", "me").starts_with("smtp.example.com-"));
  CHECK(quota_file_name("smtp.example.com", "me") != quota_file_name("smtp.example.com", "you"));
  CHECK(quota_file_name("SMTP.Example.com", "me") == quota_file_name("smtp.example.com", "me"));
  CHECK(quota_file_name("smtp.example.com", "Me") != quota_file_name("smtp.example.com", "me"));
  CHECK(quota_file_name("a", "b\nc") != quota_file_name("a", "b"));
  CHECK(quota_file_name("../../etc/passwd", "x").find('/') == std::string::npos);
  CHECK(quota_file_name(std::string(1000, 'h'), "x").size() < 200);
}

}  // namespace ringpost::queue
