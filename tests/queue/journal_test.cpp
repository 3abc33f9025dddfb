// Journals on the disk of this machine: what is written is read again, whatever happens in between.
#include "queue/journal.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include "queue/journal_outcomes.h"
#include "tests/queue/journal_support.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::queue {

using namespace test_journal;

namespace {

// Lets appends of outcomes run until one fails, and returns how many were appended before.
Result<std::uint64_t, JournalError> fill(Journal& journal, std::uint64_t first,
                                         std::uint64_t outcomes_max) {
  const std::string line = std::string(1000, 'x') + "\n";
  for (std::uint64_t ordinal = first; ordinal < first + outcomes_max; ++ordinal) {
    const codec::JournalOutcome outcome{ordinal, hash_of(ordinal), 0, 1, Status::accepted, line};
    const auto appended = journal.append_outcomes({&outcome, 1});
    if (!appended) {
      CHECK(appended.error().may_be_tried_again);
      CHECK((appended.error().error_number == ENOSPC || appended.error().error_number == EFBIG));
      return ordinal - first;
    }
  }
  return outcomes_max;
}

// 256 KB, where the system lets us mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    is_mounted_ = ::mkdir(folder_.c_str(), 0700) == 0 &&
                  ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=256k") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Lazily: a test that failed may have a file open.
  ~SmallDisk() {
    if (is_mounted_) {
      ::umount2(folder_.c_str(), MNT_DETACH);
    }
  }
  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  [[nodiscard]] std::string path(const char* name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  bool is_mounted_ = false;
};

// What holds after an append failed for want of room, and there is room again.
void check_goes_on(Journal& journal, const std::string& path, std::uint64_t appended) {
  const auto reading = read_journal(path);
  REQUIRE(reading);
  CHECK(reading->torn_bytes == 0);
  CHECK(reading->whole_bytes == journal.bytes());
  CHECK(reading->history.count(Status::accepted) == appended);
  append_outcome(journal, appended, Status::rejected);
  const auto again = read_journal(path);
  REQUIRE(again);
  CHECK(again->torn_bytes == 0);
  CHECK(again->history.count(Status::accepted) == appended);
  CHECK(again->history.of(appended).status(0) == Status::rejected);
}

}  // namespace

TEST_CASE("journal: what was appended is known after a resume") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path, durability);
    REQUIRE(journal->append_run(some_run()));
    append_intent(*journal, 0);
    append_intent(*journal, 1);
    append_intent(*journal, 2);
    append_outcome(*journal, 0, Status::accepted);
    append_outcome(*journal, 2, Status::deferred);
    REQUIRE(journal->append_end({.ended_us = 9, .exit_code = 6}));
  }
  const ResumedJournal resumed = resume(path);
  const JournalHistory& history = resumed.history;
  CHECK(resumed.cut_bytes == 0);
  CHECK(history.header() == some_header());
  REQUIRE(history.runs().size() == 1);
  CHECK(history.runs()[0].run.outcomes_path == "outcomes.jsonl");
  CHECK(history.runs()[0].run.outcomes_bytes == 77);
  CHECK(history.runs()[0].run.survives_power_cut == (durability == Durability::power));
  CHECK(history.runs()[0].outcome_count == 2);
  CHECK(history.runs()[0].outcome_bytes == 22);
  CHECK(history.runs()[0].end == codec::JournalEnd{9, 6});
  CHECK(history.of(0).status(0) == Status::accepted);
  CHECK(history.of(1).of(0) == RecipientHistory::in_flight);
  CHECK(history.of(2).of(0) == RecipientHistory::again);
  CHECK(history.of(3).is_untouched());
  CHECK(history.line_matches(1, hash_of(1)));
  CHECK_FALSE(history.line_matches(1, hash_of(2)));
  CHECK(history.line_matches(3, 99));
}

