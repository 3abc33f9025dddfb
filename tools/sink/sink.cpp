// The problem: a caller wants ports, a certificate and numbers of a server that lives on threads of
// its own, and one reason when any part of it cannot start. The idea: all is bound before the first
// thread starts; each thread has listeners and a server of its own and reports its start through a
// promise; a lock for each keeps its server alive while somebody looks. Limits: the kernel spreads
// connections over the threads, not evenly; CPU time is split into user and system only at the end.
#include "tools/sink/sink.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/io/make_io.h"
#include "engine/io/socket_address.h"
#include "tools/sink/self_signed.h"

namespace ringpost::sink {

namespace {

constexpr int certificate_days = 30;

CpuTime cpu_time_of_this_thread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return {duration(usage.ru_utime), duration(usage.ru_stime)};
}

// Signals are for the thread that started the sink.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// One thread with its server. The server lives and dies on the thread; `mutex` keeps it alive for
// those who look at it from outside.
class SinkThread {
 public:
  SinkThread() = default;
  ~SinkThread() { join(); }
  SinkThread(const SinkThread&) = delete;
  SinkThread& operator=(const SinkThread&) = delete;

  std::future<std::string> start(SinkShared& shared, std::vector<BoundListener> listeners) {
    std::promise<std::string> started;
    auto future = started.get_future();
    thread_ = std::thread(
        [this, &shared, listeners = std::move(listeners), started = std::move(started)]() mutable {
          run(shared, std::move(listeners), std::move(started));
        });
    return future;
  }

  void wake() {
    const std::scoped_lock lock(mutex_);
    if (server_ != nullptr) {
      server_->wake();
    }
  }

  void join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Tally tally() const {
    const std::scoped_lock lock(mutex_);
    return server_ != nullptr ? server_->tally() : last_tally_;
  }

  // The kernel splits a thread's time into user and system only for the thread itself.
  CpuTime cpu_time() {
    const std::scoped_lock lock(mutex_);
    clockid_t clock{};
    timespec time{};
    if (server_ == nullptr || ::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 ||
        ::clock_gettime(clock, &time) != 0) {
      return last_cpu_;
    }
    return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec), {}};
  }

 private:
  void run(SinkShared& shared, std::vector<BoundListener> listeners,
           std::promise<std::string> started) {
    ::pthread_setname_np(::pthread_self(), "ringpost-sink");
    auto server = SinkServer::create(shared, std::move(listeners));
    if (!server) {
      started.set_value(server.error());
      return;
    }
    {
      const std::scoped_lock lock(mutex_);
      server_ = std::move(*server);
    }
    started.set_value({});
    server_->run();
    const std::scoped_lock lock(mutex_);
    last_tally_ = server_->tally();
    server_.reset();
    last_cpu_ = cpu_time_of_this_thread();
  }

  std::thread thread_;
  mutable std::mutex mutex_;
  std::unique_ptr<SinkServer> server_;
  Tally last_tally_;
  CpuTime last_cpu_;
};

}  // namespace

struct Sink::State {
  explicit State(const SinkOptions& options) : shared(options) {}
  SinkShared shared;
  std::array<std::string, listener_kind_count> addresses;
  std::array<std::uint16_t, listener_kind_count> ports{};
  std::string certificate_file;
  std::string temporary_folder;  // ours to remove
  std::string io_notice;
  std::vector<std::unique_ptr<SinkThread>> workers;
  Instant started_at{};
  std::optional<Summary> summary;

  ~State();
  Result<void, std::string> check();
  Result<void, std::string> choose_io();
  Result<void, std::string> provide_certificate();
  Result<void, std::string> make_certificate();
  Result<void, std::string> write_certificate();
  Result<void, std::string> bind(std::vector<std::vector<BoundListener>>& by_thread);
  Result<void, std::string> bind(ListenerKind kind, const std::string& address,
                                 std::vector<std::vector<BoundListener>>& by_thread);
  Result<void, std::string> start_workers(std::vector<std::vector<BoundListener>> by_thread);
  void end_workers();
};

