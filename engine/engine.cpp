// Threads and how they end. Workers are told by an order they read each turn; the outcome thread
// ends when its queue is closed and empty, which happens after the last worker ended. So every
// outcome is delivered before the destructor returns, whatever happened.
#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

#include "codec/job_prefetch.h"
#include "engine/endpoint_gate.h"
#include "engine/io/resolver.h"
#include "engine/io/ring.h"
#include "engine/session_options.h"
#include "engine/stats.h"
#include "engine/submission.h"
#include "engine/token_thread.h"
#include "engine/worker.h"
#include "queue/job_pool.h"
#include "queue/job_queue.h"
#include "queue/outcome_queue.h"
#include "tls/context.h"
#include "tls/sasl_crypto.h"

namespace ringpost {

namespace {

using engine::EndpointGate;
using engine::Worker;
using engine::WorkerEndpoint;
using engine::WorkerOrder;

constexpr std::size_t submit_batch = 32;
constexpr std::size_t outcome_batch = 256;

std::int64_t unix_time_us() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace

// ---- Engine
// --------------------------------------------------------------------------------------

struct Engine::State {
  struct Endpoint {
    std::unique_ptr<EndpointGate> gate;
    std::unique_ptr<queue::JobQueue> jobs;
  };
  struct WorkerThread {
    std::thread thread;
    // Set by the thread before `started`, and left alone until it has been joined.
    std::unique_ptr<io::Ring> ring;
    std::unique_ptr<Worker> worker;
    engine::WorkerStats stats;
    bool started = false;
    std::string error;

    void note_counters(std::uint64_t allocations);
  };

  EngineOptions options;
  OutcomeCallback callback;
  queue::JobPool pool;
  queue::OutcomeQueue outcomes;
  std::vector<Endpoint> endpoints;
  std::vector<std::unique_ptr<WorkerThread>> workers;
  std::thread outcome_thread;
  engine::Counter outcome_allocations;
  std::atomic<WorkerOrder> order{WorkerOrder::run};
  std::atomic<bool> running{false};  // every worker is there and may be woken
  std::mutex start_mutex;
  std::condition_variable start_changed;
  // Last, so that it goes first: a look-up that ends late calls a gate, which wakes the workers.
  io::Resolver resolver;
  // For the same reason behind it. Of endpoints with a TokenReader.
  std::vector<std::unique_ptr<engine::TokenThread>> token_threads;

  State(EngineOptions engine_options, OutcomeCallback engine_callback)
      : options(std::move(engine_options)),
        callback(std::move(engine_callback)),
        pool({options.jobs_in_flight_max, options.job_bytes_in_flight_max,
              jobs_active_max(options)}) {}