TEST_CASE("journal: a second run goes on where the first one was") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path);
    REQUIRE(journal->append_run(some_run()));
    append_intent(*journal, 0);
    append_outcome(*journal, 0, Status::deferred);
  }
  {
    const ResumedJournal first = resume(path);
    REQUIRE(first.journal->append_run(some_run(2)));
    append_intent(*first.journal, 0);
    append_outcome(*first.journal, 0, Status::accepted);
  }
  const ResumedJournal second = resume(path);
  REQUIRE(second.history.runs().size() == 2);
  CHECK_FALSE(second.history.runs()[0].end);
  CHECK(second.history.runs()[1].outcome_count == 1);
  CHECK(second.history.count(Status::accepted) == 1);
  CHECK(second.history.count(Status::deferred) == 0);
}

TEST_CASE("journal: a file that is not empty or not ordinary is refused, and left as it was") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("journal", "something");
  const auto journal = Journal::create(path, some_header(), Durability::process);
  REQUIRE_FALSE(journal);
  CHECK(journal.error().message.find("--resume") != std::string::npos);
  const auto resumed = Journal::resume(path, Durability::process, true);
  REQUIRE_FALSE(resumed);
  CHECK(folder.read("journal") == "something");
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK_FALSE(Journal::create(folder.path("pipe"), some_header(), Durability::process));
  CHECK_FALSE(Journal::create("/dev/full", some_header(), Durability::process));
  CHECK_FALSE(Journal::resume(folder.path("none"), Durability::process, false));
  CHECK_FALSE(Journal::create(folder.path("no/folder"), some_header(), Durability::process));
  // Empty ones are not anybody's.
  CHECK(Journal::create(folder.write("empty", ""), some_header(), Durability::process));
}

TEST_CASE("journal: a full disk leaves a whole journal, which goes on when there is room") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  const test::TemporaryFolder folder;
  const SmallDisk disk(folder.path("disk"));
  if (!disk.is_mounted()) {
    SKIP("a small disk cannot be mounted: " << std::strerror(errno));
  }
  const std::string path = disk.path("journal");
  const std::string ballast = disk.path("ballast");
  std::FILE* const file = std::fopen(ballast.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(std::fwrite(std::string(64'000, 'x').data(), 1, 64'000, file) == 64'000);
  CHECK(std::fclose(file) == 0);
  const auto journal = create(path, durability);
  const auto appended = fill(*journal, 0, 1000);
  CHECK(*appended > 50);
  CHECK(*appended < 1000);
  CHECK(*fill(*journal, *appended, 10) == 0);
  CHECK(::unlink(ballast.c_str()) == 0);
  check_goes_on(*journal, path, *appended);
}

TEST_CASE("journal: a limit on files leaves a whole journal, which goes on when it is lifted") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  const auto journal = create(path);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit limited = before;
  limited.rlim_cur = 100'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  const auto appended = fill(*journal, 0, 1000);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(*appended > 50);
  CHECK(*appended < 1000);
  check_goes_on(*journal, path, *appended);
}

TEST_CASE("journal: a second process is refused, and told who has it") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  const auto journal = create(path);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Of its own: what it inherited is the parent's and shares its lock.
    const auto resumed = Journal::resume(path, Durability::process, false);
    const auto created = Journal::create(path, some_header(), Durability::process);
    const bool refused = !resumed && !created;
    const bool named = refused && resumed.error().message.find(fmt::format(
                                      "process {} writes", parent)) != std::string::npos;
    ::_exit(!refused ? 1 : !named ? 2 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  const auto reading = read_journal(path);
  REQUIRE(reading);
  CHECK(reading->writer == fmt::format("process {}", parent));
}

TEST_CASE("journal: a reader that looks for the writer keeps nobody from becoming one") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  create(path).reset();
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(reader, LOCK_SH) == 0);
  std::thread end_of_look([reader] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    ::close(reader);
  });
  CHECK(Journal::resume(path, Durability::process, false));
  end_of_look.join();
}

