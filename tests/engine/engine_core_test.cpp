// Goal: what an engine decides about jobs and endpoints as a whole holds at every step, which no
// test on threads can look at. Method: two workers on machines without a kernel, turned by hand
// around one core; nothing here waits, and time passes when a test says so.
#include "engine/engine_core.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/fake_io.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;
using Way = EngineCore::Feeder::Way;

constexpr std::int64_t time_of_refusals_us = 1'234'567;

EndpointOptions plain_endpoint(const std::string& name) {
  EndpointOptions endpoint;
  endpoint.name = name;
  endpoint.host = name + ".example";
  endpoint.security = TransportSecurity::none;
  endpoint.client_name = "client.example";
  endpoint.pipelining = PipeliningOption::off;
  endpoint.connections_max = 2;
  endpoint.attempts_max = 1;
  return endpoint;
}

EngineOptions plain_options() {
  EngineOptions options;
  options.endpoints = {plain_endpoint("one")};
  options.cores = 2;
  options.jobs_in_flight_max = 100;
  return options;
}

EngineLimits limits_of(const EngineOptions& options, std::size_t deliveries_per_push_max) {
  EngineLimits limits = engine_limits(options);
  limits.deliveries_per_push_max = deliveries_per_push_max;
  return limits;
}

// A core, and an engine's surroundings on one thread.
class Stepped {
 public:
  explicit Stepped(const EngineOptions& options = plain_options(), std::size_t push_max = 1)
      : core(options, parts(), limits_of(options, push_max)), feeder(core, {}) {
    for (std::uint32_t i = 0; i < options.cores; ++i) {
      auto endpoints = core.worker_endpoints(i);
      REQUIRE(endpoints);
      Driven& driven = *driven_.emplace_back(std::make_unique<Driven>(server));
      driven.worker =
          std::make_unique<Worker>(driven.io, std::move(*endpoints), core.outcomes(i), core.order(),
                                   driven.stats, core.worker_options(driven.io.now()));
    }
  }
  ~Stepped() {
    finish();
    feeder.close();
  }
  Stepped(const Stepped&) = delete;
  Stepped& operator=(const Stepped&) = delete;

  Way submit(const std::string& id, std::uint32_t recipients = 1,
             const std::string& endpoint = "") {
    Consignment* const at_hand = feeder.try_next();
    REQUIRE(at_hand != nullptr);
    Message& message = at_hand->message;
    message.id = id;
    message.sender = "sender@a.example";
    message.endpoint = endpoint;
    for (std::uint32_t i = 0; i < recipients; ++i) {
      message.recipients.add("r" + std::to_string(i) + "@b.example");
    }
    REQUIRE(ContentMaker().assign(message.content, "X-Id: " + id + "\r\n\r\nHello.\r\n"));
    return feeder.submit(driven_.front()->io.now());
  }

  // Turns both until nothing is under way; time stands still unless something is due within `time`.
  void run(Duration time = 0s) {
    constexpr int turns_max = 10'000;
    for (const auto& driven : driven_) {
      driven->io.clock_stops_at = driven->io.now() + time;
      for (int turns = 0; !driven->over; ++turns) {
        REQUIRE(turns < turns_max);
        driven->over = !driven->worker->turn();
        if (driven->io.asleep()) {
          break;
        }
      }
    }
  }

  // As the destructor of an Engine.
  void finish() {
    core.give(WorkerOrder::abort);
    run();
    core.give(WorkerOrder::finish);
    run(1h);
  }
  [[nodiscard]] bool is_over() const {
    return std::all_of(driven_.begin(), driven_.end(), [](const auto& one) { return one->over; });
  }

  // All that is to be told, and given back.
  std::map<std::string, std::vector<Status>> tell() {
    std::map<std::string, std::vector<Status>> told;
    std::array<OutcomeView, 4> views;
    for (std::size_t count = core.take_decided(views); count > 0;
         count = core.take_decided(views)) {
      for (std::size_t i = 0; i < count; ++i) {
        told[views[i].message->id].push_back(views[i].outcome->status);
        ++told_of[views[i].outcome->endpoint];
        reasons[views[i].message->id] = views[i].outcome->reason;
      }
    }
    core.give_back_told();
    return told;
  }