  [[nodiscard]] std::string start();
  [[nodiscard]] Result<std::vector<WorkerEndpoint>, EngineError> worker_endpoints(
      std::uint32_t worker_index);
  void run_worker(WorkerThread& self, std::vector<WorkerEndpoint> worker_endpoints);
  void make_do_with(std::uint32_t sockets, std::uint32_t connections,
                    std::vector<WorkerEndpoint>& worker_endpoints) const;
  void run_outcomes();
  [[nodiscard]] std::uint64_t allocations_of_this_thread() const {
    return options.count_allocations != nullptr ? options.count_allocations() : 0;
  }
  void deliver(std::span<const queue::DecidedRecipient> decided, std::vector<Job*>& done);
  void wake_all();
  void wake_parked();
  void give(WorkerOrder wanted);
  void stop();
};

std::string Engine::State::start() {
  const auto resolve = [this](std::string host, std::uint16_t port,
                              io::Resolver::Callback callback_of_gate) {
    resolver.resolve(std::move(host), port, std::move(callback_of_gate));
  };
  for (const EndpointOptions& endpoint : options.endpoints) {
    Endpoint& added = endpoints.emplace_back();
    EndpointGate::ReadToken read_token;
    if (endpoint.read_token) {
      engine::TokenThread& tokens =
          *token_threads.emplace_back(std::make_unique<engine::TokenThread>(endpoint.read_token));
      read_token = [&tokens](auto done) { tokens.read(std::move(done)); };
    }
    added.gate = std::make_unique<EndpointGate>(
        endpoint, resolve, [this] { wake_all(); }, std::chrono::steady_clock::now,
        std::move(read_token));
    added.jobs = std::make_unique<queue::JobQueue>();
    added.gate->on_notice(options.on_notice);
  }
  // Everything that can fail for a mistake in the options comes before the first thread.
  std::vector<std::vector<WorkerEndpoint>> prepared;
  for (std::uint32_t i = 0; i < options.cores; ++i) {
    auto worker_endpoints_result = worker_endpoints(i);
    if (!worker_endpoints_result) {
      return worker_endpoints_result.error().message;
    }
    prepared.push_back(std::move(*worker_endpoints_result));
  }
  outcome_thread = std::thread([this] { run_outcomes(); });
  for (auto& worker_endpoints_of_one : prepared) {
    workers.push_back(std::make_unique<WorkerThread>());
    WorkerThread& self = *workers.back();
    self.thread = std::thread([this, &self, given = std::move(worker_endpoints_of_one)]() mutable {
      run_worker(self, std::move(given));
    });
  }
  std::unique_lock lock(start_mutex);
  start_changed.wait(lock, [this] {
    return std::all_of(workers.begin(), workers.end(), [](const auto& w) { return w->started; });
  });
  for (const auto& worker : workers) {
    if (!worker->error.empty()) {
      return worker->error;
    }
  }
  running.store(true);
  return {};
}

Result<std::vector<WorkerEndpoint>, EngineError> Engine::State::worker_endpoints(
    std::uint32_t worker_index) {
  std::vector<WorkerEndpoint> result;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const EndpointOptions& endpoint = options.endpoints[i];
    WorkerEndpoint worker_endpoint;
    worker_endpoint.gate = endpoints[i].gate.get();
    worker_endpoint.jobs = endpoints[i].jobs.get();
    worker_endpoint.session = engine::session_options(endpoint);
    worker_endpoint.scram_cache = std::make_unique<codec::ScramCache>();
    worker_endpoint.session.sasl = {&tls::sasl_crypto(), worker_endpoint.scram_cache.get()};
    const std::uint32_t share = endpoint.connections_max / options.cores;
    const bool extra = worker_index < endpoint.connections_max % options.cores;
    worker_endpoint.limits.connections_max = share + (extra ? 1 : 0);
    // Half of what may be in flight, over all routes.
    const std::size_t routes = endpoints.size() * options.cores;
    worker_endpoint.limits.retry_jobs_max =
        std::max<std::size_t>(1, options.jobs_in_flight_max / 2 / routes);
    worker_endpoint.limits.retry_bytes_max = options.job_bytes_in_flight_max / 2 / routes;
    if (endpoint.security != TransportSecurity::none) {
      tls::ContextOptions context;
      context.verify_peer = endpoint.verify_certificate;
      context.ca_file = endpoint.ca_file;
      context.certificate_file = endpoint.client_certificate_file;
      context.key_file = endpoint.client_key_file;
      auto created = tls::Context::create(context);
      if (!created) {
        return tl::unexpected(
            EngineError{"endpoint \"" + endpoint.name + "\": " + created.error().message()});
      }
      worker_endpoint.tls_context = std::move(*created);
    }
    result.push_back(std::move(worker_endpoint));
  }
  return result;
}

void Engine::State::run_worker(WorkerThread& self, std::vector<WorkerEndpoint> worker_endpoints) {
  io::RingOptions ring_options;
  std::uint32_t connections = 0;
  for (const WorkerEndpoint& endpoint : worker_endpoints) {
    connections += endpoint.limits.connections_max;
  }
  // A session that ended keeps its socket until the kernel is done with it.
  ring_options.sockets_max = connections + connections / 4 + 16;
  auto ring = io::Ring::create(ring_options);
  if (ring && (*ring)->sockets_max() < ring_options.sockets_max) {
    make_do_with((*ring)->sockets_max(), connections, worker_endpoints);
  }
  {
    const std::lock_guard lock(start_mutex);
    if (ring) {
      self.ring = std::move(*ring);
      const Instant now = self.ring->now();
      const bool has_deadline = options.deadline < never - now;
      const Instant deadline = has_deadline ? now + options.deadline : never;
      self.worker = std::make_unique<Worker>(
          *self.ring, std::move(worker_endpoints), outcomes, order, self.stats,
          engine::WorkerOptions{deadline, options.journal, &pool, options.deadline_drain});
    } else {
      self.error = ring.error().message();
    }
    self.started = true;
    start_changed.notify_all();
  }
  if (self.worker) {
    while (self.worker->turn()) {
      self.note_counters(allocations_of_this_thread());
    }
  }
}

void Engine::State::WorkerThread::note_counters(std::uint64_t allocations) {
  const io::RingCounters counters = ring->counters();
  stats.ring_enters.set(counters.enters);
  stats.ring_submitted.set(counters.submitted);
  stats.ring_completions.set(counters.completions);
  stats.receives.set(counters.receives);
  stats.sends.set(counters.sends);
  stats.send_bytes.set(counters.send_bytes);
  stats.receive_buffers_exhausted.set(counters.receive_buffers_exhausted);
  stats.completion_overflows.set(counters.completion_overflows);
  stats.allocations.set(allocations);
}

// Fewer sessions, each endpoint in proportion, but one of each.
void Engine::State::make_do_with(std::uint32_t sockets, std::uint32_t connections,
                                 std::vector<WorkerEndpoint>& worker_endpoints) const {
  const std::uint32_t room = std::max(1u, sockets - sockets / 4);
  if (room >= connections) {
    return;
  }
  for (WorkerEndpoint& endpoint : worker_endpoints) {
    std::uint32_t& most = endpoint.limits.connections_max;
    const auto share = static_cast<std::uint32_t>(std::uint64_t{most} * room / connections);
    most = std::min(most, std::max(1u, share));
  }
  if (options.on_notice) {
    const std::string files = std::to_string(sockets);
    options.on_notice(
        {options.endpoints.front().name, "goes on with fewer connections, " + std::to_string(room) +
                                             " of a core: no more than " + files +
                                             " files may be open at a time (ulimit -n raises it)"});
  }
}

void Engine::State::run_outcomes() {
  std::array<queue::DecidedRecipient, outcome_batch> decided;
  std::vector<Job*> done;  // delivered, and not given back yet
  while (outcomes.wait()) {
    // A moment's sleep lets a batch gather: one wake-up and one write for many outcomes.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (std::size_t count = outcomes.take(decided); count > 0; count = outcomes.take(decided)) {
      pool.give_back(done);
      done.clear();
      deliver({decided.data(), count}, done);
    }
    // The last jobs go back behind the last call: whoever has drained finds no callback running.
    callback({});
    pool.give_back(done);
    done.clear();
    outcome_allocations.set(allocations_of_this_thread());
  }
}