TEST_CASE("journal: the lock goes with the process that has it, however it ends") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto journal = Journal::create(path, some_header(), Durability::process);
    const codec::JournalIntent intent{0, 0, 0, 1};
    const bool appended = journal && (*journal)->append_intents({&intent, 1});
    const char answer = appended ? 'y' : 'n';
    [[maybe_unused]] const ssize_t written = ::write(pipe[1], &answer, 1);
    ::pause();
  }
  char answer = 0;
  REQUIRE(::read(pipe[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK_FALSE(Journal::resume(path, Durability::process, false));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const ResumedJournal resumed = resume(path);
  CHECK(resumed.history.of(0).of(0) == RecipientHistory::in_flight);
  CHECK(resumed.history.jobs_in_flight(10) == std::vector<std::uint64_t>{0});
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("journal: threads append at once, and nothing is lost or mixed") {
  const Durability durability = GENERATE(Durability::process, Durability::power);
  constexpr std::uint64_t threads = 4;
  const std::uint64_t jobs_each = durability == Durability::power ? 50 : 2000;
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  {
    const auto journal = create(path, durability);
    REQUIRE(journal->append_run(some_run()));
    std::atomic<int> failures{0};
    std::vector<std::thread> appending;
    for (std::uint64_t thread = 0; thread < threads; ++thread) {
      appending.emplace_back([&, thread] {
        for (std::uint64_t job = 0; job < jobs_each; ++job) {
          const std::uint64_t ordinal = job * threads + thread;
          const codec::JournalIntent intent{ordinal, hash_of(ordinal), 0, 1};
          const std::string line = fmt::format("{{\"id\":\"{}\"}}\n", ordinal);
          const codec::JournalOutcome outcome{ordinal, hash_of(ordinal), 0,
                                              1,       Status::accepted, line};
          failures += journal->append_intents({&intent, 1}) ? 0 : 1;
          failures += journal->append_outcomes({&outcome, 1}) ? 0 : 1;
        }
      });
    }
    for (std::thread& thread : appending) {
      thread.join();
    }
    CHECK(failures == 0);
  }
  const ResumedJournal resumed = resume(path);
  CHECK(resumed.cut_bytes == 0);
  CHECK(resumed.history.count(Status::accepted) == threads * jobs_each);
  CHECK(resumed.history.count_in_flight() == 0);
  std::uint64_t lines = 0;
  const auto read = for_each_outcome(path, 0, [&](const codec::JournalOutcome& outcome) {
    CHECK(outcome.line == fmt::format("{{\"id\":\"{}\"}}\n", outcome.ordinal));
    ++lines;
    return true;
  });
  CHECK(read);
  CHECK(lines == threads * jobs_each);
}

// ---- Failures of the system, let happen by calls of our own -------------------------------------

namespace {

std::atomic<int> sync_count{0};
std::atomic<int> sync_failures_left{0};
std::atomic<int> write_error{0};
std::atomic<int> writes_before_error{0};

int counted_sync(int descriptor) {
  ++sync_count;
  if (sync_failures_left > 0) {
    --sync_failures_left;
    errno = EIO;
    return -1;
  }
  return ::fdatasync(descriptor);
}

// Writes half of what it is given, and then no more.
ssize_t failing_write(int descriptor, const void* octets, std::size_t count, off_t offset) {
  if (write_error == 0) {
    return ::pwrite(descriptor, octets, count, offset);
  }
  if (writes_before_error-- > 0) {
    return ::pwrite(descriptor, octets, count / 2, offset);
  }
  errno = write_error;
  return -1;
}

int failing_truncate(int, off_t) {
  errno = EIO;
  return -1;
}

}  // namespace

TEST_CASE("journal: a sync that failed is never tried again") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  sync_failures_left = 0;
  const auto journal = create(path, Durability::power, {.fdatasync = counted_sync});
  append_intent(*journal, 0);
  sync_failures_left = 1;
  const codec::JournalIntent intent{1, 0, 0, 1};
  const auto failed = journal->append_intents({&intent, 1});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().error_number == EIO);
  CHECK_FALSE(failed.error().may_be_tried_again);
  const int syncs = sync_count;
  const std::uint64_t bytes = journal->bytes();
  // The disk would take it now, and that says nothing of what it lost.
  for (int i = 0; i < 3; ++i) {
    const auto later = journal->append_intents({&intent, 1});
    REQUIRE_FALSE(later);
    CHECK(later.error().message == failed.error().message);
  }
  CHECK_FALSE(journal->append_end({}));
  CHECK(sync_count == syncs);
  CHECK(journal->bytes() == bytes);
}

TEST_CASE("journal: process durability never waits for the disk, power durability always does") {
  const test::TemporaryFolder folder;
  sync_failures_left = 0;
  const JournalCalls calls{.fdatasync = counted_sync};
  const auto process = create(folder.path("process"), Durability::process, calls);
  sync_count = 0;
  append_intent(*process, 0);
  append_outcome(*process, 0, Status::accepted);
  CHECK(sync_count == 0);
  const auto power = create(folder.path("power"), Durability::power, calls);
  sync_count = 0;
  append_intent(*power, 0);
  CHECK(sync_count == 1);
  append_outcome(*power, 0, Status::accepted);
  CHECK(sync_count == 2);
}

TEST_CASE("journal: a write that stops half way is undone, and each kind of error is told apart") {
  struct Case {
    int error_number;
    bool may_be_tried_again;
  };
  const Case tried = GENERATE(Case{ENOSPC, true}, Case{EDQUOT, true}, Case{EFBIG, true},
                              Case{EIO, false}, Case{EBADF, false});
  const int writes = GENERATE(0, 1, 3);
  const test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  write_error = 0;
  const auto journal = create(path, Durability::process, {.pwrite = failing_write});
  append_intent(*journal, 0);
  const std::string before = folder.read("journal");
  write_error = tried.error_number;
  writes_before_error = writes;
  const codec::JournalOutcome outcome{0, hash_of(0), 0, 1, Status::accepted, "{}\n"};
  const auto failed = journal->append_outcomes({&outcome, 1});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().error_number == tried.error_number);
  CHECK(failed.error().may_be_tried_again == tried.may_be_tried_again);
  CHECK(failed.error().message.find(path) == 0);
  CHECK(folder.read("journal") == before);
  CHECK(journal->bytes() == before.size());
  write_error = 0;
  CHECK(journal->append_outcomes({&outcome, 1}).has_value() == tried.may_be_tried_again);
}

