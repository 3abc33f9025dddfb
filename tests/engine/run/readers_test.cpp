// Goal: a run is the same run however many threads read and tell. Method: real threads over real
// files, with blocks of a few lines, so that readers meet all the time; what came is compared with
// what a single reader would have made of it.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "engine/run/file_sink.h"
#include "engine/run/job_input.h"
#include "engine/run/line_source.h"
#include "engine/run/rehearsal.h"
#include "engine/run/run_threads.h"
#include "tests/engine/run/compressed.h"
#include "tests/engine/run/judged_sink.h"
#include "tests/engine/run/no_listener.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using namespace std::chrono_literals;
using ringpost::test::TemporaryFolder;

Instant soon() { return std::chrono::steady_clock::now() + 60s; }

// A line as one reader was given it.
struct Given {
  std::uint64_t number = 0;
  std::string text;
  bool operator==(const Given&) const = default;
};
using Place = std::pair<std::uint32_t, std::uint64_t>;  // source and index

struct GivenLines {
  std::mutex mutex;
  std::map<Place, Given> lines;
  std::set<std::size_t> busy;  // readers that were given any
  std::vector<std::string> errors;
  int twice = 0;
};

void read_lines(JobInput& input, std::size_t reader, GivenLines& all) {
  JobInput::Line line;
  while (true) {
    const auto next = input.next(line, reader);
    const std::lock_guard lock(all.mutex);
    if (!next) {
      all.errors.push_back(next.error().message);
      continue;
    }
    if (!*next) {
      return;
    }
    all.busy.insert(reader);
    const bool is_new = all.lines
                            .insert({{line.source, line.index},
                                     {line.number, line.too_long ? "!" : std::string(line.text)}})
                            .second;
    all.twice += is_new ? 0 : 1;
  }
}

void read_with(const std::vector<std::string>& files, const LineBlocksOptions& options,
               GivenLines& all) {
  auto input = JobInput::open(files, -1, options);
  REQUIRE(input);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < options.readers; ++i) {
    threads.emplace_back([&input, &all, i] { read_lines(*input, i, all); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(input->unread(soon()).count == 0);
}

// Of all lengths, blank ones among them, with and without an end of the last line.
std::string text_of_lines(std::size_t count, bool has_end) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bytes = i % 97 == 0 ? 70'000 : i * 7919 % 300;
    text += i % 5 == 0 ? " \r\n\n" : "";
    text += fmt::format("{}{}\n", i, std::string(bytes, static_cast<char>('a' + i % 26)));
  }
  text.resize(text.size() - (has_end ? 0 : 1));
  return text;
}

std::string job_lines(std::size_t count, std::string_view prefix = "job") {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines +=
        fmt::format(R"({{"id":"{}-{}","envelope":{{"from":"s@a.example","to":["r@b.example"]}},)"
                    R"("raw":"X: y\r\n\r\nHi\r\n"}})"
                    "\n",
                    prefix, i);
  }
  return lines;
}

class Listener : public RunListener {
 public:
  void on_notice([[maybe_unused]] NoticeLevel level, std::string_view text,
                 [[maybe_unused]] const NoticeSubject& subject) override {
    const std::lock_guard lock(mutex);
    notices.emplace_back(text);
  }
  [[nodiscard]] std::size_t count(std::string_view part) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count_if(
        notices.begin(), notices.end(),
        [part](const std::string& notice) { return notice.find(part) != std::string::npos; }));
  }

 private:
  std::mutex mutex;
  std::vector<std::string> notices;
};

// Decides everybody, but for the job at which it fails.
class TestPlanner : public RehearsalPlanner {
 public:
  Result<Plan, RunTrouble> plan(const Message& job, std::vector<PriorFate>& fates) override {
    if (job.id == fails_at) {
      return Failure(RunTrouble{"the line is another one", true});
    }
    return RehearsalPlanner::plan(job, fates);
  }
  std::string fails_at;
};