void Engine::State::deliver(std::span<const queue::DecidedRecipient> decided,
                            std::vector<Job*>& done) {
  constexpr std::size_t near = 8;  // so far behind its hint a job has come
  std::array<DecidedRecipientView, outcome_batch> views;
  for (std::size_t i = 0; i < decided.size(); ++i) {
    views[i] = {decided[i].job, decided[i].recipient};
    codec::prefetch_job(*decided[i].job);
    if (i >= near) {
      codec::prefetch_parts(*decided[i - near].job);
    }
  }
  callback({views.data(), decided.size()});
  for (const queue::DecidedRecipient& recipient : decided) {
    RP_ASSERT(recipient.job->outcomes_left > 0);
    if (--recipient.job->outcomes_left == 0) {
      done.push_back(recipient.job);
    }
  }
}

void Engine::State::wake_all() {
  if (running.load()) {
    for (const auto& worker : workers) {
      worker->ring->wake();
    }
  }
}

void Engine::State::wake_parked() {
  for (const auto& worker : workers) {
    // The counterpart of Worker::turn(): both sides exchange, so one of them sees the other.
    if (worker->worker->parked().exchange(false)) {
      worker->ring->wake();
    }
  }
}

void Engine::State::give(WorkerOrder wanted) {
  WorkerOrder current = order.load();
  while (current < wanted && !order.compare_exchange_weak(current, wanted)) {
  }
  wake_all();
}

