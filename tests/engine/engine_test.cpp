// The engine with everything real: io_uring, TLS, threads, and an embedded ESP that writes down
// what it took. What goes wrong on the way is in engine_failure_test.cpp.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/engine_run.h"
#include <ringpost/engine.h>

namespace ringpost::engine::test {

namespace {

using namespace std::chrono_literals;
using sink::Count;
using sink::ListenerKind;

// Sanitizers make everything an order of magnitude slower.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::size_t many_jobs = 40'000;
#else
constexpr std::size_t many_jobs = 200'000;
#endif

}  // namespace

TEST_CASE("engine: every job is decided once, and the server has exactly the accepted ones") {
  const auto kind = GENERATE(ListenerKind::starttls, ListenerKind::tls, ListenerKind::plain);
  const std::uint32_t cores = GENERATE(1u, 2u);
  const auto pipelining =
      GENERATE(PipeliningOption::off, PipeliningOption::within, PipeliningOption::automatic);
  CAPTURE(kind, cores, pipelining);
  TestSink sink;
  EndpointOptions endpoint = sink.endpoint(kind);
  endpoint.pipelining = pipelining;
  endpoint.attempts_max = 1;
  std::vector<TestJob> jobs = various_jobs(120);
  jobs[7].recipients = {"reject.me@b.example"};
  jobs[8].recipients = {"defer.me@b.example"};
  jobs[9].recipients = {"reject-data@b.example"};
  jobs[10].recipients = {"defer-data@b.example"};
  jobs[11].recipients = {"one@b.example", "reject.1@b.example", "two@b.example",
                         "defer.1@b.example"};
  jobs[12].recipients = {"reject.1@b.example", "defer.1@b.example", "reject.2@b.example"};

  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, cores), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  wait_until_sessions_are_ready(*engine);
  const EngineStatistics statistics = engine->statistics();
  CHECK(engine->endpoint_failures().empty());
  engine.reset();
  const sink::Tally tally = sink.stop();

  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) == 114 + 2);
  CHECK(deliveries.count(Status::rejected) == 2 + 1 + 2);
  CHECK(deliveries.count(Status::deferred) == 2 + 1 + 1);
  CHECK(deliveries.of("job-7").stage == Stage::rcpt);
  CHECK(deliveries.of("job-10").stage == Stage::eod);
  CHECK(tally.violations_total() == 0);
  CHECK(tally[Count::sessions_lost] == 0);
  CHECK(statistics.messages == jobs.size());
  // One in four ends without a line end, which its end of data brings: two octets more at the
  // server.
  CHECK(statistics.content_bytes == tally[Count::content_bytes] - 2 * 29);
  CHECK(statistics.sessions_ready == tally[Count::sessions]);
  CHECK(statistics.sessions_ready <= endpoint.connections_max);
}

TEST_CASE("engine: recipients beyond recipients_max go into further transactions") {
  TestSink sink([](sink::SinkOptions& options) { options.session.recipients_max = 7; });
  EndpointOptions endpoint = sink.endpoint(ListenerKind::starttls);
  // The second one is more than the server takes: it answers 452.
  endpoint.recipients_max = GENERATE(5u, 20u);
  std::vector<TestJob> jobs = small_jobs(5);
  for (TestJob& job : jobs) {
    job.recipients.clear();
    for (int i = 0; i < 23; ++i) {
      job.recipients.push_back((i % 6 == 5 ? "reject" : "r") + std::to_string(i) + "@b.example");
    }
  }
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) == 5 * 20);
  CHECK(deliveries.count(Status::rejected) == 5 * 3);
}

TEST_CASE("engine: jobs without an endpoint are shared by weight, in turns") {
  TestSink first;
  TestSink second;
  EndpointOptions heavy = first.endpoint();
  heavy.name = "heavy";
  heavy.weight = 3;
  EndpointOptions light = second.endpoint();
  light.name = "light";
  Deliveries deliveries;
  auto engine = start(options_of({heavy, light}, 2), deliveries);
  const std::vector<TestJob> jobs = small_jobs(400);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  CHECK(first.stop()[Count::messages_accepted] == 300);
  CHECK(second.stop()[Count::messages_accepted] == 100);
  check_each_once(jobs, deliveries);
  for (const Told& delivery : deliveries.all()) {
    const std::size_t number = std::stoul(delivery.id.substr(4));
    // Smooth weights: never four in a row of one.
    CHECK(delivery.endpoint == (number % 4 == 2 ? 1u : 0u));
  }
}

