// An engine whose endpoints, servers and users do what they should not, and how it ends.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/engine_run.h"
#include "tools/sink/self_signed.h"
#include <ringpost/engine.h>

namespace ringpost::engine::test {

namespace {

using namespace std::chrono_literals;
using sink::Count;
using sink::ListenerKind;

// A socket that is bound, so that nobody else takes its port. It may listen, and never accepts.
class BoundSocket {
 public:
  explicit BoundSocket(bool listening) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(descriptor_, generic, length) == 0);
    REQUIRE(::getsockname(descriptor_, generic, &length) == 0);
    port_ = ntohs(address.sin_port);
    if (listening) {
      REQUIRE(::listen(descriptor_, 64) == 0);
    }
  }
  ~BoundSocket() { ::close(descriptor_); }
  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

EndpointOptions plain_endpoint(std::uint16_t port) {
  EndpointOptions endpoint;
  endpoint.name = "plain";
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  endpoint.security = TransportSecurity::none;
  endpoint.client_name = "client.example";
  return endpoint;
}

// Every job is unsent, at this stage and for a reason that says so; the endpoint was given up.
void check_given_up(const Engine& engine, const std::vector<TestJob>& jobs,
                    const Deliveries& deliveries, Stage stage, const std::string& words) {
  check_each_once(jobs, deliveries);
  const std::vector<EndpointFailure> failures = engine.endpoint_failures();
  REQUIRE(failures.size() == 1);
  INFO(failures[0].message);
  CHECK(failures[0].stage == name_of(stage));
  CHECK(failures[0].message.find(words) != std::string::npos);
  for (const Told& delivery : deliveries.all()) {
    INFO(delivery.id << ": " << delivery.reason << " " << delivery.text);
    REQUIRE(delivery.status == Status::unsent);
    REQUIRE(delivery.stage == stage);
    REQUIRE(delivery.reason.find(words) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("engine: a wrong password is tried once by all cores, and nothing is sent") {
  TestSink sink;
  EndpointOptions endpoint = sink.endpoint(GENERATE(ListenerKind::starttls, ListenerKind::tls));
  endpoint.password = "wrong";
  endpoint.connections_max = 20;
  const std::vector<TestJob> jobs = small_jobs(500);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::auth, "user name or the password");
  CHECK(deliveries.all().front().code == 535);
  engine.reset();
  const sink::Tally tally = sink.stop();
  CHECK(tally[Count::auth_failed] == 1);
  CHECK(tally[Count::sessions] == 1);
  CHECK(tally[Count::messages_accepted] == 0);
}

TEST_CASE("engine: a certificate of an unknown authority ends it before any credentials") {
  TestSink sink;
  const ringpost::test::TemporaryFolder folder;
  const auto other = sink::make_self_signed({"127.0.0.1"}, 1);
  REQUIRE(other.has_value());
  EndpointOptions endpoint = sink.endpoint(GENERATE(ListenerKind::starttls, ListenerKind::tls));
  endpoint.ca_file = folder.write("other.pem", other->certificate_pem);
  const std::vector<TestJob> jobs = small_jobs(50);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::tls, "TLS failed");
  engine.reset();
  const sink::Tally tally = sink.stop();
  CHECK(tally[Count::sessions] == 1);
  CHECK(tally[Count::tls_sessions] == 0);
  CHECK(tally[Count::auth_failed] + tally[Count::auth_succeeded] == 0);
}

TEST_CASE("engine: a server without STARTTLS hears neither mail nor credentials") {
  TestSink sink([](sink::SinkOptions& options) { options.session.extensions.starttls = false; });
  const std::vector<TestJob> jobs = small_jobs(10);
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint(ListenerKind::starttls)}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::starttls, "does not offer STARTTLS");
  engine.reset();
  CHECK(sink.stop()[Count::messages_accepted] == 0);
}

