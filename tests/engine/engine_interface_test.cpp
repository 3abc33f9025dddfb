// What a program that uses the library is told: errors in the place of an end of the process,
// logins that failed, and figures while it runs and afterwards.
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "tests/engine/engine_run.h"
#include <ringpost/engine.h>

namespace ringpost::engine::test {

namespace {

using sink::Count;
using sink::ListenerKind;

// What a submitter says of a message; empty: it goes.
std::string offence_of(Engine::Submitter& submitter, const TestJob& job) {
  fill(*submitter.next(), job);
  const auto submitted = submitter.submit();
  return submitted ? std::string() : submitted.error().message;
}

std::uint64_t told(const Engine& engine, Status status) {
  return engine.statistics().outcomes[static_cast<std::size_t>(status)];
}

}  // namespace

TEST_CASE("engine: what cannot be sent is an error of submit(), and an outcome") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  {
    Engine::Submitter submitter = engine->submitter();
    const std::string injected = "b@b.example\r\nRCPT TO:<c@b.example>";
    CHECK(offence_of(submitter, {.id = "a", .recipients = {injected}}).starts_with("recipient: "));
    CHECK(offence_of(submitter, {.id = "b", .recipients = {}}) == "the job has no recipients");
    CHECK(offence_of(submitter, {.id = ""}) == "the job has no id");
    CHECK(offence_of(submitter, {.id = "c", .endpoint = "none"}) ==
          "endpoint: no endpoint is named \"none\"");
    CHECK(offence_of(submitter, {.id = "good"}).empty());
  }
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::invalid) == 4);
  CHECK(deliveries.count(Status::accepted) == 1);
  CHECK(deliveries.of("a").reason.starts_with("recipient: "));
  CHECK(sink.stop().violations_total() == 0);
}

TEST_CASE("engine: a content that was opened and not sealed is not sent") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  {
    Engine::Submitter submitter = engine->submitter();
    Message& message = *submitter.next();
    fill(message, {.id = "open"});
    ContentMaker::open(message.content) = "X: 1\r\n\r\nbare\n.\nMAIL FROM:<>\r\n";
    const auto submitted = submitter.submit();
    REQUIRE_FALSE(submitted);
    CHECK(submitted.error().message.starts_with("content: "));

    // An error of a piece is there again, whoever passed over it.
    Message& other = *submitter.next();
    fill(other, {.id = "pieces"});
    ContentMaker maker(NewlinePolicy::strict);
    maker.begin(other.content, nullptr);
    maker.add_value(other.content, "X: 1\r\n\r\nbare\r.\r\n");
    maker.add_value(other.content, "more\r\n");
    CHECK_FALSE(submitter.submit());
  }
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.of("open").status == Status::invalid);
  CHECK(deliveries.of("pieces").status == Status::invalid);
  CHECK(sink.stop()[Count::messages_accepted] == 0);
}

TEST_CASE("engine: whoever may not wait asks for a message, and finds his own in its outcome") {
  TestSink sink(slow_replies);
  EngineOptions options = options_of({sink.slow_endpoint()});
  options.jobs_in_flight_max = 2;
  options.outcome_delay = Duration::zero();
  Deliveries deliveries;
  std::array<std::string, 2> mine;
  std::atomic<int> found{0};
  auto engine = Engine::start(std::move(options), [&](std::span<const OutcomeView> decided) {
    for (const OutcomeView& view : decided) {
      *static_cast<std::string*>(view.message->context) = view.message->id;
      ++found;
    }
  });
  REQUIRE(engine);
  {
    Engine::Submitter submitter = (*engine)->submitter();
    for (std::size_t i = 0; i < mine.size(); ++i) {
      Message* const message = submitter.try_next();
      REQUIRE(message != nullptr);
      CHECK(message == submitter.try_next());
      CHECK(message->context == nullptr);
      fill(*message, {.id = std::to_string(i)});
      message->context = &mine[i];
      REQUIRE(submitter.submit());
    }
    CHECK(submitter.try_next() == nullptr);  // and both have left the batch
    REQUIRE((*engine)->drain(in_good_time()));
    CHECK(found == 2);
    CHECK(mine[0] == "0");
    CHECK(mine[1] == "1");
    REQUIRE(submitter.try_next() != nullptr);
    CHECK(submitter.try_next()->context == nullptr);
  }
}

TEST_CASE("engine: messages of somebody who has gone are not sent, but for those that were begun") {
  TestSink sink(slow_replies);
  Deliveries deliveries;
  auto engine = start(options_of({sink.slow_endpoint()}), deliveries);
  const auto client = std::make_shared<Cancellation>("its client has gone");
  constexpr std::size_t count = slow_job_count;
  {
    Engine::Submitter submitter = engine->submitter();
    for (const TestJob& job : small_jobs(count)) {
      Message& message = *submitter.next();
      fill(message, job);
      message.cancellation = client;
      REQUIRE(submitter.submit());
    }
    submitter.flush();
    deliveries.wait_for(1);
    engine->cancel(*client);
    engine->cancel(*client);
    // What comes behind it is as little wanted, and others are not concerned.
    Message& late = *submitter.next();
    fill(late, {.id = "late"});
    late.cancellation = client;
    REQUIRE(submitter.submit());
    fill(*submitter.next(), {.id = "other"});
    REQUIRE(submitter.submit());
  }
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count() == count + 2);
  CHECK(deliveries.of("late").status == Status::unsent);
  CHECK(deliveries.of("late").attempts == 0);
  CHECK(deliveries.of("other").status == Status::accepted);
  std::size_t unsent = 0;
  for (const Told& told : deliveries.all()) {
    unsent += told.status == Status::unsent ? 1 : 0;
    CHECK(told.reason == (told.status == Status::unsent ? "its client has gone" : ""));
  }
  CHECK(unsent > 1);
  CHECK(deliveries.count(Status::accepted) == count + 2 - unsent);
  CHECK(sink.stop()[Count::messages_accepted] == count + 2 - unsent);
}