  // The server ends its silence on whichever session it is.
  void say_everywhere(const std::string& reply) {
    for (const auto& driven : driven_) {
      for (const FakeSession& session : driven->io.sessions()) {
        if (session.busy) {
          driven->io.say(session.handle, {reply, false});
        }
      }
    }
  }
  [[nodiscard]] std::uint64_t messages() const {
    std::uint64_t count = 0;
    for (const auto& driven : driven_) {
      count += driven->stats.messages.get();
    }
    return count;
  }
  [[nodiscard]] std::size_t sessions() const {
    std::size_t count = 0;
    for (const auto& driven : driven_) {
      count += driven->io.sessions().size();
    }
    return count;
  }

  ringpost::test::FakeServer server;
  int wakes = 0;
  std::map<std::uint32_t, int> told_of;        // outcomes by endpoint
  std::map<std::string, std::string> reasons;  // the latest of each job

 private:
  struct Driven {
    explicit Driven(ringpost::test::FakeServer& with) : io(with) {}
    ringpost::test::FakeIo io;
    WorkerStats stats;
    std::unique_ptr<Worker> worker;
    bool over = false;
  };

  EngineCore::Parts parts() {
    EngineCore::Parts parts;
    parts.resolve = [](const std::string&, std::uint16_t port, const io::Resolver::Callback& done) {
      done(std::vector{*io::address_of_literal("192.0.2.1", port)});
    };
    parts.wake = [this] {
      ++wakes;
      for (const auto& driven : driven_) {
        driven->io.wake();
      }
    };
    parts.clock = [this] { return driven_.front()->io.now(); };
    parts.unix_time_us = [] { return time_of_refusals_us; };
    return parts;
  }

 public:
  EngineCore core;
  EngineCore::Feeder feeder;

 private:
  std::vector<std::unique_ptr<Driven>> driven_;
};

using Told = std::map<std::string, std::vector<Status>>;

}  // namespace

TEST_CASE("engine core: a job of which nothing is sent asks for no endpoint") {
  Stepped stepped;
  Consignment* const job = stepped.feeder.try_next();
  REQUIRE(job != nullptr);
  job->message.id = "decided";
  job->message.sender = "sender@a.example";
  job->message.endpoint = "one that is gone";
  job->message.recipients.add("r@b.example");
  job->fates = {PriorFate::in_doubt};
  CHECK(stepped.feeder.submit({}) == Way::to_outcomes);
  CHECK(stepped.tell()["decided"] == std::vector{Status::unknown});
  CHECK(stepped.submit("left", 1, "one that is gone") == Way::to_outcomes);
  CHECK(stepped.tell()["left"] == std::vector{Status::invalid});
}

TEST_CASE("engine core: shares of an endpoint's connections add up, and are as even as can be") {
  EngineOptions options = plain_options();
  options.cores = GENERATE(1u, 2u, 3u, 8u);
  options.endpoints.front().connections_max = GENERATE(1u, 2u, 7u, 16u);
  EngineCore core(options, {});
  std::uint32_t sum = 0;
  std::uint32_t least = ~0u;
  std::uint32_t most = 0;
  for (std::uint32_t i = 0; i < options.cores; ++i) {
    const auto endpoints = core.worker_endpoints(i);
    REQUIRE(endpoints);
    REQUIRE(endpoints->size() == 1);
    const std::uint32_t share = endpoints->front().limits.connections_max;
    sum += share;
    least = std::min(least, share);
    most = std::max(most, share);
  }
  CHECK(sum == options.endpoints.front().connections_max);
  CHECK(most - least <= 1);
}