TEST_CASE("engine: a port that refuses connections is tried as often as was said, with pauses") {
  const BoundSocket nobody(false);
  EndpointOptions endpoint = plain_endpoint(nobody.port());
  endpoint.connect_attempts_max = 3;
  const std::vector<TestJob> jobs = small_jobs(100);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  // 250 and 500 ms, a quarter less at least.
  CHECK(std::chrono::steady_clock::now() - begin >= 562ms);
  check_given_up(*engine, jobs, deliveries, Stage::connect, "Connection refused");
  CHECK(engine->statistics().sessions_opened == 3);
}

TEST_CASE("engine: a name that does not resolve ends it with a reason that says so") {
  EndpointOptions endpoint = plain_endpoint(25);
  endpoint.host = "no-such-host.invalid";
  endpoint.connect_attempts_max = 1;  // where there is no name server it may count as temporary
  const std::vector<TestJob> jobs = small_jobs(100);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::connect,
                 "\"no-such-host.invalid\" does not resolve");
  CHECK(engine->statistics().sessions_opened == 0);
}

TEST_CASE("engine: a server that takes connections and says nothing is given up in time") {
  const BoundSocket silent(true);
  EndpointOptions endpoint = plain_endpoint(silent.port());
  endpoint.command_timeout = 200ms;
  endpoint.connect_attempts_max = 2;
  const std::vector<TestJob> jobs = small_jobs(20);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::greeting, "no greeting in time");
}

TEST_CASE("engine: a server that never begins TLS is given up in time") {
  const BoundSocket silent(true);
  EndpointOptions endpoint = plain_endpoint(silent.port());
  endpoint.security = TransportSecurity::implicit;
  endpoint.tls_timeout = 200ms;
  endpoint.connect_attempts_max = 1;
  const std::vector<TestJob> jobs = small_jobs(20);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  check_given_up(*engine, jobs, deliveries, Stage::tls, "TLS handshake");
}

TEST_CASE("engine: one endpoint that fails leaves the other its share of what comes later") {
  TestSink sink;
  const BoundSocket nobody(false);
  EndpointOptions broken = plain_endpoint(nobody.port());
  broken.name = "broken";
  broken.connect_attempts_max = 1;
  Deliveries deliveries;
  auto engine = start(options_of({broken, sink.endpoint()}), deliveries);
  REQUIRE(submit(*engine, {{.id = "first", .endpoint = "broken"}}));
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.of("first").status == Status::unsent);
  const std::vector<TestJob> jobs = small_jobs(50);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  CHECK(deliveries.count(Status::accepted) == 50);
}

TEST_CASE("engine: sessions that the server ends after some messages lose and double nothing") {
  const std::uint64_t messages_per_session = GENERATE(1u, 2u, 7u);
  const auto kind = GENERATE(ListenerKind::plain, ListenerKind::starttls);
  const auto pipelining = GENERATE(PipeliningOption::off, PipeliningOption::automatic);
  CAPTURE(messages_per_session, kind, pipelining);
  TestSink sink(
      [&](sink::SinkOptions& options) { options.session.messages_max = messages_per_session; });
  EndpointOptions endpoint = sink.endpoint(kind);
  endpoint.pipelining = pipelining;
  const std::vector<TestJob> jobs = small_jobs(60);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  REQUIRE(engine->drain(in_good_time()));
  CHECK(engine->endpoint_failures().empty());
  engine.reset();
  const sink::Tally tally = sink.stop();
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) == jobs.size());
  CHECK(tally[Count::sessions] >= jobs.size() / messages_per_session);
}

TEST_CASE(
    "engine: sessions that a server ends for being idle are opened again when there is mail") {
  TestSink sink([](sink::SinkOptions& options) { options.idle_timeout = 300ms; });
  EndpointOptions endpoint = sink.endpoint();
  endpoint.connect_attempts_max = 15;
  endpoint.connections_max = 8;
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  for (int round = 0; round < 5; ++round) {
    REQUIRE(submit(*engine, small_jobs(40, "round" + std::to_string(round))));
    REQUIRE(engine->drain(in_good_time()));
    const Instant give_up_at = in_good_time();
    while (sink.tally()[Count::sessions_timed_out] < sink.tally()[Count::sessions] &&
           std::chrono::steady_clock::now() < give_up_at) {
      std::this_thread::sleep_for(5ms);
    }
  }
  CHECK(engine->endpoint_failures().empty());
  CHECK(deliveries.count(Status::accepted) == 200);
}