void Engine::State::stop() {
  running.store(true);  // also after a start that failed half-way: those that are there must end
  std::erase_if(workers, [](const auto& worker) {
    if (worker->worker == nullptr && worker->thread.joinable()) {
      worker->thread.join();
    }
    return worker->worker == nullptr;
  });
  pool.close();
  if (!workers.empty() && pool.jobs_out() > 0) {
    give(WorkerOrder::abort);
    static_cast<void>(pool.wait_until_idle(never));
  }
  give(WorkerOrder::finish);
  for (const auto& worker : workers) {
    worker->thread.join();
  }
  outcomes.close();
  if (outcome_thread.joinable()) {
    outcome_thread.join();
  }
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}

Engine::~Engine() {
  if (state_) {
    state_->stop();
  }
}

Result<std::unique_ptr<Engine>, EngineError> Engine::start(EngineOptions options,
                                                           OutcomeCallback callback) {
  if (std::string wrong = first_mistake(options); !wrong.empty()) {
    return tl::unexpected(EngineError{std::move(wrong)});
  }
  std::unique_ptr<Engine> engine(
      new Engine(std::make_unique<State>(std::move(options), std::move(callback))));
  if (std::string wrong = engine->state_->start(); !wrong.empty()) {
    return tl::unexpected(EngineError{std::move(wrong)});
  }
  return engine;
}

bool Engine::drain(Instant deadline) { return state_->pool.wait_until_idle(deadline); }

void Engine::stop_sending() { state_->give(WorkerOrder::stop_sending); }

void Engine::hold_sending(bool held) {
  for (const State::Endpoint& endpoint : state_->endpoints) {
    endpoint.gate->hold(held);
  }
}

void Engine::abort() {
  state_->give(WorkerOrder::abort);
  state_->pool.close();
}

std::vector<EndpointFailure> Engine::endpoint_failures() const {
  std::vector<EndpointFailure> failures;
  for (const State::Endpoint& endpoint : state_->endpoints) {
    if (endpoint.gate->failed()) {
      const protocol::CloseReason& reason = endpoint.gate->failure();
      const EndpointOptions& options = endpoint.gate->options();
      failures.push_back(
          {options.name, std::string(name_of(reason.stage)),
           endpoint.gate->place() + ": " + reason.message() + endpoint.gate->effort()});
    }
  }
  return failures;
}