TEST_CASE("engine core: jobs that wait for another attempt are half of those in flight at most") {
  EngineOptions options = plain_options();
  options.endpoints.push_back(plain_endpoint("two"));
  options.jobs_in_flight_max = 100;
  options.job_bytes_in_flight_max = 8'000;
  CHECK(engine_limits(options).retry_messages_max == 12);  // of each of four routes
  CHECK(engine_limits(options).retry_bytes_max == 1'000);
  options.jobs_in_flight_max = 2;
  CHECK(engine_limits(options).retry_messages_max == 1);
}

TEST_CASE("engine core: a file of certificates that is not there is told with its endpoint") {
  EngineOptions options = plain_options();
  options.endpoints.front().security = TransportSecurity::starttls;
  options.endpoints.front().ca_file = "/nowhere/ca.pem";
  EngineCore core(options, {});
  const auto endpoints = core.worker_endpoints(0);
  REQUIRE_FALSE(endpoints);
  CHECK(endpoints.error().message.starts_with("endpoint \"one\": "));
}

TEST_CASE("engine core: a run ends by its deadline, or has none") {
  EngineOptions options = plain_options();
  const Instant start{1h};
  CHECK(EngineCore(options, {}).worker_options(start).deadline == never);
  options.deadline = 5s;
  options.deadline_drain = 2s;
  EngineCore core(options, {});
  const WorkerOptions worker = core.worker_options(start);
  CHECK(worker.deadline == start + 5s);
  CHECK(worker.deadline_drain == 2s);
  CHECK(worker.pool == &core.pool());
}

TEST_CASE("engine core: jobs gather until there are enough for a wake-up, or until flush()") {
  Stepped stepped(plain_options(), 3);
  CHECK(stepped.submit("a") == Way::gathered);
  CHECK(stepped.submit("b") == Way::gathered);
  stepped.run();
  CHECK(stepped.sessions() == 0);  // nobody has seen them
  CHECK(stepped.submit("c") == Way::to_workers);
  CHECK_FALSE(stepped.feeder.flush());
  CHECK(stepped.submit("d") == Way::gathered);
  stepped.run();
  const std::vector<Status> accepted = {Status::accepted};
  CHECK(stepped.tell() == Told{{"a", accepted}, {"b", accepted}, {"c", accepted}});
  CHECK(stepped.feeder.flush());
  CHECK_FALSE(stepped.feeder.flush());
  stepped.run();
  CHECK(stepped.tell() == Told{{"d", accepted}});
}

TEST_CASE("engine core: the job at hand stays the same, and goes back when the feeder closes") {
  Stepped stepped(plain_options(), 3);
  Consignment* const job = stepped.feeder.try_next();
  CHECK(stepped.feeder.try_next() == job);
  CHECK(stepped.core.pool().messages_out() == 1);
  CHECK_FALSE(stepped.feeder.close());
  CHECK(stepped.core.pool().messages_out() == 0);
  CHECK(stepped.submit("a") == Way::gathered);
  CHECK(stepped.feeder.try_next() != nullptr);
  CHECK(stepped.feeder.close());
  CHECK(stepped.core.pool().messages_out() == 1);
  stepped.run();
  CHECK(stepped.tell().size() == 1);
}

TEST_CASE("engine core: without room there is no next job until one was told of") {
  EngineOptions options = plain_options();
  options.jobs_in_flight_max = 2;
  Stepped stepped(options);
  CHECK(stepped.submit("a") == Way::to_workers);
  CHECK(stepped.submit("b") == Way::to_workers);
  CHECK(stepped.feeder.try_next() == nullptr);
  stepped.run();
  CHECK(stepped.feeder.try_next() == nullptr);
  CHECK(stepped.tell().size() == 2);
  CHECK(stepped.feeder.try_next() != nullptr);
}

TEST_CASE("engine core: a job goes back when its last recipient was told of, and not before") {
  Stepped stepped;
  std::array<OutcomeView, 2> views;
  CHECK(stepped.core.take_decided(views) == 0);
  CHECK(stepped.submit("three", 3) == Way::to_workers);
  stepped.run();
  CHECK(stepped.core.take_decided(views) == 2);
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 1);  // one recipient is left
  CHECK(stepped.core.take_decided(views) == 1);
  CHECK(stepped.core.pool().messages_out() == 1);  // he is being told of
  CHECK(views[0].message->id == "three");
  CHECK(stepped.core.take_decided(views) == 0);
  CHECK(stepped.core.pool().messages_out() == 1);  // and the teller has not said that he is done
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
}

