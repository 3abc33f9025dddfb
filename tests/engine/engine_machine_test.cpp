// What an engine does when the machine gives it less than it asked for: a disk that fails or is
// full, and files that may not be opened.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <sys/resource.h>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "queue/journal.h"
#include "tests/engine/engine_run.h"

using namespace std::chrono_literals;

namespace ringpost::engine::test {

namespace {

// The limit on open files, put back at the end.
class FileLimit {
 public:
  // A hard one holds against liburing, which raises the other, and whoever is not root cannot go
  // back behind it.
  explicit FileLimit(rlim_t files, bool hard) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit limited{files, hard ? files : before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limited) == 0);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// As a run with a journal does it.
void submit_with_ordinals(Engine& engine, const std::vector<TestJob>& jobs) {
  Engine::Submitter submitter = engine.submitter();
  std::uint64_t ordinal = 0;
  for (const TestJob& from : jobs) {
    Message* const job = submitter.next();
    REQUIRE(job != nullptr);
    fill(*job, from);
    job->origin.ordinal = ordinal++;
    job->origin.line_hash = job->origin.ordinal << 40;
    CHECK(submitter.submit());
  }
  submitter.flush();
}

std::atomic<int> syncs{0};
std::atomic<int> syncs_before_failure{0};

// Fails once. Whoever tries again is told that all is well.
int failing_sync(int descriptor) {
  if (++syncs == syncs_before_failure) {
    errno = EIO;
    return -1;
  }
  return ::fdatasync(descriptor);
}

std::atomic<bool> writes_fail{false};

ssize_t failing_write(int descriptor, const void* octets, std::size_t count, off_t offset) {
  if (writes_fail.load()) {
    errno = EIO;
    return -1;
  }
  return ::pwrite(descriptor, octets, count, offset);
}

// What the server has is what the journal knows to have been on its way.
void check_journal_knows(const std::string& path, const std::vector<TestJob>& jobs,
                         const std::vector<ringpost::test::RecordedMessage>& record) {
  const auto reading = queue::read_journal(path);
  REQUIRE(reading);
  std::set<std::string> known;
  for (const std::uint64_t ordinal : reading->history.jobs_in_flight(jobs.size())) {
    known.insert(jobs[ordinal].id);
  }
  for (const auto& message : record) {
    CHECK(known.contains(message.x_id));
  }
}

}  // namespace

TEST_CASE("engine: a sync of the journal that fails ends all sending, and is not tried again") {
  TestSink sink([](sink::SinkOptions& options) { options.faults.reply_latency = 1ms; });
  const ringpost::test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  syncs = 0;
  syncs_before_failure = 8;
  auto journal =
      queue::Journal::create(path, {}, queue::Durability::power, {.fdatasync = failing_sync});
  REQUIRE(journal);
  EndpointOptions endpoint = sink.endpoint();
  endpoint.messages_in_flight_max = 4;
  EngineOptions options = options_of({endpoint}, 2);
  options.journal = journal->get();
  const std::vector<TestJob> jobs = small_jobs(2000);
  Deliveries deliveries;
  auto engine = start(std::move(options), deliveries);
  submit_with_ordinals(*engine, jobs);
  REQUIRE(engine->drain(in_good_time()));
  CHECK(engine->journal_failed());
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  check_journal_knows(path, jobs, sink.record());
  CHECK(deliveries.count(Status::unsent) > 0);
  CHECK(syncs == syncs_before_failure);
}

TEST_CASE("engine: a journal whose disk fails ends all sending") {
  TestSink sink(slow_replies);
  const ringpost::test::TemporaryFolder folder;
  const std::string path = folder.path("journal");
  writes_fail = false;
  auto journal =
      queue::Journal::create(path, {}, queue::Durability::process, {.pwrite = failing_write});
  REQUIRE(journal);
  EngineOptions options = options_of({sink.slow_endpoint()}, 2);
  options.journal = journal->get();
  const std::vector<TestJob> jobs = small_jobs(3000);
  Deliveries deliveries;
  auto engine = start(std::move(options), deliveries);
  bool has_begun = false;
  std::thread failing([&] {
    has_begun = deliveries.comes_to(20);
    writes_fail = true;
  });
  submit_with_ordinals(*engine, jobs);
  failing.join();
  CHECK(has_begun);
  REQUIRE(engine->drain(in_good_time()));
  CHECK(engine->journal_failed());
  engine.reset();
  writes_fail = false;
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  check_journal_knows(path, jobs, sink.record());
  CHECK(deliveries.count(Status::unsent) > 0);
}

TEST_CASE("engine: while sending is held no message begins, and then all go") {
  TestSink sink;
  const std::vector<TestJob> jobs = small_jobs(200);
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}, 2), deliveries);
  engine->hold_sending(true);
  REQUIRE(submit(*engine, jobs));
  CHECK_FALSE(engine->drain(std::chrono::steady_clock::now() + 300ms));
  CHECK(deliveries.count() == 0);
  CHECK(sink.record().empty());
  engine->hold_sending(false);
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::accepted) == jobs.size());
}

TEST_CASE("engine: held or not, it can be stopped") {
  TestSink sink;
  const std::vector<TestJob> jobs = small_jobs(50);
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  engine->hold_sending(true);
  REQUIRE(submit(*engine, jobs));
  engine->stop_sending();
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::unsent) == jobs.size());
}

TEST_CASE("engine: where few files may be open it has fewer sessions, says so, and sends all") {
  TestSink sink;
  EndpointOptions endpoint = sink.endpoint();
  endpoint.connections_max = 500;
  const std::vector<TestJob> jobs = small_jobs(2000);
  Deliveries deliveries;
  std::atomic<int> notices{0};
  EngineOptions options = options_of({endpoint});
  options.on_notice = [&](const EndpointNotice& notice) {
    notices += notice.message.find("ulimit -n") != std::string::npos ? 1 : 0;
  };
  const FileLimit limit(64, true);
  auto engine = start(std::move(options), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::accepted) == jobs.size());
  CHECK(engine->endpoint_failures().empty());
  CHECK(notices == 1);
}

TEST_CASE("engine: files that may not be opened for a while cost sessions and no message") {
  TestSink sink([](sink::SinkOptions& options) { options.faults.reply_latency = 1ms; });
  EndpointOptions endpoint = sink.endpoint();
  endpoint.messages_per_connection_max = 10;
  endpoint.connect_attempts_max = 1000;
  const std::vector<TestJob> jobs = small_jobs(1000);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}), deliveries);
  std::thread submitting([&] { static_cast<void>(submit(*engine, jobs)); });
  deliveries.wait_for(50);
  {
    // What is open stays so, and nothing more can be.
    const FileLimit limit(0, false);
    std::this_thread::sleep_for(400ms);
  }
  submitting.join();
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) == jobs.size());
}

}  // namespace ringpost::engine::test