TEST_CASE(
    "engine: a job that names its endpoint goes there, and one of weight zero gets no other") {
  TestSink first;
  TestSink second;
  EndpointOptions ordinary = first.endpoint();
  ordinary.name = "ordinary";
  EndpointOptions named = second.endpoint();
  named.name = "named";
  named.weight = 0;
  std::vector<TestJob> jobs = small_jobs(40);
  for (std::size_t i = 0; i < jobs.size(); i += 4) {
    jobs[i].endpoint = "named";
  }
  Deliveries deliveries;
  auto engine = start(options_of({ordinary, named}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  CHECK(first.stop()[Count::messages_accepted] == 30);
  CHECK(second.stop()[Count::messages_accepted] == 10);
}

TEST_CASE("engine: an endpoint of weight zero takes nothing over from one that is away") {
  TestSink gone;
  TestSink second;
  EndpointOptions ordinary = gone.endpoint();
  ordinary.name = "ordinary";
  ordinary.connect_attempts_max = 2;
  gone.stop();
  EndpointOptions named = second.endpoint();
  named.name = "named";
  named.weight = 0;
  std::vector<TestJob> jobs = small_jobs(10);
  jobs[3].endpoint = "named";
  Deliveries deliveries;
  auto engine = start(options_of({ordinary, named}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  // Nor when it is known to be given up.
  REQUIRE(engine->endpoint_failures().size() == 1);
  REQUIRE(submit(*engine, small_jobs(5, "late")));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  CHECK(deliveries.count(Status::accepted) == 1);
  CHECK(deliveries.of("job-3").status == Status::accepted);
  CHECK(deliveries.count(Status::unsent) == 14);
  CHECK(second.stop()[Count::messages_accepted] == 1);
}

TEST_CASE("engine: a job for an endpoint that nobody knows is invalid, and the others go on") {
  TestSink sink;
  std::vector<TestJob> jobs = small_jobs(3);
  jobs[1].endpoint = "sendgird";
  jobs[1].recipients = {"a@b.example", "c@d.example"};
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_each_once(jobs, deliveries);
  CHECK(deliveries.count(Status::accepted) == 2);
  CHECK(deliveries.count(Status::invalid) == 2);
  for (const Told& delivery : deliveries.all()) {
    if (delivery.status == Status::invalid) {
      CHECK(delivery.reason == "endpoint: no endpoint is named \"sendgird\"");
      CHECK(delivery.stage == Stage::local);
      CHECK(delivery.attempts == 0);
    }
  }
}

TEST_CASE("engine: a refused job has one outcome a recipient, or one without an address") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  {
    Engine::Submitter submitter = engine->submitter();
    submitter.next()->id = "nobody";
    submitter.refuse("line 1: it is no JSON");
    fill(*submitter.next(), {.id = "two", .recipients = {"a@b.example", "c@d.example"}});
    submitter.refuse("line 2: something else");
    fill(*submitter.next(), {.id = "good"});
    CHECK(submitter.submit());
    // A job that was taken and neither submitted nor refused has no outcome.
    fill(*submitter.next(), {.id = "left"});
  }
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count() == 4);
  CHECK(deliveries.of("nobody").status == Status::invalid);
  CHECK(deliveries.of("nobody").recipient.empty());
  CHECK(deliveries.of("nobody").reason == "line 1: it is no JSON");
  CHECK(deliveries.of("good").status == Status::accepted);
  CHECK(deliveries.count(Status::invalid) == 3);
}

TEST_CASE("engine: next() is the same job until it was submitted or refused") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  Engine::Submitter submitter = engine->submitter();
  Message* const job = submitter.next();
  CHECK(submitter.next() == job);
  submitter.refuse("no");
  CHECK(submitter.next() != nullptr);
}

TEST_CASE("engine: a rate limit holds for all cores together") {
  TestSink sink;
  EndpointOptions endpoint = sink.endpoint();
  endpoint.rates = {messages_per_second(40)};
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  const std::vector<TestJob> jobs = small_jobs(22);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  // A bucket of two messages, and then one every 25 ms.
  CHECK(std::chrono::steady_clock::now() - begin >= 20 * 25ms);
  CHECK(deliveries.count(Status::accepted) == 22);
}

TEST_CASE("engine: more cores than connections leave the others idle, and nothing undone") {
  TestSink sink;
  EndpointOptions endpoint = sink.endpoint();
  endpoint.connections_max = 1;
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 3), deliveries);
  REQUIRE(submit(*engine, small_jobs(50)));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  CHECK(deliveries.count(Status::accepted) == 50);
  CHECK(sink.stop()[Count::sessions] == 1);
}