Sink::State::~State() {
  end_workers();
  if (!temporary_folder.empty()) {
    ::unlink(certificate_file.c_str());
    ::rmdir(temporary_folder.c_str());
  }
}

Result<void, std::string> Sink::State::check() {
  const SinkOptions& options = shared.options;
  if (options.threads == 0 || options.sessions_max < options.threads) {
    return Failure(std::string("a sink needs a thread, and each thread a session at least"));
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return Failure(std::string("a certificate and its key are given together or not at all"));
  }
  if (options.listen_starttls.empty() && options.listen_tls.empty() &&
      options.listen_plain.empty()) {
    return Failure(std::string("all listeners are switched off"));
  }
  return {};
}

Result<void, std::string> Sink::State::choose_io() {
  const auto found = io::find_io(shared.options.io);
  if (!found) {
    return Failure(found.error().message());
  }
  shared.io = found->kind;
  io_notice = found->notice();
  return {};
}

Result<void, std::string> Sink::State::provide_certificate() {
  const SinkOptions& options = shared.options;
  if (options.listen_starttls.empty() && options.listen_tls.empty()) {
    return {};
  }
  if (!options.certificate_file.empty()) {
    certificate_file = options.certificate_file;
    return {};
  }
  return make_certificate();
}

// The key stays in memory; only the certificate is written, for clients to trust.
Result<void, std::string> Sink::State::make_certificate() {
  auto made = make_self_signed({"localhost", "127.0.0.1", "::1"}, certificate_days);
  if (!made) {
    return Failure(made.error().message());
  }
  shared.certificate_pem = std::move(made->certificate_pem);
  shared.key_pem = std::move(made->key_pem);
  certificate_file = shared.options.certificate_out;
  if (certificate_file.empty()) {
    const char* const folder = std::getenv("TMPDIR");
    std::string name = fmt::format("{}/ringpost-sink-XXXXXX",
                                   folder != nullptr && *folder != '\0' ? folder : "/tmp");
    if (::mkdtemp(name.data()) == nullptr) {
      return Failure(fmt::format("{}: {}", name, std::strerror(errno)));
    }
    temporary_folder = name;
    certificate_file = temporary_folder + "/certificate.pem";
  }
  return write_certificate();
}

Result<void, std::string> Sink::State::write_certificate() {
  std::FILE* const file = std::fopen(certificate_file.c_str(), "we");
  if (file != nullptr) {
    const std::string& pem = shared.certificate_pem;
    const bool written = std::fwrite(pem.data(), 1, pem.size(), file) == pem.size();
    if (std::fclose(file) == 0 && written) {
      return {};
    }
  }
  return Failure(fmt::format("{}: {}", certificate_file, std::strerror(errno)));
}

Result<void, std::string> Sink::State::bind(std::vector<std::vector<BoundListener>>& by_thread) {
  const SinkOptions& options = shared.options;
  const std::array<std::pair<ListenerKind, const std::string*>, listener_kind_count> wanted = {{
      {ListenerKind::starttls, &options.listen_starttls},
      {ListenerKind::tls, &options.listen_tls},
      {ListenerKind::plain, &options.listen_plain},
  }};
  for (const auto& [kind, address] : wanted) {
    if (auto bound =
            address->empty() ? Result<void, std::string>() : bind(kind, *address, by_thread);
        !bound) {
      return bound;
    }
  }
  return {};
}

// A listener of its own for each thread; the kernel spreads connections over them.
Result<void, std::string> Sink::State::bind(ListenerKind kind, const std::string& address,
                                            std::vector<std::vector<BoundListener>>& by_thread) {
  auto socket_address = io::listening_address(address, "127.0.0.1:2587");
  if (!socket_address) {
    return Failure(socket_address.error());
  }
  for (std::vector<BoundListener>& listeners : by_thread) {
    auto listener = io::Listener::open(*socket_address, by_thread.size() > 1);
    if (!listener) {
      return Failure(listener.error().message());
    }
    *socket_address = listener->address();  // the others take the port that the first one got
    listeners.push_back({kind, std::move(*listener)});
  }
  const auto index = static_cast<std::size_t>(kind);
  ports[index] = socket_address->port();
  addresses[index] = socket_address->text();
  return {};
}

