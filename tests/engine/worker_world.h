// One worker with everything around it, but for the kernel, other threads and time.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/endpoint_gate.h"
#include "engine/worker.h"
#include "queue/delivery_queue.h"
#include "queue/outcome_queue.h"
#include "tests/support/fake_io.h"

namespace ringpost::engine::test {

struct WorldOptions {
  std::uint32_t connections_max = 1;
  bool connections_grow = false;
  std::uint32_t sockets_max = 0;  // 0: as many as connections
  std::vector<QuotaLimit> rates = {};
  std::uint32_t recipients_max = 100;
  std::uint32_t attempts_max = 3;
  std::uint32_t connect_attempts_max = 4;  // 0: only patience ends it
  std::optional<Duration> patience = {};
  std::vector<std::string> addresses = {"192.0.2.1", "192.0.2.2"};
  Duration command_timeout = std::chrono::minutes(5);
  protocol::Pipelining pipelining = protocol::Pipelining::within;
  Duration deadline = Duration::max();  // from the start of the world
  // How far the endpoint has shown that it can be run ahead.
  protocol::Pipelining shown = protocol::Pipelining::across;
  std::size_t retry_messages_max = 1000;
  RouteStats* stats = nullptr;
};

class World {
 public:
  explicit World(const WorldOptions& options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A message, with one delivery, that lives as long as the world.
  Consignment& add_job(std::string id,
                       const std::vector<std::string>& recipients = {"a@b.example"});
  void push(const std::vector<Consignment*>& messages);
  // The next message, made and pushed.
  Consignment& submit(std::string id, const std::vector<std::string>& recipients = {"a@b.example"});

  // Turns until nothing is under way and nothing is due, or until the worker is over; fails the
  // test when that takes too many turns.
  void run();
  // Turns until the clock would pass `duration` from now.
  void run_for(Duration duration);
  void give(WorkerOrder wanted);
  // As Engine::cancel().
  void cancel(Cancellation& cancellation);
  [[nodiscard]] bool is_over() const { return over_; }

  // The outcome of a message's only recipient, or of the one with this index; fails the test when
  // it has not been decided, or more than once.
  const Outcome& outcome(const Consignment& message, std::size_t recipient = 0);
  // How many recipients have been decided so far.
  std::size_t decided_count();

  ringpost::test::FakeServer server;
  ringpost::test::FakeIo io{server};
  EndpointOptions endpoint;
  EndpointGate gate;
  WorkerStats stats;

 private:
  void collect();
  void turn_until_asleep();

  queue::DeliveryQueue jobs_;
  queue::DeliveryQueue::Producer producer_{jobs_};
  queue::OutcomeQueue outcomes_;
  std::atomic<WorkerOrder> order_{WorkerOrder::run};
  std::atomic<std::uint64_t> cancellations_{0};
  std::deque<Consignment> store_;
  std::map<std::pair<const Delivery*, std::size_t>, int> decided_;
  bool over_ = false;

 public:
  Worker worker;
};

}  // namespace ringpost::engine::test