TEST_CASE("engine: a single job that comes at any moment is seen at once") {
  // A lost wake-up hangs in drain(). The workers are just starting, just parked, or just done.
  TestSink sink;
  for (int round = 0; round < 25; ++round) {
    Deliveries deliveries;
    auto engine = start(options_of({sink.endpoint()}, 2), deliveries);
    for (int i = 0; i < 4; ++i) {
      REQUIRE(submit(*engine, {{.id = "job-" + std::to_string(i)}}));
      if (i % 2 == round % 2) {
        REQUIRE(engine->drain(in_good_time()));
      }
    }
    REQUIRE(engine->drain(in_good_time()));
    CHECK(deliveries.count(Status::accepted) == 4);
  }
}

TEST_CASE("engine: several threads submit, each with a submitter of its own") {
  TestSink sink;
  Deliveries deliveries;
  EngineOptions options = options_of({sink.endpoint(ListenerKind::starttls)}, 2);
  options.jobs_in_flight_max = 70;
  auto engine = start(std::move(options), deliveries);
  std::vector<TestJob> all;
  std::vector<std::vector<TestJob>> parts;
  for (int i = 0; i < 4; ++i) {
    parts.push_back(small_jobs(150, "thread" + std::to_string(i)));
    all.insert(all.end(), parts.back().begin(), parts.back().end());
  }
  std::vector<std::thread> threads;
  for (const auto& part : parts) {
    threads.emplace_back([&engine, &part] { static_cast<void>(submit(*engine, part)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(all, deliveries);
  check_records(all, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) == all.size());
}

TEST_CASE("engine: a slow outcome callback slows submission, and what is in flight stays bounded") {
  constexpr std::size_t in_flight_max = 60;
  TestSink sink;
  std::atomic<std::size_t> taken{0};  // by next()
  std::atomic<std::size_t> delivered{0};
  EngineOptions options = options_of({sink.endpoint()});
  options.jobs_in_flight_max = in_flight_max;
  const Instant give_up_at = in_good_time();
  auto engine = Engine::start(std::move(options), [&](auto decided) {
    // The first outcome is held until the submitter has come as far as it can.
    while (taken.load() < in_flight_max && std::chrono::steady_clock::now() < give_up_at) {
      std::this_thread::yield();
    }
    delivered += decided.size();
  });
  REQUIRE(engine.has_value());
  std::size_t most = 0;
  Engine::Submitter submitter = (*engine)->submitter();
  for (const TestJob& from : small_jobs(2000)) {
    Message* const job = submitter.next();
    REQUIRE(job != nullptr);
    ++taken;
    most = std::max(most, taken.load() - delivered.load());
    fill(*job, from);
    CHECK(submitter.submit());
  }
  submitter.flush();
  REQUIRE((*engine)->drain(in_good_time()));
  CHECK(delivered.load() == 2000);
  CHECK(most == in_flight_max);
}

TEST_CASE("engine: octets in flight are bounded, but for one job") {
  constexpr std::size_t job_bytes = 30'000;
  constexpr std::size_t bytes_max = 200'000;
  TestSink sink;
  std::atomic<std::size_t> delivered{0};
  EngineOptions options = options_of({sink.endpoint()});
  options.job_bytes_in_flight_max = bytes_max;
  auto engine =
      Engine::start(std::move(options), [&](auto decided) { delivered += decided.size(); });
  REQUIRE(engine.has_value());
  std::size_t taken = 0;
  std::size_t most = 0;
  Engine::Submitter submitter = (*engine)->submitter();
  for (TestJob& from : small_jobs(200)) {
    from.body.clear();
    while (from.body.size() < job_bytes) {
      from.body += "A line of content, as long as it has to be.\r\n";
    }
    Message* const job = submitter.next();
    ++taken;
    most = std::max(most, taken - delivered.load());
    fill(*job, from);
    CHECK(submitter.submit());
  }
  submitter.flush();
  REQUIRE((*engine)->drain(in_good_time()));
  CHECK(delivered.load() == 200);
  CHECK(most <= bytes_max / job_bytes + 1);
  CHECK(most > 1);
}

TEST_CASE("engine: over a long run no more jobs exist than may be in flight") {
  TestSink sink([](sink::SinkOptions& options) { options.record_file.clear(); });
  constexpr std::size_t in_flight_max = 500;
  std::atomic<std::size_t> delivered{0};
  EngineOptions options = options_of({sink.endpoint()}, 2);
  options.jobs_in_flight_max = in_flight_max;
  auto engine =
      Engine::start(std::move(options), [&](auto decided) { delivered += decided.size(); });
  REQUIRE(engine.has_value());
  std::set<const Message*> distinct;
  std::size_t most = 0;
  Engine::Submitter submitter = (*engine)->submitter();
  const TestJob tiny{.id = "tiny", .body = "."};
  for (std::size_t taken = 1; taken <= many_jobs; ++taken) {
    Message* const job = submitter.next();
    most = std::max(most, taken - delivered.load());
    distinct.insert(job);
    fill(*job, tiny);
    CHECK(submitter.submit());
  }
  submitter.flush();
  REQUIRE((*engine)->drain(in_good_time()));
  CHECK(delivered.load() == many_jobs);
  CHECK(most <= in_flight_max);
  CHECK(distinct.size() <= in_flight_max);
}

TEST_CASE("engine: whoever has drained finds no callback running, and everything written out") {
  TestSink sink;
  std::size_t seen = 0;  // not atomic on purpose: drain() is what orders it
  std::size_t written = 0;
  std::atomic<bool> inside{false};
  auto engine = Engine::start(options_of({sink.endpoint()}), [&](auto decided) {
    inside = true;
    seen += decided.size();
    if (decided.empty()) {
      std::this_thread::sleep_for(1ms);  // as long as a disk takes
      written = seen;
    }
    inside = false;
  });
  REQUIRE(engine.has_value());
  for (std::size_t round = 1; round <= 40; ++round) {
    REQUIRE(submit(**engine, small_jobs(round % 5 + 1)));
    REQUIRE((*engine)->drain(in_good_time()));
    CHECK_FALSE(inside.load());
    CHECK(written == seen);
    seen = written = 0;
  }
}

TEST_CASE("engine: drain() gives up at its deadline and can be called again") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  CHECK(engine->drain(never));
  engine->hold_sending(true);
  REQUIRE(submit(*engine, small_jobs(3)));
  CHECK_FALSE(engine->drain(std::chrono::steady_clock::now()));
  CHECK_FALSE(engine->drain(std::chrono::steady_clock::now() + 1ms));
  engine->hold_sending(false);
  CHECK(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::accepted) == 3);
}

TEST_CASE(
    "engine: sessions of one run come back with a ticket, and a quiet engine costs no turns") {
  TestSink sink([](sink::SinkOptions& options) { options.session.messages_max = 5; });
  EndpointOptions endpoint = sink.endpoint(ListenerKind::tls);
  endpoint.connections_max = 1;
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}), deliveries);
  REQUIRE(submit(*engine, small_jobs(30)));
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::accepted) == 30);
  CHECK(sink.tally()[Count::tls_resumed] >= 4);
  // The end of the last session may still be under way.
  const Instant give_up_at = in_good_time();
  std::uint64_t turns = 0;
  do {
    turns = engine->statistics().turns;
    std::this_thread::sleep_for(100ms);
    turns = engine->statistics().turns - turns;
  } while (turns > 5 && std::chrono::steady_clock::now() < give_up_at);
  CHECK(turns <= 5);
}

// The program checks addresses when it reads them; whoever fills jobs by himself may not have.
TEST_CASE("engine: a job that no command could say is invalid, and the others go on") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  std::vector<TestJob> jobs = small_jobs(6);
  jobs[1].recipients = {"b@b.example\r\nRCPT TO:<c@b.example>"};
  jobs[2].recipients = {"good@b.example", std::string("n\0l@b.example", 13)};
  jobs[3].recipients = {""};
  jobs[4].recipients = {};
  jobs[5].recipients = {std::string(300, 'b') + "@b.example"};
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  CHECK(deliveries.count() == 7);
  CHECK(deliveries.count(Status::accepted) == 1);
  CHECK(deliveries.count(Status::invalid) == 6);
  CHECK(deliveries.of(jobs[0].id).status == Status::accepted);
  CHECK(deliveries.of(jobs[1].id).reason.starts_with("recipient: "));
  CHECK(deliveries.of(jobs[4].id).reason == "the job has no recipients");
  sink.stop();
  CHECK(sink.record().size() == 1);
}

}  // namespace ringpost::engine::test