Result<void, std::string> Sink::State::start_workers(
    std::vector<std::vector<BoundListener>> by_thread) {
  const SignalsBlocked signals_blocked;
  std::vector<std::future<std::string>> started;
  for (std::vector<BoundListener>& listeners : by_thread) {
    workers.push_back(std::make_unique<SinkThread>());
    started.push_back(workers.back()->start(shared, std::move(listeners)));
  }
  std::string failure;
  for (std::future<std::string>& one : started) {
    if (std::string error = one.get(); failure.empty()) {
      failure = std::move(error);
    }
  }
  if (!failure.empty()) {
    return Failure(failure);
  }
  return {};
}

void Sink::State::end_workers() {
  shared.stopping.store(true);
  for (const auto& worker : workers) {
    worker->wake();
  }
  for (const auto& worker : workers) {
    worker->join();
  }
}

Result<std::unique_ptr<Sink>, std::string> Sink::start(const SinkOptions& options) {
  auto state = std::make_unique<State>(options);
  if (auto sane = state->check(); !sane) {
    return Failure(sane.error());
  }
  if (auto chosen = state->choose_io(); !chosen) {
    return Failure(chosen.error());
  }
  if (auto provided = state->provide_certificate(); !provided) {
    return Failure(provided.error());
  }
  if (!options.record_file.empty() || !options.record_content_in.empty()) {
    auto record =
        Record::open(options.record_file, options.record_content_in, options.record_digests);
    if (!record) {
      return Failure(record.error());
    }
    state->shared.record = std::move(*record);
  }
  std::vector<std::vector<BoundListener>> by_thread(options.threads);
  if (auto bound = state->bind(by_thread); !bound) {
    return Failure(bound.error());
  }
  if (auto started = state->start_workers(std::move(by_thread)); !started) {
    return Failure(started.error());
  }
  state->started_at = std::chrono::steady_clock::now();
  return std::unique_ptr<Sink>(new Sink(std::move(state)));
}

Sink::Sink(std::unique_ptr<State> state) : state_(std::move(state)) {}

Sink::~Sink() = default;

std::uint16_t Sink::port(ListenerKind kind) const {
  return state_->ports[static_cast<std::size_t>(kind)];
}

std::string Sink::address(ListenerKind kind) const {
  return state_->addresses[static_cast<std::size_t>(kind)];
}

const std::string& Sink::certificate_file() const { return state_->certificate_file; }

const std::string& Sink::io_notice() const { return state_->io_notice; }

Tally Sink::tally() const {
  Tally sum;
  for (const auto& worker : state_->workers) {
    sum += worker->tally();
  }
  return sum;
}

CpuTime Sink::cpu_time() const {
  CpuTime sum;
  for (const auto& worker : state_->workers) {
    const CpuTime time = worker->cpu_time();
    sum.user += time.user;
    sum.system += time.system;
  }
  return sum;
}

bool Sink::finished() const { return state_->shared.stopping.load(); }

Summary Sink::stop() {
  if (!state_->summary) {
    const Duration elapsed = std::chrono::steady_clock::now() - state_->started_at;
    state_->end_workers();
    Summary& summary = state_->summary.emplace();
    summary.tally = tally();
    summary.cpu = cpu_time();
    summary.elapsed = elapsed;
    summary.threads = state_->workers.size();
    if (state_->shared.limits != nullptr) {
      summary.limits = state_->shared.limits->report();
    }
    if (state_->shared.record != nullptr) {
      summary.record_failure = state_->shared.record->failure();
    }
  }
  return *state_->summary;
}

}  // namespace ringpost::sink