TEST_CASE("engine core: a message to many goes in deliveries of what its endpoint takes") {
  EngineOptions options = plain_options();
  options.endpoints.front().recipients_max = 3;
  Stepped stepped(options);
  CHECK(stepped.submit("many", 40) == Way::to_workers);
  CHECK(stepped.core.pool().messages_out() == 1);
  stepped.run();
  std::array<OutcomeView, 4> views;
  std::vector<int> told(40);
  for (std::size_t count = stepped.core.take_decided(views); count > 0;
       count = stepped.core.take_decided(views)) {
    CHECK(stepped.core.pool().messages_out() == 1);
    for (const OutcomeView& view : std::span(views).first(count)) {
      CHECK(view.recipient() == "r" + std::to_string(view.recipient_index) + "@b.example");
      CHECK(view.outcome->status == Status::accepted);
      ++told[view.recipient_index];
    }
  }
  CHECK(told == std::vector<int>(40, 1));
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
}

TEST_CASE("engine core: of a message that a run was killed with, each recipient has his own fate") {
  EngineOptions options = plain_options();
  options.endpoints.front().recipients_max = 2;
  Stepped stepped(options);
  using enum PriorFate;
  Consignment* const job = stepped.feeder.try_next();
  job->fates = {done, has_it, none, in_doubt, in_doubt, in_doubt, resend_apart, none, has_it, none};
  CHECK(stepped.submit("many", 10) == Way::to_workers);
  stepped.run();
  std::array<OutcomeView, 4> views;
  std::map<std::uint32_t, Status> told;
  for (std::size_t count = stepped.core.take_decided(views); count > 0;
       count = stepped.core.take_decided(views)) {
    for (const OutcomeView& view : std::span(views).first(count)) {
      CHECK(told.emplace(view.recipient_index, view.outcome->status).second);
    }
  }
  CHECK(told == std::map<std::uint32_t, Status>{{2, Status::accepted},
                                                {3, Status::unknown},
                                                {4, Status::unknown},
                                                {5, Status::unknown},
                                                {6, Status::accepted},
                                                {7, Status::accepted},
                                                {9, Status::accepted}});
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
  // In doubt and not sent again, sent apart, or never heard of: transactions of their own.
  CHECK(stepped.messages() == 4);
}

TEST_CASE("engine core: who is left out is told so with his reason, and nothing goes to him") {
  Stepped stepped;
  using enum PriorFate;
  Consignment* job = stepped.feeder.try_next();
  job->fates = {none, left_out, has_it, left_out, in_doubt};
  job->left_out = {{1, "on the list"}, {3, "for the second time"}};
  CHECK(stepped.submit("some", 5) == Way::to_workers);
  stepped.run();
  job = stepped.feeder.try_next();
  job->fates = {left_out};
  job->left_out = {{0, "nobody wants it"}};
  CHECK(stepped.submit("none", 1) == Way::to_outcomes);
  std::array<OutcomeView, 2> views;
  std::map<std::string, Status> told;
  for (std::size_t count = stepped.core.take_decided(views); count > 0;
       count = stepped.core.take_decided(views)) {
    for (const OutcomeView& view : std::span(views).first(count)) {
      const Outcome& outcome = *view.outcome;
      const std::string why = outcome.status == Status::skipped ? " " + outcome.reason : "";
      CHECK(told.emplace(view.message->id + std::to_string(view.recipient_index) + why,
                         outcome.status)
                .second);
      CHECK((outcome.status != Status::skipped || outcome.attempts == 0));
    }
  }
  CHECK(told == std::map<std::string, Status>{{"some0", Status::accepted},
                                              {"some1 on the list", Status::skipped},
                                              {"some3 for the second time", Status::skipped},
                                              {"some4", Status::unknown},
                                              {"none0 nobody wants it", Status::skipped}});
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
  CHECK(stepped.messages() == 1);
}

