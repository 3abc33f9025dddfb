// Messages of many hands go in, and each is told once what became of whom; what has no room, and
// what is under way when all ends, is told as well.
#include "tools/serve/intake.h"

#include <array>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>

#include <catch2/catch_test_macros.hpp>

#include "tests/engine/engine_run.h"

namespace ringpost::serve::test {

namespace {

using engine::test::TestJob;
using engine::test::TestSink;
using ringpost::test::TemporaryFolder;

// What completions said, by id.
class Answers {
 public:
  [[nodiscard]] Intake::Completion completion() {
    return [this](const Message& message, std::span<const Outcome> outcomes) {
      const std::lock_guard lock(mutex_);
      ++calls_;
      for (const Outcome& outcome : outcomes) {
        by_id_[message.id].push_back(outcome);
      }
      changed_.notify_all();
    };
  }
  [[nodiscard]] bool come_to(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, engine::test::in_good_time(), [&] { return calls_ >= count; });
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::vector<Outcome> of(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? std::vector<Outcome>() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t calls_ = 0;
  std::map<std::string, std::vector<Outcome>> by_id_;
};

IntakeOptions options_for(EndpointOptions endpoint) {
  IntakeOptions options;
  options.engine.endpoints = {std::move(endpoint)};
  return options;
}

std::unique_ptr<Intake> started(IntakeOptions options, cli::Log& log) {
  auto intake = Intake::start(std::move(options), log);
  INFO((intake ? "" : intake.error()));
  REQUIRE(intake);
  return std::move(*intake);
}

Message message_of(const TestJob& job) {
  Message message;
  engine::test::fill(message, job);
  return message;
}

Offer offered(Intake& intake, const TestJob& job, Answers& answers) {
  Message message = message_of(job);
  return intake.offer(message, answers.completion());
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

cli::Log quiet_log() { return cli::Log({.level = cli::LogLevel::error}); }

}  // namespace

TEST_CASE("intake: everybody is told once, in the order of recipients, behind the outcome lines") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes.jsonl");
  TestSink sink;
  cli::Log log;
  IntakeOptions options = options_for(sink.endpoint());
  options.engine.endpoints[0].recipients_max = 2;  // several transactions of one message
  options.outcomes_path = path;
  auto intake = started(std::move(options), log);
  Answers answers;
  const std::array<TestJob, 3> jobs = {
      TestJob{.id = "one"},
      TestJob{.id = "many",
              .recipients = {"a@b.example", "reject@b.example", "c@b.example", "d@b.example",
                             "reject@b.example"}},
      TestJob{.id = "nowhere", .endpoint = "none"}};
  for (const TestJob& job : jobs) {
    Message message = message_of(job);
    REQUIRE(intake->offer(message, answers.completion()) == Offer::taken);
    CHECK(message.id.empty());
  }
  REQUIRE(answers.come_to(jobs.size()));
  CHECK(lines_of(path).size() == 7);
  CHECK(answers.of("one").at(0).status == Status::accepted);
  const auto many = answers.of("many");
  REQUIRE(many.size() == 5);
  for (const std::size_t i : {0u, 2u, 3u}) {
    CHECK(many[i].status == Status::accepted);
  }
  CHECK(many[1].status == Status::rejected);
  CHECK(many[4].status == Status::rejected);
  CHECK(many[1].code >= 500);
  CHECK(answers.of("nowhere").at(0).status == Status::invalid);
  intake->close();
  CHECK(answers.count() == jobs.size());
  CHECK(intake->messages_under_way() == 0);
  CHECK(intake->bytes_under_way() == 0);
}

TEST_CASE("intake: what comes faster than it goes waits, and all of it is told") {
  TestSink sink;
  cli::Log log;
  EndpointOptions endpoint = sink.endpoint();
  endpoint.connections_max = 1;
  endpoint.pipelining = PipeliningOption::off;
  auto intake = started(options_for(endpoint), log);
  Answers answers;
  // More than an engine with one session has active.
  const auto jobs = engine::test::small_jobs(2000);
  for (const TestJob& job : jobs) {
    REQUIRE(offered(*intake, job, answers) == Offer::taken);
  }
  REQUIRE(answers.come_to(jobs.size()));
  for (const TestJob& job : jobs) {
    const auto told = answers.of(job.id);
    REQUIRE(told.size() == 1);
    CHECK(told[0].status == Status::accepted);
  }
}

TEST_CASE("intake: a message without room is left as it is, and room is told") {
  TestSink sink(engine::test::slow_replies);
  cli::Log log;
  IntakeOptions options = options_for(sink.slow_endpoint());
  SECTION("of messages") { options.messages_max = 2; }
  SECTION("of octets") { options.bytes_max = 1; }
  auto intake = started(std::move(options), log);
  std::mutex mutex;
  std::condition_variable told;
  bool has_room = false;
  intake->listen_for_room([&] {
    const std::lock_guard lock(mutex);
    has_room = true;
    told.notify_all();
  });
  Answers answers;
  std::size_t taken = 0;
  Message message = message_of({.id = "0"});
  while (intake->offer(message, answers.completion()) == Offer::taken) {
    message = message_of({.id = std::to_string(++taken)});
    REQUIRE(taken < 10);
  }
  CHECK(taken >= 1);
  CHECK(message.id == std::to_string(taken));
  CHECK_FALSE(message.content.empty());
  CHECK(intake->refused_for_room() == 1);
  {
    std::unique_lock lock(mutex);
    REQUIRE(told.wait_until(lock, engine::test::in_good_time(), [&] { return has_room; }));
  }
  CHECK_FALSE(intake->is_full());
  CHECK(intake->offer(message, answers.completion()) == Offer::taken);
  REQUIRE(answers.come_to(taken + 1));
}

TEST_CASE("intake: what cannot be sent is told as invalid, also where nobody is named") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes.jsonl");
  TestSink sink;
  cli::Log log;
  EndpointOptions endpoint = sink.endpoint();
  endpoint.connections_max = 1;
  IntakeOptions options = options_for(endpoint);
  options.outcomes_path = path;
  auto intake = started(std::move(options), log);
  Answers answers;
  // In front of them, more than an engine with one session has active: some refusals wait as well.
  const auto jobs = engine::test::small_jobs(500);
  for (const TestJob& job : jobs) {
    REQUIRE(offered(*intake, job, answers) == Offer::taken);
  }
  Message several = message_of({.id = "several", .recipients = {"a@b.example", "c@b.example"}});
  CHECK(intake->refuse(several, "to: is no address", answers.completion()) == Offer::taken);
  CHECK(several.id.empty());
  Message nobody;
  nobody.id = "nobody";
  CHECK(intake->refuse(nobody, "to: is missing", answers.completion()) == Offer::taken);
  REQUIRE(answers.come_to(jobs.size() + 2));
  REQUIRE(answers.of("several").size() == 2);
  CHECK(answers.of("several")[1].status == Status::invalid);
  CHECK(answers.of("several")[1].reason == "to: is no address");
  REQUIRE(answers.of("nobody").size() == 1);
  CHECK(answers.of("nobody")[0].reason == "to: is missing");
  CHECK(lines_of(path).size() == jobs.size() + 3);
  intake->close();
  Message late = message_of({.id = "late"});
  CHECK(intake->refuse(late, "x", answers.completion()) == Offer::closed);
  CHECK(late.id == "late");
}

TEST_CASE("intake: its end leaves nobody without an outcome") {
  TestSink sink(engine::test::slow_replies);
  cli::Log log;
  EndpointOptions endpoint = sink.slow_endpoint();
  endpoint.connections_max = 1;
  auto intake = started(options_for(endpoint), log);
  Answers answers;
  const auto jobs = engine::test::small_jobs(1000);
  for (const TestJob& job : jobs) {
    REQUIRE(offered(*intake, job, answers) == Offer::taken);
  }
  intake->close();
  CHECK(answers.count() == jobs.size());
  std::size_t unsent = 0;
  for (const TestJob& job : jobs) {
    const auto told = answers.of(job.id);
    REQUIRE(told.size() == 1);
    unsent += told[0].status == Status::unsent ? 1u : 0u;
  }
  CHECK(unsent > 0);
  CHECK(offered(*intake, {.id = "late"}, answers) == Offer::closed);
  CHECK(answers.count() == jobs.size());
}

TEST_CASE("intake: outcome lines that cannot be written stop it until they can") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes.jsonl");
  std::filesystem::create_symlink("/dev/full", path);
  TestSink sink;
  cli::Log log = quiet_log();
  std::atomic<int> errors{0};
  log.redirect([&](std::string_view) { ++errors; });
  IntakeOptions options = options_for(sink.endpoint());
  options.outcomes_path = path;
  auto intake = started(std::move(options), log);
  Answers answers;
  REQUIRE(offered(*intake, {.id = "first"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(1));
  CHECK(answers.of("first").at(0).status == Status::accepted);  // which is true all the same
  CHECK(offered(*intake, {.id = "second"}, answers) == Offer::full);
  intake->tick();
  CHECK(intake->is_full());
  CHECK(errors == 1);
  std::filesystem::remove(path);
  intake->reopen_outcomes();
  CHECK_FALSE(intake->is_full());
  REQUIRE(offered(*intake, {.id = "third"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(2));
  const auto lines = lines_of(path);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with(R"({"id":"first")"));
  CHECK(lines[1].starts_with(R"({"id":"third")"));
}

TEST_CASE("intake: lines go on in a new file where the old one was moved away") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes.jsonl");
  TestSink sink;
  cli::Log log;
  IntakeOptions options = options_for(sink.endpoint());
  options.outcomes_path = path;
  auto intake = started(std::move(options), log);
  Answers answers;
  REQUIRE(offered(*intake, {.id = "before"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(1));
  std::filesystem::rename(path, path + ".1");
  intake->reopen_outcomes();
  REQUIRE(offered(*intake, {.id = "after"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(2));
  CHECK(lines_of(path + ".1").size() == 1);
  CHECK(lines_of(path).size() == 1);
}

TEST_CASE("intake: messages of a client that has gone are unsent, but for those that were begun") {
  TestSink sink(engine::test::slow_replies);
  cli::Log log;
  EndpointOptions endpoint = sink.slow_endpoint();
  endpoint.connections_max = 1;
  auto intake = started(options_for(endpoint), log);
  Answers answers;
  const auto client = std::make_shared<Cancellation>("its client has gone");
  // More than an engine with one session has active: some wait for its room.
  const auto jobs = engine::test::small_jobs(1000);
  for (const TestJob& job : jobs) {
    Message message = message_of(job);
    message.cancellation = client;
    REQUIRE(intake->offer(message, answers.completion()) == Offer::taken);
  }
  intake->cancel(*client);
  REQUIRE(offered(*intake, {.id = "other"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(jobs.size() + 1));
  CHECK(answers.of("other").at(0).status == Status::accepted);
  std::size_t accepted = 1;
  for (const TestJob& job : jobs) {
    const auto told = answers.of(job.id);
    REQUIRE(told.size() == 1);
    accepted += told[0].status == Status::accepted ? 1U : 0U;
    CHECK((told[0].status == Status::accepted || told[0].reason == "its client has gone"));
  }
  CHECK(accepted < jobs.size());
  intake->close();
  CHECK(sink.stop()[sink::Count::messages_accepted] == accepted);
}

TEST_CASE("intake: other endpoints have what comes, and the old ones finish what they have") {
  const TemporaryFolder folder;
  const std::string path = folder.path("outcomes.jsonl");
  TestSink slow(engine::test::slow_replies);
  TestSink fast;
  cli::Log log;
  EndpointOptions old_one = slow.slow_endpoint();
  old_one.name = "old";
  IntakeOptions options = options_for(old_one);
  options.outcomes_path = path;
  auto intake = started(std::move(options), log);
  Answers answers;
  const auto before = engine::test::small_jobs(40, "before");
  for (const TestJob& job : before) {
    REQUIRE(offered(*intake, job, answers) == Offer::taken);
  }
  EndpointOptions wrong = fast.endpoint();
  wrong.name = "wrong";
  wrong.ca_file = folder.path("none.pem");
  wrong.security = TransportSecurity::starttls;
  CHECK_FALSE(intake->replace_endpoints({wrong}));
  EndpointOptions new_one = fast.endpoint();
  new_one.name = "new";
  REQUIRE(intake->replace_endpoints({new_one}));
  const auto after = engine::test::small_jobs(40, "after");
  for (const TestJob& job : after) {
    REQUIRE(offered(*intake, job, answers) == Offer::taken);
  }
  CHECK(intake->take_pulse());
  REQUIRE(answers.come_to(before.size() + after.size()));
  for (const auto& [jobs, name] : {std::pair(&before, "old"), std::pair(&after, "new")}) {
    for (const TestJob& job : *jobs) {
      const auto told = answers.of(job.id);
      REQUIRE(told.size() == 1);
      CHECK(told[0].status == Status::accepted);
      CHECK(intake->engine().endpoint_names().all()[told[0].endpoint] == name);
    }
  }
  // Counts stay whole, and those of what is gone go with it.
  CHECK(intake->engine().statistics().messages == before.size() + after.size());
  while (intake->engine().endpoint_reports().size() > 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(intake->engine().endpoint_reports()[0].endpoint == "new");
  CHECK(intake->engine().statistics().messages == before.size() + after.size());
  // Back to a name that was there before: it has its number again.
  EndpointOptions again = fast.endpoint();
  again.name = "old";
  REQUIRE(intake->replace_endpoints({again}));
  REQUIRE(offered(*intake, {.id = "again"}, answers) == Offer::taken);
  REQUIRE(answers.come_to(before.size() + after.size() + 1));
  CHECK(answers.of("again").at(0).endpoint == answers.of(before[0].id).at(0).endpoint);
  intake->close();
  CHECK(slow.stop()[sink::Count::messages_accepted] == before.size());
  CHECK(fast.stop()[sink::Count::messages_accepted] == after.size() + 1);
  CHECK(lines_of(path).size() == before.size() + after.size() + 1);
}

TEST_CASE("intake: a file that holds something else is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.path("jobs.jsonl");
  std::ofstream(path) << "{\"from\":\"a@b.example\"}\n";
  TestSink sink;
  cli::Log log;
  IntakeOptions options = options_for(sink.endpoint());
  options.outcomes_path = path;
  const auto intake = Intake::start(std::move(options), log);
  REQUIRE_FALSE(intake);
  CHECK(intake.error().find("something else than outcome lines") != std::string::npos);
}

}  // namespace ringpost::serve::test