TEST_CASE("journal: what can neither be written nor undone is for good") {
  const test::TemporaryFolder folder;
  write_error = 0;
  const auto journal = create(folder.path("journal"), Durability::process,
                              {.pwrite = failing_write, .ftruncate = failing_truncate});
  write_error = ENOSPC;
  writes_before_error = 1;
  const codec::JournalIntent intent{0, 0, 0, 1};
  const auto failed = journal->append_intents({&intent, 1});
  REQUIRE_FALSE(failed);
  CHECK_FALSE(failed.error().may_be_tried_again);
  write_error = 0;
  CHECK_FALSE(journal->append_intents({&intent, 1}));
}

TEST_CASE("journal: those who wait for the disk together share what it takes") {
  constexpr int threads = 8;
  constexpr int appends_each = 20;
  const test::TemporaryFolder folder;
  sync_failures_left = 0;
  const auto slow_sync = [](int descriptor) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return counted_sync(descriptor);
  };
  const auto journal = create(folder.path("journal"), Durability::power, {.fdatasync = slow_sync});
  sync_count = 0;
  std::atomic<int> appended{0};
  std::vector<std::thread> appending;
  for (int thread = 0; thread < threads; ++thread) {
    appending.emplace_back([&] {
      for (int i = 0; i < appends_each; ++i) {
        const codec::JournalIntent intent{0, 0, 0, 1};
        appended += journal->append_intents({&intent, 1}) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : appending) {
    thread.join();
  }
  CHECK(appended == threads * appends_each);
  // One for each that comes alone would be 160.
  CHECK(sync_count < threads * appends_each / 2);
}

}  // namespace ringpost::queue
