// Goal: no order of full disks, broken files, unreadable input and planners that refuse loses an
// outcome or sends behind its loss. Method: the run is stepped around an engine without workers, in
// which a planner decides everybody; what files do is decided by calls of the test's own.
#include "engine/run/run.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "engine/run/file_sink.h"
#include "engine/run/line_source.h"
#include "engine/run/rehearsal.h"
#include "engine/run/run_threads.h"
#include "tests/engine/run/judged_sink.h"
#include "tests/engine/run/no_listener.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

using namespace std::chrono_literals;
using engine::WorkerOrder;
using ringpost::test::TemporaryFolder;

constexpr std::size_t room = 4;  // for jobs

// What the next writes come to.
struct Disk {
  int error = 0;                            // of each write, while it is set
  int errors_left = -1;                     // that many, then none; -1: no end
  bool interrupts = false;                  // every other write
  std::size_t bytes_max = ~std::size_t{0};  // that one write takes
  bool was_interrupted = false;
};
Disk disk;

ssize_t write_to_disk(int descriptor, const void* octets, std::size_t count) {
  if (disk.interrupts && !std::exchange(disk.was_interrupted, !disk.was_interrupted)) {
    errno = EINTR;
    return -1;
  }
  if (disk.error != 0 && disk.errors_left != 0) {
    disk.errors_left -= disk.errors_left > 0 ? 1 : 0;
    errno = disk.error;
    return -1;
  }
  return ::write(descriptor, octets, std::min(count, disk.bytes_max));
}

class Listener : public RunListener {
 public:
  void on_notice([[maybe_unused]] NoticeLevel level, std::string_view text,
                 [[maybe_unused]] const NoticeSubject& subject) override {
    notices.emplace_back(text);
  }
  void on_outcomes_lost() override { ++losses; }

  std::vector<std::string> notices;
  int losses = 0;
};

std::string job_line(std::size_t number) {
  return fmt::format(R"({{"id":"job-{}","envelope":{{"from":"s@a.example","to":["r@b.example"]}},)"
                     R"("raw":"X: y\r\n\r\nHi\r\n"}})"
                     "\n",
                     number);
}

std::string job_lines(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines += job_line(i);
  }
  return lines;
}

// Decides everybody, but for the job at which it fails and those that it skips.
class TestPlanner : public RehearsalPlanner {
 public:
  Result<Plan, RunTrouble> plan(const Message& job, std::vector<PriorFate>& fates) override {
    if (job.id == fails_at) {
      return Failure(RunTrouble{"the line is another one", true});
    }
    return job.id == skips ? Plan::skip : RehearsalPlanner::plan(job, fates);
  }
  std::string fails_at;
  std::string skips;
};

// A run of job files, of which nothing is sent.
class Stepped {
 public:
  explicit Stepped(const std::vector<std::string>& jobs, bool keeps_errors = false)
      : files_(written(jobs)),
        sink({.outcomes_path = folder.path("outcomes"),
              .errors_path = keeps_errors ? folder.path("errors") : std::string(),
              .endpoint_names = {},
              .group_count = 1,
              .pause = {},
              .calls = {.write = write_to_disk}},
             listener),
        source_(input_of(files_), {}),
        core(EngineOptions{}, parts(),
             {.deliveries_active_max = room, .deliveries_per_push_max = 1}),
        run(core, {.source = source_, .planner = &planner, .sink = sink, .listener = listener},
            {.wake = [] {}, .deadline = Instant{} + 1h}) {
    disk = {};
    sink.run = &run;
    REQUIRE(sink.open(nullptr, 0));
  }

  // Until it says something else than that a job was taken.
  Run::Read read_on() {
    Run::Read read = run.read();
    for (int reads = 0; read == Run::Read::taken && reads < 1000; ++reads) {
      read = run.read();
    }
    return read;
  }
  // To its end, with all outcomes told.
  void finish() {
    Run::Read read = read_on();
    for (int steps = 0; steps < 1000 && read != Run::Read::end; ++steps) {
      REQUIRE(read != Run::Read::failed);
      REQUIRE(run.deliver() == Run::Told::all);
      read = read_on();
    }
    REQUIRE(run.deliver() == Run::Told::all);
    CHECK(run.is_over());
    CHECK(sink.calls_behind_the_end == 0);
  }
  [[nodiscard]] std::size_t lines_in(std::string_view name) const {
    const std::string octets = folder.read(name);
    return static_cast<std::size_t>(std::count(octets.begin(), octets.end(), '\n'));
  }

