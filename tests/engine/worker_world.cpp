#include "tests/engine/worker_world.h"

#include <array>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/mail.h"
#include "tests/support/shown.h"

namespace ringpost::engine::test {

namespace {

EndpointOptions endpoint_of(const WorldOptions& options) {
  EndpointOptions endpoint;
  endpoint.name = "fake";
  endpoint.host = "fake.example";
  endpoint.security = TransportSecurity::none;
  endpoint.connections_max = options.connections_max;
  endpoint.connections_grow = options.connections_grow;
  endpoint.rates = options.rates;
  endpoint.recipients_max = options.recipients_max;
  endpoint.attempts_max = options.attempts_max;
  endpoint.connect_attempts_max = options.connect_attempts_max;
  endpoint.patience = options.patience;
  return endpoint;
}

std::vector<WorkerEndpoint> worker_endpoints(const WorldOptions& options, EndpointGate& gate,
                                             queue::DeliveryQueue& deliveries) {
  WorkerEndpoint endpoint;
  endpoint.gate = &gate;
  endpoint.deliveries = &deliveries;
  endpoint.session.client_name = "client.example";
  endpoint.session.tls_mode = protocol::TlsMode::none;
  endpoint.session.pipelining = options.pipelining;
  endpoint.session.recipients_max = options.recipients_max;
  endpoint.session.timeouts.command = options.command_timeout;
  endpoint.session.timeouts.greeting = options.command_timeout;
  endpoint.stats = options.stats;
  endpoint.limits.connections_max = options.connections_max;
  endpoint.limits.sockets_max = options.sockets_max;
  endpoint.limits.retry_messages_max = options.retry_messages_max;
  std::vector<WorkerEndpoint> endpoints;
  endpoints.push_back(std::move(endpoint));
  return endpoints;
}

}  // namespace

World::World(const WorldOptions& options)
    : endpoint(endpoint_of(options)),
      gate(
          endpoint,
          [literals = options.addresses](std::string, std::uint16_t port,
                                         io::Resolver::Callback callback) {
            std::vector<io::SocketAddress> addresses;
            for (const std::string& literal : literals) {
              addresses.push_back(*io::address_of_literal(literal, port));
            }
            callback(std::move(addresses));
          },
          [this] { io.wake(); }, [this] { return io.now(); }),
      worker(io, worker_endpoints(options, gate, jobs_), outcomes_, order_, stats,
             {.deadline = options.deadline == Duration::max() ? never : io.now() + options.deadline,
              .cancellations = &cancellations_}) {
  gate.learn(ringpost::test::shown(options.shown));
}

// A worker is destroyed when all its connections have ended, as the engine does it.
World::~World() {
  if (!over_) {
    order_.store(WorkerOrder::abort);
    turn_until_asleep();
    order_.store(WorkerOrder::finish);
    turn_until_asleep();
  }
}

Consignment& World::add_job(std::string id, const std::vector<std::string>& recipients) {
  Consignment& message = store_.emplace_back();
  ringpost::test::MailText text;
  text.content = "X-Id: " + id + "\r\n\r\nHello.\r\n";
  text.id = std::move(id);
  text.recipients = recipients;
  ringpost::test::fill(message, text);
  return message;
}

void World::push(const std::vector<Consignment*>& messages) {
  std::vector<Delivery*> deliveries;
  for (Consignment* const message : messages) {
    for (std::size_t i = 0; i < message->delivery_count(); ++i) {
      deliveries.push_back(&message->delivery(i));
      deliveries.back()->submitted_at = io.now();
    }
  }
  producer_.push(deliveries);
  if (worker.parked().exchange(false)) {
    io.wake();
  }
}

Consignment& World::submit(std::string id, const std::vector<std::string>& recipients) {
  Consignment& message = add_job(std::move(id), recipients);
  push({&message});
  return message;
}

void World::cancel(Cancellation& cancellation) {
  cancellation.cancel();
  ++cancellations_;
  io.wake();
}

void World::turn_until_asleep() {
  // A worker that never comes to rest spins: that is a bug of its own.
  constexpr int turns_max = 100'000;
  for (int turns = 0; turns < turns_max; ++turns) {
    over_ = !worker.turn();
    if (over_ || io.asleep()) {
      return;
    }
  }
  FAIL("the worker does not come to rest");
}

void World::run() {
  io.clock_stops_at = never;
  turn_until_asleep();
}

void World::run_for(Duration duration) {
  io.clock_stops_at = io.now() + duration;
  turn_until_asleep();
}

void World::give(WorkerOrder wanted) {
  order_.store(wanted);
  io.wake();
}

void World::collect() {
  std::array<queue::DecidedRecipients, 64> taken;
  for (std::size_t count = outcomes_.take(taken); count > 0; count = outcomes_.take(taken)) {
    for (const queue::DecidedRecipients& decided : std::span(taken).first(count)) {
      for (std::uint32_t i = decided.begin; i < decided.end; ++i) {
        ++decided_[{decided.delivery, i}];
      }
    }
  }
}

std::size_t World::decided_count() {
  collect();
  return decided_.size();
}

const Outcome& World::outcome(const Consignment& message, std::size_t recipient) {
  collect();
  INFO("message " << message.message.id << ", recipient " << recipient);
  REQUIRE(decided_[{&message.first, recipient}] == 1);
  return message.first.recipients[recipient].outcome;
}

}  // namespace ringpost::engine::test