std::vector<EndpointReport> Engine::endpoint_reports() const {
  std::vector<EndpointReport> reports;
  for (const State::Endpoint& endpoint : state_->endpoints) {
    const auto pipelining = endpoint.gate->pipelining();
    EndpointReport report;
    report.endpoint = endpoint.gate->options().name;
    report.pipelining = pipelining ? protocol::name_of(*pipelining) : std::string_view();
    report.fall_backs = endpoint.gate->fall_backs();
    if (const auto away = endpoint.gate->away_for(std::chrono::steady_clock::now())) {
      report.away_for = *away;
      if (const auto trouble = endpoint.gate->trouble()) {
        report.trouble = endpoint.gate->place() + ": " + trouble->message();
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

bool Engine::journal_failed() const {
  return std::any_of(state_->workers.begin(), state_->workers.end(), [](const auto& worker) {
    return worker->worker && worker->worker->journal_failed();
  });
}

EngineStatistics Engine::statistics() const {
  EngineStatistics sum;
  for (const auto& worker : state_->workers) {
    sum.messages += worker->stats.messages.get();
    sum.content_bytes += worker->stats.content_bytes.get();
    sum.sessions_opened += worker->stats.sessions_opened.get();
    sum.sessions_ready += worker->stats.sessions_ready.get();
    sum.sessions_resumed += worker->stats.sessions_resumed.get();
    sum.turns += worker->stats.turns.get();
    sum.ring_enters += worker->stats.ring_enters.get();
    sum.ring_submitted += worker->stats.ring_submitted.get();
    sum.ring_completions += worker->stats.ring_completions.get();
    sum.receives += worker->stats.receives.get();
    sum.sends += worker->stats.sends.get();
    sum.send_bytes += worker->stats.send_bytes.get();
    sum.tls_records += worker->stats.tls_records.get();
    sum.bytes_copied += worker->stats.bytes_copied.get();
    sum.receive_buffers_exhausted += worker->stats.receive_buffers_exhausted.get();
    sum.completion_overflows += worker->stats.completion_overflows.get();
    sum.worker_allocations += worker->stats.allocations.get();
  }
  sum.outcome_allocations = state_->outcome_allocations.get();
  return sum;
}

// ---- Submitter
// -----------------------------------------------------------------------------------

struct Engine::Submitter::State {
  struct Lane {
    explicit Lane(queue::JobQueue& jobs) : producer(jobs) {}
    queue::JobQueue::Producer producer;
    std::vector<Job*> batch;
    std::int64_t credit = 0;  // of smooth weighted turns
  };

  Engine::State& engine;
  queue::OutcomeQueue::Producer outcomes;
  std::vector<std::unique_ptr<Lane>> lanes;  // one for each endpoint
  Job* job = nullptr;
  std::size_t batched = 0;

  explicit State(Engine::State& state) : engine(state), outcomes(state.outcomes) {
    for (const auto& endpoint : state.endpoints) {
      lanes.push_back(std::make_unique<Lane>(*endpoint.jobs));
    }
  }

  // Everybody who is not yet: nothing of the job is sent any more.
  void report(Job& of);

  // The endpoint for a job: the one it names, or the next by weight. Null: there is none of that
  // name.
  [[nodiscard]] Lane* lane_of(const Job& of) {
    const std::vector<EndpointOptions>& endpoints = engine.options.endpoints;
    if (!of.endpoint.empty()) {
      for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (endpoints[i].name == of.endpoint) {
          return lanes[i].get();
        }
      }
      return nullptr;
    }
    std::int64_t total = 0;
    Lane* best = nullptr;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (engine.endpoints[i].gate->failed() && lanes.size() > 1) {
        continue;  // others may still work
      }
      lanes[i]->credit += endpoints[i].weight;
      total += endpoints[i].weight;
      if (best == nullptr || lanes[i]->credit > best->credit) {
        best = lanes[i].get();
      }
    }
    if (best == nullptr) {
      return lanes.front().get();
    }
    best->credit -= total;
    return best;
  }
};

void Engine::Submitter::State::report(Job& of) { outcomes.push(engine::report_submission(of)); }

Engine::Submitter Engine::submitter() {
  return Submitter(std::make_unique<Submitter::State>(*state_));
}

Engine::Submitter::Submitter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Engine::Submitter::Submitter(Submitter&&) noexcept = default;

Engine::Submitter::~Submitter() {
  if (!state_) {
    return;
  }
  flush();
  if (state_->job != nullptr) {
    state_->engine.pool.give_back({&state_->job, 1});
  }
}

Job* Engine::Submitter::next() {
  if (state_->job == nullptr) {
    state_->job = state_->engine.pool.try_acquire();
  }
  if (state_->job == nullptr) {
    flush();  // what waits in the batch may be what has to leave first
    state_->job = state_->engine.pool.acquire();
  }
  return state_->job;
}

void Engine::Submitter::submit() {
  Job& job = *state_->job;
  if (const std::string offence = engine::submission_offence(job); !offence.empty()) {
    refuse(offence);
    return;
  }
  State::Lane* const lane = state_->lane_of(job);
  if (lane == nullptr) {
    refuse("endpoint: no endpoint is named \"" + job.endpoint + "\"");
    return;
  }
  state_->job = nullptr;
  job.submitted_at = std::chrono::steady_clock::now();
  const bool sends = engine::begin_submission(job);
  state_->engine.pool.charge(job);
  if (!sends) {
    state_->report(job);
    return;
  }
  lane->batch.push_back(&job);
  if (++state_->batched >= submit_batch) {
    flush();
  }
}

void Engine::Submitter::refuse(std::string_view reason) {
  Job& job = *state_->job;
  state_->job = nullptr;
  engine::refuse_submission(job, reason, unix_time_us());
  state_->engine.pool.charge(job);
  state_->report(job);
}

void Engine::Submitter::flush() {
  if (state_->batched == 0) {
    return;
  }
  state_->batched = 0;
  for (const auto& lane : state_->lanes) {
    if (!lane->batch.empty()) {
      lane->producer.push(lane->batch);
      lane->batch.clear();
    }
  }
  state_->engine.wake_parked();
}

}  // namespace ringpost
