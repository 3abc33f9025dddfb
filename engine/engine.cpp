// Threads and how they end. Workers are told by an order they read each turn; an outcome thread
// ends when its queue is closed and empty, which happens after the last worker ended. So every
// outcome is delivered before the destructor returns, whatever happened.
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/engine_core.h"
#include "engine/engine_inside.h"
#include "engine/io/make_io.h"
#include "engine/io/resolver.h"
#include "engine/quota_keeper.h"
#include "engine/stats.h"
#include "engine/token_thread.h"
#include "engine/worker.h"
#include <ringpost/engine.h>

namespace ringpost {

namespace {

using engine::EngineCore;
using engine::Worker;
using engine::WorkerEndpoint;
using engine::WorkerOrder;

constexpr std::size_t outcome_batch = 256;

std::int64_t unix_time_us() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

void tell_all(EngineCore& core, std::size_t group, const OutcomeCallback& callback) {
  std::array<OutcomeView, outcome_batch> views;
  while (const std::size_t count = core.take_decided(views, group)) {
    callback({views.data(), count});
  }
  // The last messages go back behind the last call: whoever has drained finds no callback running.
  callback({});
  core.give_back_told(group);
}

}  // namespace

// ---- Engine -------------------------------------------------------------------------------------

struct RINGPOST_LOCAL Engine::State {
  struct WorkerThread {
    std::thread thread;
    // Set by the thread before `started`, and left alone until it has been joined.
    std::unique_ptr<io::Io> io;
    std::unique_ptr<Worker> worker;
    engine::WorkerStats stats;
    bool started = false;
    std::string error;
    Instant started_at{};
    std::uint64_t turns_at_pulse = UINT64_MAX;

    void note_counters(std::uint64_t allocations);
    [[nodiscard]] double cpu_share() const;
  };

  // That tells the outcomes of one group.
  struct OutcomeThread {
    std::thread thread;
    engine::Counter allocations;
  };

  std::unique_ptr<engine::QuotaKeeper> quota_keeper;
  EngineCore core;
  engine::EngineInside::Deliver deliver;
  std::vector<std::unique_ptr<WorkerThread>> workers;
  std::vector<std::unique_ptr<OutcomeThread>> outcome_threads;
  std::atomic<std::size_t> submitters_made{0};
  IoChoice io_kind = IoChoice::ring;  // of all workers; never automatic
  std::atomic<bool> running{false};   // every worker is there and may be woken
  std::mutex start_mutex;
  std::condition_variable start_changed;
  // Last, so that it goes first: a look-up that ends late calls a gate, which wakes the workers.
  io::Resolver resolver;
  // For the same reason behind it. One for each endpoint, null for those without a TokenReader.
  std::vector<std::unique_ptr<engine::TokenThread>> token_threads;

  State(EngineOptions options, std::unique_ptr<engine::QuotaKeeper> keeper,
        engine::EngineInside::Deliver engine_deliver)
      : quota_keeper(std::move(keeper)),
        core(std::move(options), parts()),
        deliver(std::move(engine_deliver)) {}

