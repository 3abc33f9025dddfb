// Mail that was stored is handed over once, whatever ends in between, and gone when all is said.
// The engine's part is played by hand: what it took, what it notes before it sends, what it tells.
#include "tools/serve/spool/spool.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/outcome_writer.h"
#include "queue/journal_history.h"
#include "tests/support/temporary_folder.h"
#include "tools/serve/spool/missing_outcomes.h"

namespace ringpost::serve::test {

namespace {

using ringpost::test::TemporaryFolder;
using namespace std::chrono_literals;

constexpr auto patience = 60s;

struct Handed {
  Message message;
  Completion done;
  std::vector<PriorFate> fates;
};

// A spool with an engine that does what the test says.
class Bench {
 public:
  explicit Bench(const TemporaryFolder& folder, SpoolOptions options = {}) {
    options.folder = folder.path("spool");
    options.outcomes_path = folder.path("outcomes.jsonl");
    const auto names = std::make_shared<EndpointNames>();
    static_cast<void>(names->number_of("esp"));
    options.endpoint_names = names;
    auto opened = Spool::open(std::move(options), log_);
    INFO((opened ? "" : opened.error()));
    REQUIRE(opened);
    spool_ = std::move(*opened);
  }
  ~Bench() {
    if (spool_) {
      spool_->stop_feeding();
    }
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void start() {
    spool_->start(
        [this](Message& message, Completion done, std::vector<PriorFate> fates) {
          return take(message, std::move(done), std::move(fates));
        },
        [this](Message& message, std::string_view, Completion done, std::vector<PriorFate> fates) {
          return take(message, std::move(done), std::move(fates));
        });
  }

  [[nodiscard]] Spool& spool() { return *spool_; }

  // What was said of it, when it was.
  [[nodiscard]] StoreEnd store(const std::string& id, const std::string& body = "Hello.\r\n") {
    Message message;
    message.id = id;
    message.sender = "a@example.com";
    message.recipients.add("b@example.net");
    message.recipients.add("c@example.net");
    REQUIRE(ContentMaker().assign(message.content, "Subject: x\r\n\r\n" + body));
    auto told = std::make_shared<Told>();
    const auto taken = spool_->store(message, [told](StoreEnd end) {
      const std::lock_guard lock(told->mutex);
      told->end = end;
      told->changed.notify_all();
    });
    if (!taken) {
      return StoreEnd::no_room;
    }
    std::unique_lock lock(told->mutex);
    REQUIRE(told->changed.wait_for(lock, patience, [&] { return told->end.has_value(); }));
    return *told->end;
  }

  // The next that the engine was given.
  [[nodiscard]] Handed next() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [this] { return !handed_.empty(); }));
    Handed first = std::move(handed_.front());
    handed_.erase(handed_.begin());
    return first;
  }
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return handed_.size();
  }
  void set_full(bool full) {
    const std::lock_guard lock(mutex_);
    is_full_ = full;
  }

  void intend(const Handed& handed) {
    const codec::JournalIntent intent{handed.message.origin.ordinal,
                                      handed.message.origin.line_hash, 0, 2, false};
    REQUIRE(spool_->append_intents({&intent, 1}));
  }
  // Of each recipient who was not told before. Returns the lines.
  std::string tell(const Handed& handed, Status status) {
    std::string lines;
    for (std::uint32_t i = 0; i < 2; ++i) {
      if (handed.fates.empty() || !is_told(handed.fates[i])) {
        lines += tell_one(handed, i, status);
      }
    }
    spool_->write();
    handed.done(handed.message, {});
    return lines;
  }
  std::string tell_one(const Handed& handed, std::uint32_t recipient, Status status) {
    Outcome outcome;
    outcome.status = status;
    const OutcomeView view{&handed.message, recipient, &outcome};
    if (spool_->wish(view) != OutcomeKeeper::Wish::line) {
      return {};
    }
    std::string line;
    codec::OutcomeWriter().append(line, handed.message, recipient, outcome);
    spool_->add(view, line);
    return line;
  }

 private:
  struct Told {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<StoreEnd> end;
  };

  Offer take(Message& message, Completion done, std::vector<PriorFate> fates) {
    const std::lock_guard lock(mutex_);
    if (is_full_) {
      return Offer::full;
    }
    handed_.push_back({std::move(message), std::move(done), std::move(fates)});
    changed_.notify_all();
    return Offer::taken;
  }

  cli::Log log_{{.level = cli::LogLevel::error}};
  std::unique_ptr<Spool> spool_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Handed> handed_;
  bool is_full_ = false;
};