// Errors of the next writes.
std::atomic<int> disk_error{0};
ssize_t write_to_disk(int descriptor, const void* octets, std::size_t count) {
  if (disk_error.load() != 0) {
    errno = disk_error.load();
    return -1;
  }
  return ::write(descriptor, octets, count);
}

EngineOptions options_of(std::uint32_t outcome_threads) {
  EngineOptions options = test::engine_without_listener();
  options.cores = 2;
  options.outcome_threads = outcome_threads;
  options.jobs_in_flight_max = 200;
  return options;
}

struct Threads {
  std::size_t readers = 1;
  std::uint32_t outcome_threads = 1;
};

// A run of job files on threads, of which nothing is sent.
class ThreadedRun {
 public:
  ThreadedRun(const std::vector<std::string>& files, Threads threads, Planner* planner)
      : sink({.outcomes_path = folder.path("outcomes"),
              .errors_path = folder.path("errors"),
              .endpoint_names = {},
              .group_count = threads.outcome_threads,
              .pause = {},
              .calls = {.write = write_to_disk}},
             listener),
        source_(input_of(files, threads.readers), {}) {
    disk_error.store(0);
    REQUIRE(sink.open(nullptr, 0));
    auto started = RunThreads::start(
        options_of(threads.outcome_threads),
        {.source = source_, .planner = planner, .sink = sink, .listener = listener});
    REQUIRE(started);
    threads_ = std::move(*started);
    sink.run = &threads_->run();
  }

  void read(const std::function<bool()>& goes_on) { threads_->read(goes_on); }
  [[nodiscard]] Run& run() { return threads_->run(); }
  [[nodiscard]] Engine& engine() { return threads_->engine(); }
  void finish() {
    REQUIRE(engine().drain(never));
    CHECK(run().is_over());
    CHECK(run().finish().empty());
    CHECK(sink.calls_behind_the_end == 0);
  }
  // The ids of outcome lines, in their order.
  [[nodiscard]] std::vector<std::string> ids_in(std::string_view name) const {
    std::vector<std::string> ids;
    const std::string octets = folder.read(name);
    for (std::size_t at = 0; at < octets.size(); at = octets.find('\n', at) + 1) {
      constexpr std::string_view head = R"({"id":")";
      REQUIRE(octets.compare(at, head.size(), head) == 0);
      const std::size_t begin = at + head.size();
      ids.push_back(octets.substr(begin, octets.find('"', begin) - begin));
    }
    return ids;
  }

 private:
  static JobInput input_of(const std::vector<std::string>& files, std::size_t readers) {
    auto input = JobInput::open(files, -1, {.readers = readers, .lines_max = 7});
    REQUIRE(input);
    return std::move(*input);
  }

 public:
  TemporaryFolder folder;
  Listener listener;
  test::JudgedSink sink;

 private:
  LineSource source_;
  std::unique_ptr<RunThreads> threads_;
};

bool always() { return true; }

// Each once, of jobs below `count`.
bool are_all_jobs(std::vector<std::string> ids, std::size_t count) {
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(fmt::format("job-{}", i));
  }
  std::sort(all.begin(), all.end());
  return ids == all;
}

}  // namespace

TEST_CASE("readers: what they have in hand together is bounded, however short the lines are") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += "x\n";
  }
  const std::string file = folder.write("short", text);
  const std::size_t readers = GENERATE(2U, 3U, 4U);
  CAPTURE(readers);
  auto blocks = LineBlocks::open({file}, -1, {.readers = readers});
  REQUIRE(blocks);
  std::vector<LineBlock> of_readers(readers);
  std::size_t in_hand = 0;
  for (LineBlock& block : of_readers) {
    REQUIRE((*blocks)->next(block).value_or(false));
    in_hand += block.lines.size();
  }
  CHECK(in_hand > 0);
  // A repair of the journal takes twice as many for the most that a run may be ahead by.
  CHECK(in_hand <= limits::lines_in_hand_max);
}

