#include <limits>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/config.h>

namespace ringpost {

namespace {

EngineOptions with_endpoint(std::uint32_t connections, PipeliningOption pipelining,
                            std::uint32_t messages = 0) {
  EndpointOptions endpoint;
  endpoint.connections_max = connections;
  endpoint.pipelining = pipelining;
  endpoint.messages_in_flight_max = messages;
  EngineOptions options;
  options.endpoints.push_back(endpoint);
  options.jobs_in_flight_max = 100'000;
  return options;
}

}  // namespace

TEST_CASE("config: active jobs are what the sessions can have in flight, and as many again") {
  using enum PipeliningOption;
  const std::size_t flight = limits::flight_messages_max;
  CHECK(jobs_active_max(with_endpoint(100, automatic)) == 200 * flight);
  CHECK(jobs_active_max(with_endpoint(100, automatic, 16)) == 3200);
  CHECK(jobs_active_max(with_endpoint(10'000, off)) == 20'000);
  CHECK(jobs_active_max(with_endpoint(10'000, within, 16)) == 20'000);
  // A few sessions leave room for jobs that wait for others.
  CHECK(jobs_active_max(with_endpoint(1, off)) == 256);

  EngineOptions two = with_endpoint(100, automatic);
  two.endpoints.push_back(two.endpoints.front());
  CHECK(jobs_active_max(two) == 400 * flight);
  two.jobs_in_flight_max = 1000;
  CHECK(jobs_active_max(two) == 1000);
}

TEST_CASE("config: numbers that mean nothing are named") {
  EngineOptions options = with_endpoint(1, PipeliningOption::automatic);
  EndpointOptions& endpoint = options.endpoints.front();
  endpoint.name = "esp";
  endpoint.host = "mx.example";
  endpoint.port = 587;
  REQUIRE(first_mistake(options).empty());
  for (const RateWindow window : {RateWindow{0, std::chrono::seconds(1)}, RateWindow{1, {}}}) {
    endpoint.rates = {{QuotaUnit::messages, QuotaPeriod::second, window}};
    CHECK(first_mistake(options).find("\"esp\": a rate is one unit") != std::string::npos);
  }
  endpoint.rates = {messages_per_second(1), messages_per_second(2)};
  CHECK(first_mistake(options).find("two rates of the same unit") != std::string::npos);
  endpoint.rates = {{QuotaUnit::recipients, QuotaPeriod::second, {1, std::chrono::seconds(2)}},
                    messages_per_second(2)};
  CHECK(first_mistake(options).empty());
  endpoint.recipients_max = 0;
  CHECK(first_mistake(options).find("one recipient") != std::string::npos);
  endpoint.recipients_max = 1;
  endpoint.attempts_max = 0;
  CHECK(first_mistake(options).find("one attempt") != std::string::npos);
}

}  // namespace ringpost