TEST_CASE("engine core: a refused message to a million has one outcome, told a million times") {
  Stepped stepped;
  Consignment* const job = stepped.feeder.try_next();
  job->message.id = "huge";
  constexpr std::size_t count = 1'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    job->message.recipients.add("r@b.example");
  }
  job->fates.assign(count, PriorFate::none);
  job->fates[5] = PriorFate::has_it;
  job->fates[7] = PriorFate::in_doubt;
  CHECK(stepped.feeder.refuse("too many") == Way::to_outcomes);
  CHECK(job->first.recipients.size() <= 16);
  std::array<OutcomeView, 256> views;
  std::map<Status, std::size_t> told;
  for (std::size_t shown = stepped.core.take_decided(views); shown > 0;
       shown = stepped.core.take_decided(views)) {
    for (const OutcomeView& view : std::span(views).first(shown)) {
      ++told[view.outcome->status];
      REQUIRE((view.outcome->status == Status::unknown) == (view.recipient_index == 7));
      REQUIRE(view.recipient_index != 5);
    }
  }
  CHECK(told == std::map<Status, std::size_t>{{Status::invalid, count - 2}, {Status::unknown, 1}});
  stepped.core.give_back_told();
  CHECK(stepped.core.pool().messages_out() == 0);
}

TEST_CASE("engine core: while there is more to tell, jobs that are done with go back meanwhile") {
  Stepped stepped;
  for (const char* const id : {"a", "b", "c"}) {
    CHECK(stepped.submit(id) == Way::to_workers);
  }
  stepped.run();
  std::array<OutcomeView, 1> view;
  for (std::size_t out = 3; out > 0; --out) {
    CHECK(stepped.core.take_decided(view) == 1);
    CHECK(stepped.core.pool().messages_out() == out);
  }
  CHECK(stepped.core.take_decided(view) == 0);
  CHECK(stepped.core.pool().messages_out() == 1);
}

TEST_CASE("engine core: what cannot be sent is told at once, and no worker hears of it") {
  Stepped stepped;
  Consignment* job = stepped.feeder.try_next();
  job->message.id = "refused";
  CHECK(stepped.feeder.refuse("no such field") == Way::to_outcomes);
  CHECK(stepped.submit("nobody", 0) == Way::to_outcomes);
  CHECK(stepped.submit("elsewhere", 2, "three") == Way::to_outcomes);
  job = stepped.feeder.try_next();
  job->message.id = "over";
  job->message.recipients.add("r@b.example");
  job->fates = {PriorFate::in_doubt};
  CHECK(stepped.feeder.submit(Instant{1h}) == Way::to_outcomes);
  stepped.run();
  CHECK(stepped.sessions() == 0);
  const Told told = stepped.tell();
  CHECK(told == Told{{"refused", {Status::invalid}},
                     {"nobody", {Status::invalid}},
                     {"elsewhere", {Status::invalid, Status::invalid}},
                     {"over", {Status::unknown}}});
  CHECK(stepped.reasons["refused"] == "no such field");
  CHECK(stepped.reasons["elsewhere"] == "endpoint: no endpoint is named \"three\"");
  CHECK(stepped.core.pool().messages_out() == 0);
}

TEST_CASE("engine core: a refused job bears the time of its refusal") {
  Stepped stepped;
  static_cast<void>(stepped.feeder.try_next());
  CHECK(stepped.feeder.refuse("no such field") == Way::to_outcomes);
  std::array<OutcomeView, 1> view;
  REQUIRE(stepped.core.take_decided(view) == 1);
  CHECK(view[0].outcome->timestamp_us == time_of_refusals_us);
}

TEST_CASE("engine core: jobs that name no endpoint go by weight, each step of the way") {
  EngineOptions options = plain_options();
  options.endpoints.push_back(plain_endpoint("two"));
  options.endpoints.front().weight = 3;
  Stepped stepped(options);
  for (int i = 1; i <= 5; ++i) {
    for (int k = 0; k < 4; ++k) {
      CHECK(stepped.submit("j") == Way::to_workers);
    }
    CHECK(stepped.submit("to-two", 1, "two") == Way::to_workers);
    stepped.run();
    static_cast<void>(stepped.tell());
    CHECK(stepped.told_of == std::map<std::uint32_t, int>{{0, 3 * i}, {1, 2 * i}});
  }
}