 private:
  std::vector<std::string> written(const std::vector<std::string>& jobs) {
    std::vector<std::string> paths;
    for (const std::string& octets : jobs) {
      paths.push_back(folder.write(fmt::format("jobs-{}", paths.size()), octets));
    }
    return paths;
  }
  static JobInput input_of(const std::vector<std::string>& files) {
    auto input = JobInput::open(files, -1);
    REQUIRE(input);
    return std::move(*input);
  }
  engine::EngineCore::Parts parts() {
    engine::EngineCore::Parts parts;
    parts.wake = [] {};
    parts.clock = [this] { return now; };
    parts.unix_time_us = [] { return std::int64_t{1'700'000'000'000'000}; };
    return parts;
  }

 public:
  TemporaryFolder folder;
  Listener listener;
  Instant now{};
  TestPlanner planner;

 private:
  const std::vector<std::string> files_;

 public:
  test::JudgedSink sink;

 private:
  LineSource source_;

 public:
  engine::EngineCore core;
  Run run;
};

}  // namespace

TEST_CASE("run: every job that is read is told of, in whatever pieces files are written") {
  Stepped stepped({job_lines(20) + "no job\n", job_lines(3)});
  disk.interrupts = true;
  disk.bytes_max = 7;
  stepped.finish();
  CHECK(stepped.run.jobs_read() == 24);
  CHECK(stepped.run.tally().of(Status::unsent) == 23);
  CHECK(stepped.run.tally().of(Status::invalid) == 1);
  CHECK(stepped.lines_in("outcomes") == 24);
  CHECK_FALSE(stepped.run.failed());
  CHECK(stepped.run.finish().empty());
  CHECK(stepped.listener.notices.empty());
}

TEST_CASE("run: without room for outcomes nothing goes on, and with room nothing is missing") {
  Stepped stepped({job_lines(20)});
  disk.error = ENOSPC;
  REQUIRE(stepped.read_on() == Run::Read::no_room);
  for (int tries = 0; tries < 3; ++tries) {
    CHECK(stepped.run.deliver() == Run::Told::again_later);
    CHECK(stepped.run.read() == Run::Read::no_room);
    CHECK(stepped.core.pool().messages_out() == room);
  }
  CHECK(stepped.run.has_unwritten());
  REQUIRE(stepped.listener.notices.size() == 1);  // said once
  CHECK(stepped.listener.notices[0].starts_with("there is no room for outcomes"));
  disk.error = 0;
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  REQUIRE(stepped.listener.notices.size() == 2);
  CHECK(stepped.listener.notices[1] == "there is room for outcomes again: going on");
  CHECK(stepped.lines_in("outcomes") == room);
  stepped.finish();
  CHECK(stepped.lines_in("outcomes") == 20);
  CHECK_FALSE(stepped.run.failed());
  CHECK(stepped.core.order().load() == WorkerOrder::run);
}

TEST_CASE("run: what was decided while there was no room is told by the call that finds it") {
  Stepped stepped({job_lines(2)});
  REQUIRE(stepped.run.read() == Run::Read::taken);
  disk.error = ENOSPC;
  REQUIRE(stepped.run.deliver() == Run::Told::again_later);
  REQUIRE(stepped.run.read() == Run::Read::taken);
  disk.error = 0;
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  CHECK(stepped.lines_in("outcomes") == 2);
  CHECK(stepped.run.read() == Run::Read::end);
  CHECK(stepped.run.is_over());
}

TEST_CASE("run: nobody writes any more when all messages are back, also behind a wait for room") {
  Stepped stepped({job_lines(2)});
  disk.error = ENOSPC;
  REQUIRE(stepped.read_on() == Run::Read::end);
  REQUIRE(stepped.run.deliver() == Run::Told::again_later);
  CHECK_FALSE(stepped.run.is_over());
  if (GENERATE(false, true)) {
    stepped.run.give_up();  // and the lines are still there for the last try
  } else {
    disk.error = 0;
  }
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  CHECK(stepped.run.is_over());
  CHECK(stepped.sink.calls_behind_the_end == 0);
}

TEST_CASE("run: whoever waits for room no longer loses outcomes, and no message is sent behind") {
  Stepped stepped({job_lines(4)});
  disk.error = EDQUOT;
  REQUIRE(stepped.run.read() == Run::Read::taken);
  REQUIRE(stepped.run.deliver() == Run::Told::again_later);
  if (GENERATE(false, true)) {
    stepped.run.give_up();  // a second signal
  } else {
    stepped.now += 1h;  // the deadline
  }
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  CHECK(stepped.run.failed());
  CHECK(stepped.listener.losses > 0);
  CHECK(stepped.core.order().load() == WorkerOrder::stop_sending);
  REQUIRE(stepped.listener.notices.size() == 2);
  CHECK(stepped.listener.notices[1] == "outcomes cannot be written; no more messages are sent");
  stepped.run.end_reading();
  CHECK(stepped.run.is_over());
  SECTION("the last try finds no room, either") {
    CHECK(stepped.run.finish().size() == 1);
    REQUIRE(stepped.sink.lost_lines().size() == 1);
    CHECK(stepped.sink.lost_lines()[0].count == 1);
  }
  SECTION("the last try finds room") {
    disk.error = 0;
    CHECK(stepped.run.finish().empty());
    CHECK(stepped.sink.lost_lines().empty());
    CHECK(stepped.lines_in("outcomes") == 1);
  }
  CHECK(stepped.run.failed());
}

TEST_CASE("run: a file that is broken keeps its lines, and the other file gets its own") {
  Stepped stepped({job_lines(3)}, true);
  disk.error = EIO;
  disk.errors_left = 1;  // of the outcomes file, which is written first
  REQUIRE(stepped.read_on() == Run::Read::end);
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  CHECK(stepped.run.failed());
  CHECK(stepped.core.order().load() == WorkerOrder::stop_sending);
  CHECK(stepped.lines_in("outcomes") == 0);
  CHECK(stepped.lines_in("errors") == 3);
  CHECK(stepped.run.is_over());
  CHECK(stepped.run.finish().empty());
  CHECK(stepped.lines_in("outcomes") == 3);
}

TEST_CASE("run: a part of the input that cannot be read is said, and the rest is read") {
  Stepped stepped(
      {job_lines(1), std::string("\x1f\x8b broken") + std::string(100, 'x'), job_lines(2)});
  REQUIRE(stepped.read_on() == Run::Read::trouble);
  CHECK(stepped.run.source_failed());
  REQUIRE(stepped.listener.notices.size() == 1);
  CHECK(stepped.listener.notices[0].find("damaged gzip data") != std::string::npos);
  stepped.finish();
  CHECK(stepped.run.jobs_read() == 3);
  CHECK(stepped.lines_in("outcomes") == 3);
}

TEST_CASE("run: a job that the planner cannot judge ends the reading, and counts as unread") {
  Stepped stepped({job_lines(4)});
  stepped.planner.fails_at = "job-1";
  REQUIRE(stepped.read_on() == Run::Read::failed);
  CHECK(stepped.run.planner_failed());
  CHECK(stepped.run.read() == Run::Read::end);
  REQUIRE(stepped.run.deliver() == Run::Told::all);
  CHECK(stepped.run.is_over());
  CHECK(stepped.lines_in("outcomes") == 1);
  const auto unread = stepped.run.unread(Instant::max());
  REQUIRE(unread);
  CHECK(unread->count == 3);
  CHECK(unread->from == stepped.folder.path("jobs-0") + ":2");
}

TEST_CASE("run: reading that is ended early says what is left") {
  Stepped stepped({job_lines(4)});
  REQUIRE(stepped.run.read() == Run::Read::taken);
  stepped.run.end_reading();
  CHECK_FALSE(stepped.run.may_read());
  const auto unread = stepped.run.unread(Instant::max());
  REQUIRE(unread);
  CHECK(unread->count == 3);
  CHECK(unread->from == stepped.folder.path("jobs-0") + ":2");
}

TEST_CASE("run: a job of which nothing is left has no outcome, and takes no room") {
  Stepped stepped({job_lines(3)});
  stepped.planner.skips = "job-1";
  stepped.finish();
  CHECK(stepped.run.jobs_read() == 3);
  CHECK(stepped.run.tally().total() == 2);
  CHECK(stepped.lines_in("outcomes") == 2);
}

TEST_CASE(
    "line source: ordinals count in each file, and through all where an old journal goes on") {
  const TemporaryFolder folder;
  const std::vector<std::string> files = {folder.write("empty", "\n\n"),
                                          folder.write("first", job_lines(2) + "\nno job\n"),
                                          folder.write("second", "\n" + job_lines(2))};
  const bool is_one_source = GENERATE(true, false);
  auto input = JobInput::open(files, -1);
  REQUIRE(input);
  LineSourceOptions options;
  options.is_one_source = is_one_source;
  LineSource source(std::move(*input), options);
  std::vector<std::uint64_t> ordinals;
  for (Message message; source.pull(message, 0) != JobSource::Pull::end; message.clear()) {
    ordinals.push_back(message.origin.ordinal);
  }
  const auto in_file = [](std::uint32_t file, std::uint32_t index) {
    return codec::job_ordinal(file, index);
  };
  CHECK(ordinals == (is_one_source ? std::vector<std::uint64_t>{0, 1, 2, 3, 4}
                                   : std::vector{in_file(1, 0), in_file(1, 1), in_file(1, 2),
                                                 in_file(2, 0), in_file(2, 1)}));
}

TEST_CASE("rehearsal: what can be sent is unsent, whatever its endpoint, and the rest is invalid") {
  const TemporaryFolder folder;
  std::string lines = job_lines(600) + "{\n";
  lines += R"({"id":"x","endpoint":"none","envelope":{"from":"s@a.example","to":["r@b.example"]},)"
           R"("raw":"X: y\r\n\r\nHi\r\n"})"
           "\n";
  auto input = JobInput::open({folder.write("jobs", lines)}, -1);
  REQUIRE(input);
  LineSource source(std::move(*input), {});
  Listener listener;
  FileSink sink({.outcomes_path = folder.path("outcomes"),
                 .errors_path = {},
                 .endpoint_names = {},
                 .group_count = 1,
                 .pause = {}},
                listener);
  REQUIRE(sink.open(nullptr, 0));
  Rehearsal rehearsal({.source = source, .sink = sink, .listener = listener}, 1h);
  rehearsal.read([] { return true; });
  CHECK(rehearsal.run().is_over());
  CHECK(rehearsal.run().tally().of(Status::unsent) == 601);
  CHECK(rehearsal.run().tally().of(Status::invalid) == 1);
  CHECK(rehearsal.run().finish().empty());
  const std::string outcomes = folder.read("outcomes");
  CHECK(std::count(outcomes.begin(), outcomes.end(), '\n') == 602);
}

TEST_CASE("run threads: every job is told of, also when nobody listens at the endpoint") {
  const TemporaryFolder folder;
  constexpr std::size_t jobs = 500;
  auto input = JobInput::open({folder.write("jobs", job_lines(jobs))}, -1);
  REQUIRE(input);
  LineSource source(std::move(*input), {});
  Listener listener;
  FileSink sink({.outcomes_path = folder.path("outcomes"),
                 .errors_path = {},
                 .endpoint_names = {},
                 .group_count = 1,
                 .pause = {}},
                listener);
  REQUIRE(sink.open(nullptr, 0));
  EngineOptions options = test::engine_without_listener();
  options.jobs_in_flight_max = 20;
  auto threads =
      RunThreads::start(std::move(options), {.source = source, .sink = sink, .listener = listener});
  REQUIRE(threads);
  std::size_t asked = 0;
  (*threads)->read([&] { return ++asked > 0; });
  CHECK(asked > jobs);
  REQUIRE((*threads)->engine().drain(never));
  CHECK((*threads)->run().is_over());
  CHECK((*threads)->run().finish().empty());
  CHECK((*threads)->run().tally().of(Status::unsent) == jobs);
  const std::string outcomes = folder.read("outcomes");
  CHECK(std::count(outcomes.begin(), outcomes.end(), '\n') == jobs);
}

}  // namespace ringpost::run