  [[nodiscard]] EngineCore::Parts parts();
  [[nodiscard]] std::string start();
  [[nodiscard]] std::string choose_io();
  void run_worker(WorkerThread& self, std::size_t number,
                  std::vector<WorkerEndpoint> worker_endpoints);
  void make_do_with(std::uint32_t sockets, std::vector<WorkerEndpoint>& worker_endpoints) const;
  void run_outcomes(std::size_t group);
  [[nodiscard]] std::uint64_t allocations_of_this_thread() const {
    const auto count = core.options().count_allocations;
    return count != nullptr ? count() : 0;
  }
  void wake_all();
  void wake_parked();
  void stop();
};

EngineCore::Parts Engine::State::parts() {
  EngineCore::Parts parts;
  parts.resolve = [this](std::string host, std::uint16_t port, io::Resolver::Callback done) {
    resolver.resolve(std::move(host), port, std::move(done));
  };
  parts.read_token = [this](std::size_t endpoint, engine::TokenThread::Callback done) {
    token_threads[endpoint]->read(std::move(done));
  };
  parts.wake = [this] { wake_all(); };
  parts.clock = std::chrono::steady_clock::now;
  parts.unix_time_us = unix_time_us;
  parts.quota_memories = quota_keeper->memories();
  return parts;
}

// Before there are threads: what is found is the same for all of them, and is told once.
std::string Engine::State::choose_io() {
  const auto found = io::find_io(core.options().io);
  if (!found) {
    return found.error().message();
  }
  io_kind = found->kind;
  if (core.options().on_notice && !found->notice().empty()) {
    core.options().on_notice({.endpoint = {}, .message = found->notice()});
  }
  return {};
}

std::string Engine::State::start() {
  if (std::string wrong = choose_io(); !wrong.empty()) {
    return wrong;
  }
  for (const EndpointOptions& endpoint : core.options().endpoints) {
    token_threads.push_back(
        endpoint.read_token ? std::make_unique<engine::TokenThread>(endpoint.read_token) : nullptr);
  }
  // Everything that can fail for a mistake in the options comes before the first thread.
  std::vector<std::vector<WorkerEndpoint>> prepared;
  for (std::uint32_t i = 0; i < core.options().cores; ++i) {
    auto endpoints = core.worker_endpoints(i);
    if (!endpoints) {
      return endpoints.error().message;
    }
    prepared.push_back(std::move(*endpoints));
  }
  for (std::size_t i = 0; i < core.group_count(); ++i) {
    outcome_threads.push_back(std::make_unique<OutcomeThread>());
  }
  for (std::size_t i = 0; i < outcome_threads.size(); ++i) {
    outcome_threads[i]->thread = std::thread([this, i] { run_outcomes(i); });
  }
  for (auto& worker_endpoints_of_one : prepared) {
    workers.push_back(std::make_unique<WorkerThread>());
    workers.back()->thread =
        std::thread([this, &self = *workers.back(), number = workers.size() - 1,
                     given = std::move(worker_endpoints_of_one)]() mutable {
          run_worker(self, number, std::move(given));
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

void Engine::State::run_worker(WorkerThread& self, std::size_t number,
                               std::vector<WorkerEndpoint> worker_endpoints) {
  io::IoOptions io_options;
  std::uint32_t connections = 0;
  for (const WorkerEndpoint& endpoint : worker_endpoints) {
    connections += endpoint.limits.sockets_max;
  }
  // A session that ended keeps its socket until the kernel is done with it.
  io_options.sockets_max = connections + connections / 4 + 16;
  io_options.share_files_among = core.options().cores;
  auto io = io::make_io(io_kind, io_options);
  if (io && (*io)->sockets_max() < io_options.sockets_max) {
    make_do_with((*io)->sockets_max(), worker_endpoints);
  }
  {
    const std::lock_guard lock(start_mutex);
    if (io) {
      self.io = std::move(*io);
      self.worker =
          std::make_unique<Worker>(*self.io, std::move(worker_endpoints), core.outcomes(number),
                                   core.order(), self.stats, core.worker_options(self.io->now()));
    } else {
      self.error = io.error().message();
    }
    self.started_at = std::chrono::steady_clock::now();
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
  const io::IoCounters counters = io->counters();
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

// Of the time since it was started, which the thread has computed.
double Engine::State::WorkerThread::cpu_share() const {
  ::clockid_t clock{};
  ::timespec used{};
  // The handle is the thread's until it is joined.
  auto* const self = const_cast<std::thread*>(&thread);
  if (::pthread_getcpuclockid(self->native_handle(), &clock) != 0 ||
      ::clock_gettime(clock, &used) != 0) {
    return 0;
  }
  const double seconds =
      static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started_at;
  return wall.count() > 0 ? std::clamp(seconds / wall.count(), 0.0, 1.0) : 0;
}

// First without sessions that are opened before others end; then with fewer that work, each
// endpoint in proportion, but one of each.
void Engine::State::make_do_with(std::uint32_t sockets,
                                 std::vector<WorkerEndpoint>& worker_endpoints) const {
  const std::uint32_t room = std::max(1u, sockets - sockets / 4);
  std::uint32_t connections = 0;
  for (WorkerEndpoint& endpoint : worker_endpoints) {
    connections += endpoint.limits.connections_max;
    endpoint.limits.sockets_max = endpoint.limits.connections_max;
  }
  if (room >= connections) {
    return;
  }
  for (WorkerEndpoint& endpoint : worker_endpoints) {
    std::uint32_t& most = endpoint.limits.connections_max;
    const auto share = static_cast<std::uint32_t>(std::uint64_t{most} * room / connections);
    most = std::min(most, std::max(1u, share));
    endpoint.limits.sockets_max = most;
  }
  const EngineOptions& options = core.options();
  if (options.on_notice) {
    const std::string files = std::to_string(sockets);
    options.on_notice(
        {options.endpoints.front().name, "goes on with fewer connections, " + std::to_string(room) +
                                             " of a core: no more than " + files +
                                             " files may be open at a time (ulimit -n raises it)"});
  }
}

void Engine::State::run_outcomes(std::size_t group) {
  while (core.outcomes(group).wait()) {
    // A moment's sleep lets a batch gather: one wake-up and one write for many outcomes.
    if (core.options().outcome_delay > Duration::zero()) {
      std::this_thread::sleep_for(core.options().outcome_delay);
    }
    deliver(core, group);
    outcome_threads[group]->allocations.set(allocations_of_this_thread());
  }
}

void Engine::State::wake_all() {
  if (running.load()) {
    for (const auto& worker : workers) {
      worker->io->wake();
    }
  }
}

void Engine::State::wake_parked() {
  for (const auto& worker : workers) {
    // The counterpart of Worker::turn(): both sides exchange, so one of them sees the other.
    if (worker->worker->parked().exchange(false)) {
      worker->io->wake();
    }
  }
}

void Engine::State::stop() {
  running.store(true);  // also after a start that failed half-way: those that are there must end
  std::erase_if(workers, [](const auto& worker) {
    if (worker->worker == nullptr && worker->thread.joinable()) {
      worker->thread.join();
    }
    return worker->worker == nullptr;
  });
  core.pool().close();
  if (!workers.empty() && core.pool().messages_out() > 0) {
    core.give(WorkerOrder::abort);
    static_cast<void>(core.pool().wait_until_idle(never));
  }
  core.give(WorkerOrder::finish);
  for (const auto& worker : workers) {
    worker->thread.join();
  }
  for (std::size_t i = 0; i < outcome_threads.size(); ++i) {
    core.outcomes(i).close();
    outcome_threads[i]->thread.join();
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
  if (!callback) {
    return Failure(EngineError{"no callback: somebody has to hear of outcomes"});
  }
  return engine::EngineInside::start(
      std::move(options), [callback = std::move(callback)](EngineCore& core, std::size_t group) {
        tell_all(core, group, callback);
      });
}

Result<std::unique_ptr<Engine>, EngineError> engine::EngineInside::start(EngineOptions options,
                                                                         Deliver deliver) {
  if (std::string wrong = first_mistake(options); !wrong.empty()) {
    return Failure(EngineError{std::move(wrong)});
  }
  auto keeper = QuotaKeeper::open(options);
  if (!keeper) {
    return Failure(EngineError{std::move(keeper.error())});
  }
  std::unique_ptr<Engine> engine(new Engine(
      std::make_unique<Engine::State>(std::move(options), std::move(*keeper), std::move(deliver))));
  if (std::string wrong = engine->state_->start(); !wrong.empty()) {
    return Failure(EngineError{std::move(wrong)});
  }
  return engine;
}

EngineCore& engine::EngineInside::core(Engine& engine) { return engine.state_->core; }

void engine::EngineInside::wake_parked(Engine& engine) { engine.state_->wake_parked(); }

DrainReport Engine::drain(Instant deadline) {
  const bool is_complete = state_->core.pool().wait_until_idle(deadline);
  return {is_complete, endpoint_failures()};
}

void Engine::stop_sending() { state_->core.give(WorkerOrder::stop_sending); }

void Engine::cancel(Cancellation& cancellation) {
  static_cast<void>(cancellation.cancel());
  state_->core.look_for_cancelled();
}

void Engine::hold_sending(bool held) { state_->core.hold_sending(held); }

void Engine::abort() {
  state_->core.give(WorkerOrder::abort);
  state_->core.pool().close();
}

bool Engine::take_pulse() {
  bool has_turned = true;
  for (const auto& worker : state_->workers) {
    const std::uint64_t turns = worker->stats.turns.get();
    has_turned = has_turned && worker->turns_at_pulse != turns;
    worker->turns_at_pulse = turns;
  }
  state_->wake_all();
  return has_turned;
}

std::vector<EndpointFailure> Engine::endpoint_failures() const {
  return state_->core.endpoint_failures();
}

std::vector<EndpointReport> Engine::endpoint_reports() const {
  return state_->core.endpoint_reports(std::chrono::steady_clock::now());
}

EndpointCounts Engine::endpoint_counts() const {
  return state_->core.counts_of_endpoints(std::chrono::steady_clock::now());
}

bool Engine::journal_failed() const {
  return std::any_of(state_->workers.begin(), state_->workers.end(), [](const auto& worker) {
    return worker->worker && worker->worker->journal_failed();
  });
}

EngineStatistics Engine::statistics() const {
  EngineStatistics sum;
  sum.io = state_->io_kind;
  sum.outcomes = state_->core.outcomes_told();
  sum.messages_in_flight = state_->core.pool().messages_out();
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
    sum.worker_cpu_share += worker->cpu_share() / static_cast<double>(state_->workers.size());
  }
  for (const auto& thread : state_->outcome_threads) {
    sum.outcome_allocations += thread->allocations.get();
  }
  return sum;
}

// ---- Submitter ----------------------------------------------------------------------------------

struct RINGPOST_LOCAL Engine::Submitter::State {
  Engine::State& engine;
  EngineCore::Feeder feeder;

  explicit State(Engine::State& state)
      : engine(state), feeder(state.core, {.number = state.submitters_made++}) {}
};

Engine::Submitter Engine::submitter() {
  return Submitter(std::make_unique<Submitter::State>(*state_));
}

Engine::Submitter::Submitter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Engine::Submitter::Submitter(Submitter&&) noexcept = default;

Engine::Submitter::~Submitter() {
  if (state_ && state_->feeder.close()) {
    state_->engine.wake_parked();
  }
}

Message* Engine::Submitter::next() {
  Message* message = try_next();
  if (message == nullptr) {
    Consignment* const consignment = state_->feeder.take_over(state_->engine.core.pool().acquire());
    message = consignment == nullptr ? nullptr : &consignment->message;
  }
  return message;
}

Message* Engine::Submitter::try_next() {
  Consignment* const consignment = state_->feeder.try_next();
  if (consignment == nullptr) {
    flush();  // what waits in the batch may be what has to leave first
    return nullptr;
  }
  return &consignment->message;
}

std::vector<PriorFate>& Engine::Submitter::fates() { return state_->feeder.try_next()->fates; }

Result<void, SubmissionError> Engine::Submitter::submit() {
  if (!state_->feeder.has_message()) {
    return Failure(SubmissionError{"there is no message: next() hands out one"});
  }
  const auto way = state_->feeder.submit(std::chrono::steady_clock::now());
  if (way == EngineCore::Feeder::Way::to_workers) {
    state_->engine.wake_parked();
  }
  if (!state_->feeder.offence().empty()) {
    return Failure(SubmissionError{state_->feeder.offence()});
  }
  return {};
}

void Engine::Submitter::refuse(std::string_view reason) {
  if (state_->feeder.has_message()) {
    state_->feeder.refuse(reason);
  }
}

void Engine::Submitter::flush() {
  if (state_->feeder.flush()) {
    state_->engine.wake_parked();
  }
}

}  // namespace ringpost