std::vector<std::string> files_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("spool"))) {
    if (entry.path().filename() != "lock") {
      names.push_back(entry.path().filename());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <typename Condition>
bool comes_true(const Condition& condition) {
  const auto give_up_at = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up_at) {
      return false;
    }
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

}  // namespace

TEST_CASE("spool: what is stored is handed over in its order, and gone when all is said") {
  const TemporaryFolder folder;
  Bench bench(folder, {.segment_age = 1h});
  bench.start();
  for (const char* const id : {"one", "two", "three"}) {
    REQUIRE(bench.store(id) == StoreEnd::stored);
  }
  CHECK(files_in(folder).back() == "0000000001.jsonl");
  struct stat status {};
  REQUIRE(::stat(folder.path("spool").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  for (const char* const id : {"one", "two", "three"}) {
    const Handed handed = bench.next();
    CHECK(handed.message.id == id);
    CHECK(handed.message.content.text() == "Subject: x\r\n\r\nHello.\r\n");
    CHECK(handed.message.expires_at_us > 0);
    bench.intend(handed);
    bench.tell(handed, Status::accepted);
  }
  CHECK(bench.spool().figures().stored == 3);
  bench.spool().close();
  CHECK(files_in(folder).empty());
  CHECK(bench.spool().figures().bytes == 0);
}

TEST_CASE("spool: segments begin anew by their size, and go one by one") {
  const TemporaryFolder folder;
  Bench bench(folder, {.segment_bytes = 1});
  bench.start();
  REQUIRE(bench.store("one") == StoreEnd::stored);
  REQUIRE(bench.store("two") == StoreEnd::stored);
  const Handed one = bench.next();
  const Handed two = bench.next();
  CHECK(codec::source_of(one.message.origin.ordinal) == 1);
  CHECK(codec::source_of(two.message.origin.ordinal) == 2);
  bench.tell(two, Status::rejected);
  CHECK(comes_true([&] { return bench.spool().figures().segments == 1; }));
  CHECK(files_in(folder) == std::vector<std::string>{"0000000001.journal", "0000000001.jsonl"});
  bench.tell(one, Status::accepted);
  CHECK(comes_true([&] { return files_in(folder).empty(); }));
}

TEST_CASE("spool: a kill leaves in doubt what was sent, and to the next start what was not") {
  const TemporaryFolder folder;
  {
    Bench bench(folder);
    bench.start();
    for (const char* const id : {"accepted", "in flight", "half", "untouched"}) {
      REQUIRE(bench.store(id) == StoreEnd::stored);
    }
    const Handed accepted = bench.next();
    bench.intend(accepted);
    bench.tell(accepted, Status::accepted);
    bench.intend(bench.next());
    const Handed half = bench.next();
    bench.intend(half);
    bench.tell_one(half, 1, Status::rejected);
    bench.spool().write();
    static_cast<void>(bench.next());
  }
  // A line that was never finished.
  std::ofstream(folder.path("spool/0000000001.jsonl"), std::ios::app) << R"({"id":"torn)";
  Bench bench(folder);
  bench.start();
  using Fates = std::vector<PriorFate>;
  const Handed in_flight = bench.next();
  CHECK(in_flight.message.id == "in flight");
  CHECK(in_flight.fates == Fates{PriorFate::in_doubt, PriorFate::in_doubt});
  const Handed half = bench.next();
  CHECK(half.message.id == "half");
  CHECK(half.fates == Fates{PriorFate::in_doubt, PriorFate::done});
  const Handed untouched = bench.next();
  CHECK(untouched.message.id == "untouched");
  CHECK(untouched.fates.empty());
  bench.tell(in_flight, Status::unknown);
  bench.tell(half, Status::unknown);
  bench.tell(untouched, Status::accepted);
  CHECK(comes_true([&] { return files_in(folder).empty(); }));
  CHECK(bench.waiting() == 0);
}

TEST_CASE("spool: who was put off is handed over again, and nobody else") {
  const TemporaryFolder folder;
  Bench bench(folder, {.pause_first = 1ms, .pause_max = 5ms});
  bench.start();
  REQUIRE(bench.store("one") == StoreEnd::stored);
  REQUIRE(bench.store("two") == StoreEnd::stored);
  const Handed one = bench.next();
  bench.tell(bench.next(), Status::accepted);
  bench.tell_one(one, 0, Status::accepted);
  bench.tell_one(one, 1, Status::deferred);
  bench.spool().write();
  one.done(one.message, {});
  for (const Status status : {Status::unsent, Status::deferred, Status::accepted}) {
    const Handed again = bench.next();
    CHECK(again.message.id == "one");
    CHECK(again.fates == std::vector<PriorFate>{PriorFate::has_it, PriorFate::none});
    bench.tell(again, status);
  }
  CHECK(comes_true([&] { return files_in(folder).empty(); }));
}

TEST_CASE("spool: what it has no room for is refused, and room comes back") {
  const TemporaryFolder folder;
  Bench bench(folder, {.bytes_max = 5000, .segment_bytes = 1});
  bench.start();
  const std::string body = std::string(70, 'x') + "\r\n";
  REQUIRE(bench.store("one", std::string(900, '\x01') + "\r\n") == StoreEnd::no_room);  // escaped
  std::size_t stored = 0;
  while (bench.store("n", body) == StoreEnd::stored) {
    ++stored;
  }
  CHECK(stored > 5);
  CHECK(bench.spool().figures().bytes <= 5000);
  CHECK(bench.spool().figures().refused == 2);
  for (std::size_t i = 0; i < stored; ++i) {
    bench.tell(bench.next(), Status::accepted);
  }
  CHECK(comes_true([&] { return bench.spool().figures().bytes == 0; }));
  CHECK(bench.store("again", body) == StoreEnd::stored);
}

TEST_CASE("spool: nothing waits in memory while the engine has no room") {
  const TemporaryFolder folder;
  Bench bench(folder, {.messages_max = 2});
  bench.start();
  bench.set_full(true);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(bench.store(std::to_string(i)) == StoreEnd::stored);
  }
  CHECK(bench.waiting() == 0);
  bench.set_full(false);
  bench.spool().tell_room();
  CHECK(comes_true([&] { return bench.waiting() == 2; }));
  for (int i = 0; i < 5; ++i) {
    const Handed handed = bench.next();
    CHECK(handed.message.id == std::to_string(i));
    CHECK(bench.spool().messages_under_way() <= 2);
    bench.tell(handed, Status::accepted);
  }
}

TEST_CASE("spool: what cannot be sent is not stored") {
  const TemporaryFolder folder;
  Bench bench(folder);
  bench.start();
  Message message;
  message.id = "x";
  message.sender = "a@example.com";
  message.recipients.add("b@example.net");
  REQUIRE(ContentMaker().assign(message.content, "Subject: x\r\n\r\n"));
  message.endpoint = "none";
  const auto refused = bench.spool().store(message, [](StoreEnd) { FAIL(); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == StoreRefusal::Kind::invalid);
  message.endpoint.clear();
  message.metadata_json = "{";
  CHECK_FALSE(bench.spool().store(message, [](StoreEnd) { FAIL(); }));
}

TEST_CASE("spool: an end tells nobody of what will be sent at the next start") {
  const TemporaryFolder folder;
  {
    Bench bench(folder);
    bench.start();
    REQUIRE(bench.store("one") == StoreEnd::stored);
    const Handed one = bench.next();
    bench.spool().stop_feeding();
    bench.spool().begin_end();
    CHECK(bench.tell(one, Status::unsent).empty());
    bench.spool().stop_storing();
    bench.spool().close();
  }
  Bench bench(folder);
  bench.start();
  CHECK(bench.next().fates.empty());
}

TEST_CASE("spool: a folder is one server's, and its owner's alone") {
  const TemporaryFolder folder;
  Bench bench(folder);
  cli::Log log({.level = cli::LogLevel::error});
  const auto second = Spool::open({.folder = folder.path("spool")}, log);
  REQUIRE_FALSE(second);
  CHECK(second.error().find("each server needs a spool of its own") != std::string::npos);
  std::filesystem::create_directory(folder.path("open"));
  REQUIRE(::chmod(folder.path("open").c_str(), 0755) == 0);
  const auto open = Spool::open({.folder = folder.path("open")}, log);
  REQUIRE_FALSE(open);
  CHECK(open.error().find("chmod 700") != std::string::npos);
  CHECK_FALSE(Spool::open({.folder = folder.write("file", "")}, log));
}

TEST_CASE("spool: outcome lines that a kill has kept from the file are added once") {
  const TemporaryFolder folder;
  std::string told;
  {
    Bench bench(folder, {.segment_bytes = 1});
    bench.start();
    for (const char* const id : {"one", "two", "three"}) {
      REQUIRE(bench.store(id) == StoreEnd::stored);
    }
    // Nobody goes before all are there: a segment would be removed.
    const Handed one = bench.next();
    const Handed two = bench.next();
    const Handed three = bench.next();
    told = bench.tell_one(one, 0, Status::accepted);
    const std::string missing = bench.tell_one(two, 0, Status::accepted);
    bench.spool().write();
    // Of another way in, and half of the second.
    folder.write("outcomes.jsonl", told + "{\"id\":\"other\"}\n" + missing.substr(0, 20));
    told += "{\"id\":\"other\"}\n" + missing;
    told += bench.tell_one(three, 0, Status::rejected);
    bench.spool().write();
  }
  const Bench bench(folder);
  CHECK(folder.read("outcomes.jsonl") == told);
  std::vector<std::string> journals;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    journals.push_back(segment_paths(folder.path("spool"), number).journal);
  }
  const auto again = add_missing_outcomes(journals, folder.path("outcomes.jsonl"));
  CHECK(again == std::uint64_t{0});
  CHECK(folder.read("outcomes.jsonl") == told);
}

}  // namespace ringpost::serve::test