TEST_CASE("engine: a server that goes away in the middle leaves true outcomes") {
  TestSink sink(slow_replies);
  EndpointOptions endpoint =
      sink.slow_endpoint(GENERATE(ListenerKind::plain, ListenerKind::starttls));
  endpoint.connect_attempts_max = 2;
  const std::vector<TestJob> jobs = small_jobs(3000);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  std::thread submitting([&] { static_cast<void>(submit(*engine, jobs)); });
  deliveries.wait_for(20);
  static_cast<void>(sink.stop());
  submitting.join();
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) >= 20);
  CHECK(deliveries.count(Status::unsent) > 0);
}

// ---- Endings
// -------------------------------------------------------------------------------------

TEST_CASE("engine: stop_sending() finishes what is under way and sends nothing more") {
  TestSink sink(slow_replies);
  const EndpointOptions endpoint = sink.slow_endpoint(ListenerKind::starttls);
  std::vector<TestJob> jobs = small_jobs(slow_job_count);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  deliveries.wait_for(10);
  engine->stop_sending();
  REQUIRE(engine->drain(in_good_time()));
  const std::size_t accepted = deliveries.count(Status::accepted);
  const std::vector<TestJob> late = small_jobs(40, "late");
  REQUIRE(submit(*engine, late));
  REQUIRE(engine->drain(in_good_time()));
  wait_until_sessions_are_ready(*engine);
  engine.reset();
  const sink::Tally tally = sink.stop();
  jobs.insert(jobs.end(), late.begin(), late.end());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(accepted >= 10);
  CHECK(accepted < slow_job_count);
  CHECK(deliveries.count(Status::accepted) == accepted);
  CHECK(deliveries.count(Status::accepted) + deliveries.count(Status::unsent) == jobs.size());
  CHECK(deliveries.of("late-0").status == Status::unsent);
  CHECK(tally[Count::sessions_lost] == 0);
}