TEST_CASE("engine: a worker that does not turn has no pulse, and has it again when it does") {
  TestSink sink;
  Deliveries deliveries;
  std::atomic<bool> is_stuck{true};
  std::atomic<bool> has_stopped{false};
  EngineOptions options = options_of({sink.endpoint()});
  options.on_step = [&](std::uint32_t /*worker*/, Stage /*stage*/, Duration /*taken*/) {
    has_stopped.store(true);
    has_stopped.notify_all();
    is_stuck.wait(true);
  };
  auto engine = start(std::move(options), deliveries);
  REQUIRE(submit(*engine, small_jobs(1)));
  has_stopped.wait(false);
  CHECK(engine->take_pulse());
  CHECK_FALSE(engine->take_pulse());
  CHECK_FALSE(engine->take_pulse());
  is_stuck.store(false);
  is_stuck.notify_all();
  REQUIRE(engine->drain(in_good_time()));
  // Nothing is to be done, and it turns all the same.
  static_cast<void>(engine->take_pulse());
  for (int pulses = 0; pulses < 3;) {
    pulses += engine->take_pulse() ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_CASE("engine: calls out of order are errors, or nothing") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  {
    Engine::Submitter submitter = engine->submitter();
    CHECK_FALSE(submitter.submit());
    submitter.refuse("nothing is at hand");
    submitter.flush();
    CHECK(offence_of(submitter, {.id = "good"}).empty());
    CHECK_FALSE(submitter.submit());
  }
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count() == 1);
  CHECK(deliveries.of("good").status == Status::accepted);
}

TEST_CASE("engine: without a callback it does not start, and says so") {
  TestSink sink;
  const auto engine = Engine::start(options_of({sink.endpoint()}), nullptr);
  REQUIRE_FALSE(engine.has_value());
  CHECK(engine.error().message.find("no callback") != std::string::npos);
}

TEST_CASE("engine: drain() tells a failed login from success and from another failure") {
  TestSink sink;
  Deliveries deliveries;
  EndpointOptions endpoint = sink.endpoint(ListenerKind::starttls);
  SECTION("none failed") {
    auto engine = start(options_of({endpoint}), deliveries);
    REQUIRE(submit(*engine, small_jobs(3)));
    const DrainReport report = engine->drain(in_good_time());
    CHECK(report.is_complete);
    CHECK(report.endpoint_failures.empty());
    CHECK_FALSE(report.login_failed());
  }
  SECTION("a wrong password") {
    endpoint.password = "wrong";
    auto engine = start(options_of({endpoint}), deliveries);
    REQUIRE(submit(*engine, small_jobs(3)));
    const DrainReport report = engine->drain(in_good_time());
    CHECK(report.is_complete);
    CHECK(report.login_failed());
    REQUIRE(report.endpoint_failures.size() == 1);
    CHECK(report.endpoint_failures[0].endpoint == endpoint.name);
    CHECK(report.endpoint_failures[0].message.find("535") != std::string::npos);
  }
  SECTION("a certificate that is not trusted") {
    endpoint.ca_file.clear();
    auto engine = start(options_of({endpoint}), deliveries);
    REQUIRE(submit(*engine, small_jobs(3)));
    const DrainReport report = engine->drain(in_good_time());
    CHECK(report.is_complete);
    CHECK_FALSE(report.login_failed());
    CHECK(report.endpoint_failures.size() == 1);
  }
}

TEST_CASE("engine: outcomes are counted by status, and what is in flight, while it runs") {
  TestSink sink(slow_replies);
  Deliveries deliveries;
  auto engine = start(options_of({sink.slow_endpoint()}), deliveries);
  std::vector<TestJob> jobs = small_jobs(60);
  jobs[0].recipients = {"reject.me@b.example", "good@b.example"};
  jobs[1].recipients = {""};
  REQUIRE(submit(*engine, jobs));
  deliveries.wait_for(3);
  CHECK(engine->statistics().messages_in_flight > 0);
  REQUIRE(engine->drain(in_good_time()));
  CHECK(engine->statistics().messages_in_flight == 0);
  CHECK(told(*engine, Status::accepted) == 59);
  CHECK(told(*engine, Status::rejected) == 1);
  CHECK(told(*engine, Status::invalid) == 1);
  CHECK(told(*engine, Status::unsent) == 0);
  const EndpointCounts counts = engine->endpoint_counts();
  CHECK(counts.waiting == 0);
  CHECK(counts.reply_times.count == 59);
  CHECK(counts.reply_times.p50 > Duration::zero());
  CHECK(counts.reply_times.p99 <= counts.reply_times.max);
}

TEST_CASE("message: an address is checked as commands have it") {
  const auto checked = [](Bytes text) { return checked_address(text); };
  CHECK(*checked("a@example.com") == "a@example.com");
  CHECK(*checked("a@b\xc3\xbc"
                 "cher.example") == "a@xn--bcher-kva.example");
  for (const Bytes wrong : {"", "a", "a@", "@b", "a@b\r\nDATA", "a b@c.example", "<a@b.example"}) {
    INFO(wrong);
    REQUIRE_FALSE(checked(wrong));
    CHECK_FALSE(checked(wrong).error().empty());
  }
}

}  // namespace ringpost::engine::test