TEST_CASE("engine core: stopped in the middle, what is under way ends and all else is unsent") {
  Stepped stepped;
  stepped.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("") : ordinary;  // it takes its time over each message
  };
  for (int i = 0; i < 6; ++i) {
    CHECK(stepped.submit("j" + std::to_string(i)) == Way::to_workers);
  }
  stepped.run();
  CHECK(stepped.tell().empty());
  const std::size_t under_way = stepped.sessions();
  REQUIRE(under_way > 0);
  REQUIRE(under_way < 6);

  stepped.core.give(WorkerOrder::stop_sending);
  stepped.run();
  const Told unsent = stepped.tell();
  CHECK(unsent.size() == 6 - under_way);
  for (const auto& [id, told] : unsent) {
    CHECK(told == std::vector{Status::unsent});
  }
  CHECK(stepped.core.pool().messages_out() == under_way);

  // Nor is one that comes too late, which is told all the same.
  CHECK(stepped.submit("late") == Way::to_workers);
  stepped.run();
  CHECK(stepped.tell() == Told{{"late", {Status::unsent}}});

  stepped.server.answer = nullptr;
  stepped.say_everywhere("250 OK\r\n");
  stepped.run();
  const Told accepted = stepped.tell();
  CHECK(accepted.size() == under_way);
  for (const auto& [id, told] : accepted) {
    CHECK(told == std::vector{Status::accepted});
  }
  CHECK(stepped.core.pool().messages_out() == 0);
  CHECK_FALSE(stepped.is_over());
  stepped.finish();
  CHECK(stepped.is_over());
}

TEST_CASE("engine core: aborted in the middle, whoever's end of data has left is unknown") {
  Stepped stepped;
  stepped.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("") : ordinary;
  };
  for (int i = 0; i < 6; ++i) {
    CHECK(stepped.submit("j" + std::to_string(i), 2) == Way::to_workers);
  }
  stepped.run();
  const std::size_t under_way = stepped.sessions();
  stepped.core.give(WorkerOrder::abort);
  stepped.run();
  const Told told = stepped.tell();
  CHECK(told.size() == 6);
  const auto count = [&](Status status) {
    return static_cast<std::size_t>(std::count_if(told.begin(), told.end(), [&](const auto& one) {
      return one.second == std::vector{status, status};
    }));
  };
  CHECK(count(Status::unknown) == under_way);
  CHECK(count(Status::unsent) == 6 - under_way);
  CHECK(stepped.core.pool().messages_out() == 0);
}

TEST_CASE("engine core: an order wakes workers when it is news, and a smaller one is none") {
  Stepped stepped;
  const int before = stepped.wakes;
  stepped.core.give(WorkerOrder::stop_sending);
  CHECK(stepped.wakes == before + 1);
  stepped.core.give(WorkerOrder::stop_sending);
  stepped.core.give(WorkerOrder::run);
  CHECK(stepped.wakes == before + 1);
  CHECK(stepped.core.order().load() == WorkerOrder::stop_sending);
  stepped.core.give(WorkerOrder::abort);
  CHECK(stepped.wakes == before + 2);
  stepped.core.give(WorkerOrder::stop_sending);
  CHECK(stepped.core.order().load() == WorkerOrder::abort);
}

TEST_CASE("engine core: while sending is held jobs wait, and go when it is held no more") {
  Stepped stepped;
  stepped.core.hold_sending(true);
  CHECK(stepped.submit("a") == Way::to_workers);
  stepped.run(1s);
  CHECK(stepped.tell().empty());
  stepped.core.hold_sending(false);
  stepped.run(1s);
  CHECK(stepped.tell() == Told{{"a", {Status::accepted}}});
}

TEST_CASE("engine core: the token of an endpoint is asked for by its number") {
  EngineOptions options = plain_options();
  EndpointOptions with_token = plain_endpoint("two");
  with_token.security = TransportSecurity::starttls;
  with_token.username = "alice";
  with_token.read_token = [] { return AccessToken{"token"}; };
  options.endpoints.push_back(with_token);
  std::vector<std::size_t> asked;
  EngineCore::Parts parts;
  parts.resolve = [](const std::string&, std::uint16_t, const io::Resolver::Callback&) {};
  parts.read_token = [&](std::size_t endpoint, const std::function<void(TokenResult)>&) {
    asked.push_back(endpoint);
  };
  EngineCore core(options, parts);
  auto endpoints = core.worker_endpoints(0);
  REQUIRE(endpoints);
  static_cast<void>((*endpoints)[1].gate->ask(Instant{1h}));
  CHECK(asked == std::vector<std::size_t>{1});
}

}  // namespace ringpost::engine