TEST_CASE("engine: abort() ends it now, with a verdict for everything") {
  TestSink sink(slow_replies);
  const EndpointOptions endpoint =
      sink.slow_endpoint(GENERATE(ListenerKind::starttls, ListenerKind::plain));
  const std::vector<TestJob> jobs = small_jobs(slow_job_count);
  Deliveries deliveries;
  auto engine = start(options_of({endpoint}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  deliveries.wait_for(10);
  engine->abort();
  CHECK_FALSE(submit(*engine, small_jobs(1, "late")));
  REQUIRE(engine->drain(in_good_time()));
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
  CHECK(deliveries.count(Status::accepted) >= 10);
  CHECK(deliveries.count(Status::unsent) > 0);
}

TEST_CASE("engine: abort() lets a submitter go that waits for room") {
  const BoundSocket silent(true);
  EngineOptions options = options_of({plain_endpoint(silent.port())});
  options.jobs_in_flight_max = 10;
  Deliveries deliveries;
  auto engine = start(std::move(options), deliveries);
  std::atomic<std::size_t> submitted{0};
  std::thread submitting([&] {
    Engine::Submitter submitter = engine->submitter();
    for (const TestJob& from : small_jobs(20)) {
      Message* const job = submitter.next();
      if (job == nullptr) {
        return;
      }
      fill(*job, from);
      static_cast<void>(submitter.submit());
      ++submitted;
    }
  });
  const Instant give_up_at = in_good_time();
  while (submitted.load() < 10 && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::yield();
  }
  engine->abort();
  submitting.join();
  REQUIRE(engine->drain(in_good_time()));
  CHECK(submitted.load() == 10);
  CHECK(deliveries.count(Status::unsent) == 10);
}

TEST_CASE(
    "engine: without drain() the destructor ends everything and delivers all outcomes first") {
  TestSink sink(slow_replies);
  const auto kind = GENERATE(ListenerKind::starttls, ListenerKind::plain);
  const std::size_t wait_for = GENERATE(0u, 1u, 30u);
  const std::vector<TestJob> jobs = small_jobs(slow_job_count);
  Deliveries deliveries;
  auto engine = start(options_of({sink.slow_endpoint(kind)}, 2), deliveries);
  REQUIRE(submit(*engine, jobs));
  deliveries.wait_for(wait_for);
  engine.reset();
  static_cast<void>(sink.stop());
  check_each_once(jobs, deliveries);
  check_records(jobs, deliveries, sink.record());
}

TEST_CASE("engine: it can be destroyed while a name is looked up, or a connection made") {
  const BoundSocket silent(true);
  for (int round = 0; round < 30; ++round) {
    EndpointOptions endpoint = plain_endpoint(silent.port());
    endpoint.host = round % 2 == 0 ? "no-such-host.invalid" : "127.0.0.1";
    Deliveries deliveries;
    auto engine = start(options_of({endpoint}, 2), deliveries);
    REQUIRE(submit(*engine, small_jobs(5)));
    if (round % 3 == 0) {
      std::this_thread::yield();
    }
    engine.reset();
    CHECK(deliveries.count() == 5);
  }
}

TEST_CASE("engine: one that was never used goes quietly") {
  TestSink sink;
  for (int round = 0; round < 20; ++round) {
    Deliveries deliveries;
    auto engine = start(options_of({sink.endpoint(ListenerKind::tls)}, 2), deliveries);
    if (round % 2 == 0) {
      engine->abort();
    }
    engine.reset();
    CHECK(deliveries.count() == 0);
  }
  CHECK(sink.stop()[Count::sessions] == 0);
}

TEST_CASE("engine: orders only ever become stricter") {
  TestSink sink;
  Deliveries deliveries;
  auto engine = start(options_of({sink.endpoint()}), deliveries);
  engine->abort();
  engine->stop_sending();
  engine->abort();
  CHECK_FALSE(submit(*engine, small_jobs(1)));
  CHECK(engine->drain(in_good_time()));
}

// ---- Options
// -------------------------------------------------------------------------------------

TEST_CASE("engine: options that make no sense are refused in words") {
  const ringpost::test::TemporaryFolder folder;
  EngineOptions options = options_of({plain_endpoint(25)});
  EndpointOptions& endpoint = options.endpoints[0];
  std::string words;
  SECTION("no endpoint") {
    options.endpoints.clear();
    words = "no endpoint was given";
  }
  SECTION("one name twice") {
    options.endpoints.push_back(options.endpoints[0]);
    words = "endpoint \"plain\": two endpoints have this name";
  }
  SECTION("no cores") {
    options.cores = 0;
    words = "cores";
  }
  SECTION("no host") {
    endpoint.host.clear();
    words = "endpoint \"plain\": no host";
  }
  SECTION("no port") {
    endpoint.port = 0;
    words = "endpoint \"plain\": no port";
  }
  SECTION("no connections") {
    endpoint.connections_max = 0;
    words = "at least one connection";
  }
  SECTION("no jobs in flight, which would wait for ever") {
    options.jobs_in_flight_max = 0;
    words = "in flight";
  }
  SECTION("no octets in flight, which would too") {
    options.job_bytes_in_flight_max = 0;
    words = "in flight";
  }
  SECTION("a line break in what goes onto the wire") {
    const auto field = GENERATE(&EndpointOptions::host, &EndpointOptions::client_name);
    endpoint.*field += "\r\nQUIT";
    words = "line break";
  }
  SECTION("credentials without TLS") {
    endpoint.username = "somebody";
    words = "credentials are not sent without TLS";
  }
  SECTION("a CA file that is not there") {
    endpoint.security = TransportSecurity::starttls;
    endpoint.ca_file = folder.path("missing.pem");
    words = "missing.pem";
  }
  Deliveries deliveries;
  const auto engine = Engine::start(options, deliveries.callback());
  REQUIRE_FALSE(engine.has_value());
  INFO(engine.error().message);
  CHECK(engine.error().message.find(words) != std::string::npos);
  CHECK(deliveries.count() == 0);
}

}  // namespace ringpost::engine::test
