// Two processes that send for one account, and one of them is killed.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/quota.h"
#include "queue/quota_file.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t records_max = 20'000;
constexpr std::uint64_t allowed = 200;

// What both processes took, in memory that they share.
struct SharedRecord {
  std::atomic<std::size_t> count;
  std::array<std::atomic<std::int64_t>, records_max> times_ns;
  std::array<std::atomic<std::size_t>, 3> of_process;
};

SharedRecord* make_shared_record() {
  void* const memory = ::mmap(nullptr, sizeof(SharedRecord), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return static_cast<SharedRecord*>(memory);  // octets of zero
}

// Takes whatever may be taken until `end`, each answered a little later.
void send_until(const std::string& path, SharedRecord& record, std::size_t process, Instant end) {
  auto opened = queue::QuotaFile::open(path, queue::read_quota_clocks());
  if (!opened || !opened->notice.empty()) {
    ::_exit(2);
  }
  Quota quota({{QuotaUnit::messages, QuotaPeriod::second, {allowed, 1s}},
               {QuotaUnit::messages, QuotaPeriod::day, {1'000'000, 24h}}},
              *opened->file);
  for (Instant now = std::chrono::steady_clock::now(); now < end;
       now = std::chrono::steady_clock::now()) {
    const QuotaAnswer answer = quota.take({}, now);
    if (!answer.is_taken) {
      std::this_thread::sleep_until(std::min(answer.next, end));
      continue;
    }
    const std::size_t place = record.count.fetch_add(1);
    if (place >= records_max) {
      ::_exit(3);
    }
    record.times_ns[place].store(now.time_since_epoch().count());
    record.of_process[process].fetch_add(1);
    quota.answered(answer.ticket, std::chrono::steady_clock::now());
  }
  ::_exit(0);
}

pid_t start_sender(const std::string& path, SharedRecord& record, std::size_t process,
                   Instant end) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    send_until(path, record, process, end);
  }
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::size_t most_in_a_second(const std::vector<std::int64_t>& times) {
  std::size_t most = 0;
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (times[oldest] + 1'000'000'000 <= times[i]) {
      ++oldest;
    }
    most = std::max(most, i - oldest + 1);
  }
  return most;
}

}  // namespace

TEST_CASE("quota processes: two share one limit, and SIGKILL of one changes nothing of that") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("shared.state");
  SharedRecord& record = *make_shared_record();
  const Instant begin = std::chrono::steady_clock::now();
  const Instant end = begin + 4s;
  const pid_t first = start_sender(path, record, 0, end);
  const pid_t second = start_sender(path, record, 1, end);
  std::this_thread::sleep_until(begin + 1300ms);
  REQUIRE(::kill(second, SIGKILL) == 0);
  CHECK(WIFSIGNALED(status_of(second)));
  const std::size_t before = record.count.load();
  // A third comes in its place while the first goes on.
  std::this_thread::sleep_until(begin + 2s);
  const pid_t third = start_sender(path, record, 2, end);
  CHECK(status_of(first) == 0);
  CHECK(status_of(third) == 0);

  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < record.count.load(); ++i) {
    // Zero: killed between the two stores.
    if (const std::int64_t time_ns = record.times_ns[i].load(); time_ns != 0) {
      times.push_back(time_ns);
    }
  }
  std::sort(times.begin(), times.end());
  CHECK(most_in_a_second(times) <= allowed);
  CHECK(before >= allowed);
  // Most of the limit, on a machine that may be busy with other tests.
  CHECK(times.size() >= 4 * allowed * 7 / 10);
  CHECK(record.of_process[0].load() > 0);
  CHECK(record.of_process[1].load() > 0);
  CHECK(record.of_process[2].load() > 0);
  // Each unit is in the file, and at most the one whose taker was killed before it wrote it down.
  auto opened = queue::QuotaFile::open(path, queue::read_quota_clocks());
  REQUIRE(opened);
  CHECK(opened->notice.empty());
  const std::uint64_t in_file =
      opened->file->logs()[queue::log_index(QuotaUnit::messages, QuotaPeriod::day)].units;
  CHECK(in_file >= times.size());
  CHECK(in_file <= times.size() + 1);
  ::munmap(&record, sizeof record);
}

}  // namespace ringpost::engine