TEST_CASE("readers: every line comes once, at its place, whatever the files are") {
  const TemporaryFolder folder;
  const std::string lines = text_of_lines(1500, true);
  const std::vector<std::string> files = {
      folder.write("plain", lines), folder.write("blank", "\n \r\n"),
      folder.write("gzip", test::gzip(lines)), folder.write("zstd", test::zstd(lines)),
      folder.write("open", text_of_lines(400, false))};
  GivenLines alone;
  read_with(files, {}, alone);
  REQUIRE(alone.lines.size() == 3 * 1500 + 400);
  for (std::size_t readers = 2; readers <= 8; ++readers) {
    CAPTURE(readers);
    GivenLines all;
    LineBlocksOptions options;
    options.readers = readers;
    if (readers % 2 == 0) {
      options.lines_max = readers;
    }
    read_with(files, options, all);
    CHECK(all.twice == 0);
    CHECK((all.lines == alone.lines));
  }
}

TEST_CASE("readers: a block has what comes behind it to itself, wherever lines and reads end") {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    lines += std::string(static_cast<std::size_t>(i % 7 == 3 ? 300'000 : i), 'x') + "\n";
    lines += std::string(static_cast<std::size_t>(i % 11 == 0 ? 40 : 0), '\n');
  }
  const std::string too_long = std::string(limits::job_line_bytes_max + 1, 'y');
  const std::vector<std::string> files = {folder.write("a", lines + too_long + "\n" + lines + "z"),
                                          folder.write("b", test::zstd(lines + too_long))};
  GivenLines alone;
  read_with(files, {}, alone);
  REQUIRE(alone.lines.size() == 3 * 59 + 3);
  for (const std::size_t lines_max : {1u, 2u, 3u, 1000u}) {
    CAPTURE(lines_max);
    GivenLines all;
    read_with(files, {.readers = 2, .lines_max = lines_max}, all);
    CHECK(all.twice == 0);
    CHECK((all.lines == alone.lines));
  }
}

TEST_CASE("readers: trouble in the middle of a file is told once, and lines before it are read") {
  const TemporaryFolder folder;
  const std::string whole = test::gzip(text_of_lines(600, true));
  const std::vector<std::string> files = {folder.write("first", text_of_lines(100, true)),
                                          folder.write("cut", whole.substr(0, whole.size() / 2)),
                                          folder.write("last", text_of_lines(100, true))};
  GivenLines alone;
  read_with(files, {}, alone);
  REQUIRE(alone.errors.size() == 1);
  GivenLines all;
  read_with(files, {.readers = 4, .lines_max = 3}, all);
  CHECK(all.errors == alone.errors);
  CHECK((all.lines == alone.lines));
}

TEST_CASE("readers: every job is told of once, and is known by its own place") {
  const TemporaryFolder folder;
  constexpr std::size_t count = 2000;
  const std::vector<std::string> files = {folder.write("jobs", job_lines(count) + "no job\n")};
  TestPlanner planner;
  const Threads threads = GENERATE(Threads{1, 2}, Threads{4, 1}, Threads{4, 2}, Threads{8, 3});
  const bool is_sent = GENERATE(false, true);  // to an endpoint at which nobody listens
  CAPTURE(threads.readers, threads.outcome_threads, is_sent);
  ThreadedRun run(files, threads, is_sent ? nullptr : &planner);
  run.read(always);
  run.finish();
  CHECK(run.run().jobs_read() == count + 1);
  CHECK(run.run().tally().of(Status::unsent) == count);
  CHECK(run.run().tally().of(Status::invalid) == 1);
  CHECK(run.run().tally().total() == count + 1);
  CHECK_FALSE(run.run().unread(soon()));
  for (const std::string_view name : {"outcomes", "errors"}) {
    std::vector<std::string> ids = run.ids_in(name);
    REQUIRE(ids.size() == count + 1);
    std::erase_if(ids, [](const std::string& id) { return !id.starts_with("job-"); });
    CHECK(are_all_jobs(std::move(ids), count));
  }
}

TEST_CASE("readers: whoever waits for a pipe holds nothing of what others have read") {
  const TemporaryFolder folder;
  constexpr std::size_t count = 61;  // no whole batch
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  ThreadedRun run({folder.write("jobs", job_lines(count)), fifo}, {4, 2}, nullptr);
  std::thread reading([&run] { run.read(always); });
  const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  const Instant give_up_at = soon();
  while (run.run().tally().total() < count && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(run.run().tally().total() == count);
  const std::string more = job_lines(3, "piped");
  CHECK(::write(writer, more.data(), more.size()) == static_cast<ssize_t>(more.size()));
  while (run.run().tally().total() < count + 3 && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(run.run().tally().total() == count + 3);
  ::close(writer);
  reading.join();
  run.finish();
}

TEST_CASE("readers: what a stop leaves unread is in one piece, and has no outcome") {
  const TemporaryFolder folder;
  constexpr std::size_t count = 3000;
  const std::string file = folder.write("jobs", job_lines(count));
  TestPlanner planner;
  ThreadedRun run({file}, {4, 2}, &planner);
  std::atomic<int> asked{0};
  run.read([&asked] { return ++asked < 500; });
  run.finish();
  const std::size_t told = run.run().tally().total();
  CHECK(are_all_jobs(run.ids_in("outcomes"), told));  // the first ones
  const auto unread = run.run().unread(soon());
  REQUIRE(unread);
  CHECK(unread->count == count - told);
  CHECK(unread->are_in_one_piece);
  CHECK(unread->from == fmt::format("{}:{}", file, told + 1));
}

TEST_CASE("readers: an abort and a job that is another one end all reading, and nothing is lost") {
  const TemporaryFolder folder;
  constexpr std::size_t count = 3000;
  const std::string file = folder.write("jobs", job_lines(count));
  TestPlanner planner;
  const bool is_aborted = GENERATE(false, true);
  planner.fails_at = is_aborted ? "" : "job-700";
  ThreadedRun run({file}, {4, 2}, &planner);
  std::atomic<int> asked{0};
  run.read([&] {
    if (is_aborted && ++asked == 500) {
      run.engine().abort();
    }
    return true;
  });
  run.finish();
  CHECK(run.run().planner_failed() == !is_aborted);
  const std::vector<std::string> ids = run.ids_in("outcomes");
  const std::set<std::string> told(ids.begin(), ids.end());
  CHECK(told.size() == ids.size());
  CHECK_FALSE(told.contains(planner.fails_at));
  const auto unread = run.run().unread(soon());
  REQUIRE(unread);
  CHECK(unread->count == count - told.size());
  std::size_t first = 0;
  while (told.contains(fmt::format("job-{}", first))) {
    ++first;
  }
  CHECK(unread->from == fmt::format("{}:{}", file, first + 1));
  CHECK(unread->are_in_one_piece == (first == told.size()));
}

TEST_CASE("readers: a full disk holds up all who tell, and with room nothing is missing") {
  const TemporaryFolder folder;
  constexpr std::size_t count = 2000;
  TestPlanner planner;
  ThreadedRun run({folder.write("jobs", job_lines(count))}, {4, 2}, &planner);
  disk_error.store(ENOSPC);
  std::thread reading([&run] { run.read(always); });
  const Instant give_up_at = soon();
  while (run.listener.count("there is no room for outcomes") == 0 &&
         std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(1ms);
  }
  if (GENERATE(false, true)) {
    disk_error.store(0);
    reading.join();
    run.finish();
    CHECK_FALSE(run.run().failed());
    CHECK(run.listener.count("there is no room for outcomes") == 1);
    CHECK(run.listener.count("there is room for outcomes again") == 1);
    CHECK(are_all_jobs(run.ids_in("outcomes"), count));
  } else {
    run.run().give_up();
    reading.join();
    CHECK(run.engine().drain(never));
    CHECK(run.run().failed());
    CHECK(run.listener.count("outcomes cannot be written") == 1);
    CHECK(run.run().finish().size() == 2);
    std::uint64_t lost = 0;
    for (const LostLines& lines : run.sink.lost_lines()) {
      lost += lines.count;
    }
    CHECK(lost == 2 * run.run().tally().total());
  }
}

}  // namespace ringpost::run
