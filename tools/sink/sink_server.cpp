// One turn: wait, act on everything that came, then let every connection that has something to say
// say it in one send. Completions never act on each other, and replies to all that one turn brought
// share a record, a send and a system call.
#include "tools/sink/sink_server.h"

#include <algorithm>
#include <sys/resource.h>
#include <utility>

#include "tls/sasl_crypto.h"

namespace ringpost::sink {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t output_bytes = 32u << 10;
constexpr std::size_t memory_kept_max = 256;    // output buffers
constexpr std::uint32_t turned_away_max = 256;  // sockets beyond sessions_max, to say 421 on
constexpr auto linger_time = 1s;                // for a client that is still sending
constexpr auto give_up_time = 10s;              // for one that does not read its 421
constexpr auto stop_time = 500ms;
constexpr auto record_delay = 20ms;  // a line waits for others, but not longer
constexpr Duration sweep_interval_max = 250ms;
constexpr Duration sweep_interval_min = 10ms;

}  // namespace

Result<std::unique_ptr<SinkServer>, std::string> SinkServer::create(
    SinkShared& shared, std::vector<BoundListener> listeners) {
  std::unique_ptr<SinkServer> server(new SinkServer(shared, std::move(listeners)));
  if (auto result = server->set_up(); !result) {
    return Failure(result.error());
  }
  return server;
}

SinkServer::SinkServer(SinkShared& shared, std::vector<BoundListener> listeners)
    : shared_(shared), listeners_(std::move(listeners)) {}

SinkServer::~SinkServer() = default;

// The kernel bounds a ring's sockets by the hard limit on open files (ulimit -Hn). A sink that was
// asked for more takes what there is; some stay spare, to say 421 on.
std::uint32_t SinkServer::sockets_max() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t wanted = shared_.options.sessions_max / shared_.options.threads;
  const std::uint64_t sockets = std::min<std::uint64_t>(wanted + turned_away_max, limit.rlim_max);
  sessions_max_ = std::min<std::uint64_t>(wanted, sockets - sockets / 8);
  return static_cast<std::uint32_t>(sockets);
}

Result<void, std::string> SinkServer::set_up() {
  const SinkOptions& options = shared_.options;
  io::RingOptions ring_options;
  ring_options.sockets_max = sockets_max();
  // A TLS record of 16 KB and what stands around it in one piece, and all of them in the L2 cache.
  ring_options.receive_buffers = 64;
  ring_options.receive_buffer_bytes = 32u << 10;
  auto ring = io::Ring::create(ring_options);
  if (!ring) {
    return Failure(ring.error().message());
  }
  ring_ = std::move(*ring);

  const bool speaks_tls =
      std::any_of(listeners_.begin(), listeners_.end(),
                  [](const BoundListener& bound) { return bound.kind != ListenerKind::plain; });
  if (speaks_tls) {
    tls::ContextOptions tls_options;
    tls_options.role = tls::Role::server;
    tls_options.certificate_file = options.certificate_file;
    tls_options.key_file = options.key_file;
    tls_options.certificate_pem = shared_.certificate_pem;
    tls_options.key_pem = shared_.key_pem;
    auto context = tls::Context::create(tls_options);
    if (!context) {
      return Failure(context.error().message());
    }
    context_ = std::move(*context);
  }
  if (shared_.record != nullptr) {
    record_ = std::make_unique<RecordBuffer>(*shared_.record);
  }
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    setups_.push_back(setup_for(listeners_[i].kind));
    ring_->accept(listeners_[i].listener.descriptor(), i);
  }
  return {};
}

ConnectionSetup SinkServer::setup_for(ListenerKind kind) {
  const SinkOptions& options = shared_.options;
  ConnectionSetup setup;
  server::SessionPolicy& policy = setup.session.policy;
  policy.starttls = kind == ListenerKind::starttls;
  policy.auth_in_clear = kind == ListenerKind::plain && options.plain_auth;
  policy.auth_required = kind != ListenerKind::plain || options.plain_auth;
  setup.session.options = &options.session;
  setup.session.accounts = &shared_.accounts;
  setup.session.crypto = &tls::sasl_crypto();
  setup.session.counts = &tally_;
  setup.faults = &options.faults;
  setup.context = context_.get();
  setup.implicit_tls = kind == ListenerKind::tls;
  setup.tally = &tally_;
  setup.record = record_.get();
  setup.limits = shared_.limits.get();
  return setup;
}

void SinkServer::run() {
  now_ = ring_->now();
  while (!done_) {
    turn();
  }
}

void SinkServer::turn() {
  const std::span<const io::Completion> completions = ring_->wait(deadline());
  now_ = ring_->now();
  if (record_ != nullptr) {
    record_->set_time(ring_->unix_time_us());
  }
  if (shared_.stopping.load(std::memory_order_relaxed) && stop_at_ == never) {
    begin_stop();
  }
  for (const io::Completion& completion : completions) {
    act_on(completion);
  }
  fire_timers();
  if (now_ >= next_sweep_) {
    sweep();
  }
  // By index: flushing may not add to it, but nobody should have to know.
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    slots_[ready_[i]].in_ready = false;
    flush(ready_[i]);
  }
  ready_.clear();
  flush_record();
  note_messages();
  // Before the replies leave with the next wait: who reads one may count on the numbers.
  published_.publish(tally_);
  done_ = stop_at_ != never && (open_ == 0 || now_ >= stop_at_);
}

Instant SinkServer::deadline() const {
  Instant deadline = std::min(stop_at_, flush_record_at_);
  if (open_ > 0 || !unarmed_.empty()) {
    deadline = std::min(deadline, next_sweep_);
  }
  return timers_.empty() ? deadline : std::min(deadline, timers_.top().due);
}

void SinkServer::act_on(const io::Completion& completion) {
  switch (completion.operation) {
    case io::Operation::accept:
      return accepted(completion);
    case io::Operation::receive:
      return received(completion);
    case io::Operation::send:
      return sent(completion);
    case io::Operation::close:
      slots_[completion.owner].closed = true;
      return release_if_ended(completion.owner);
    case io::Operation::connect:
    case io::Operation::wake:
      return;
  }
}

void SinkServer::accepted(const io::Completion& completion) {
  if (!completion.more) {
    unarmed_.push_back(completion.owner);  // the next sweep tries again
  }
  if (completion.result < 0) {
    return;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.handle = static_cast<io::Handle>(completion.result);
  slot.since = slot.last_heard = now_;
  slot.receiving = true;
  const std::uint64_t number = shared_.sessions.fetch_add(1, std::memory_order_relaxed) + 1;
  slot.connection = std::make_unique<ClientConnection>(setups_[completion.owner], number);
  ++open_;
  tally_.add(Count::sessions);
  if (open_ > sessions_max_ || stop_at_ != never) {
    tally_.add(Count::sessions_refused);
    slot.connection->turn_away();
  } else {
    slot.connection->start(now_);
  }
  ring_->receive(slot.handle, index);
  make_ready(index);
}

void SinkServer::received(const io::Completion& completion) {
  const std::uint32_t index = completion.owner;
  Slot& slot = slots_[index];
  slot.receiving = completion.more;
  if (slot.closing) {
    return release_if_ended(index);
  }
  slot.last_heard = now_;
  if (completion.result > 0) {
    if (!slot.lingering) {
      slot.connection->received(completion.data, now_);
    }
  } else if (completion.result == 0) {
    slot.connection->peer_ended();
  } else {
    slot.connection->lost();
  }
  if (completion.result == 0 && slot.lingering) {
    return close(index);
  }
  make_ready(index);
}

void SinkServer::sent(const io::Completion& completion) {
  const std::uint32_t index = completion.owner;
  Slot& slot = slots_[index];
  memory_.push_back(std::move(slot.sending));
  if (memory_.size() > memory_kept_max) {
    memory_.pop_back();
  }
  if (slot.closing) {
    return release_if_ended(index);
  }
  if (completion.result < 0) {
    slot.connection->lost();
  }
  make_ready(index);
}

void SinkServer::make_ready(std::uint32_t index) {
  if (!slots_[index].in_ready) {
    slots_[index].in_ready = true;
    ready_.push_back(index);
  }
}

// One send under way, carrying everything that is ready.
void SinkServer::flush(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.connection == nullptr || slot.closing) {
    return;
  }
  if (slot.connection->is_hopeless()) {
    return close(index);
  }
  if (slot.lingering || slot.sending != nullptr) {
    return;
  }
  std::unique_ptr<char[]> memory = take_memory();
  ByteBuffer output(memory.get(), output_bytes);
  // Who is told 421 because the sink stops gets everything at once, whatever the latency.
  slot.connection->collect(output, stop_at_ == never ? now_ : never);
  if (!output.empty()) {
    ring_->send(slot.handle, output.bytes(), index);
    slot.sending = std::move(memory);
    return;
  }
  memory_.push_back(std::move(memory));
  if (slot.connection->finished()) {
    return finish(index);
  }
  if (slot.connection->has_replies() && !slot.timer_armed) {
    slot.timer_armed = true;
    timers_.push({slot.connection->next_due(), index, slot.generation});
  }
}

void SinkServer::fire_timers() {
  while (!timers_.empty() && timers_.top().due <= now_) {
    const Timer timer = timers_.top();
    timers_.pop();
    Slot& slot = slots_[timer.slot];
    if (slot.generation == timer.generation) {
      slot.timer_armed = false;
      make_ready(timer.slot);
    }
  }
}

void SinkServer::finish(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (!slot.connection->should_linger() || !slot.receiving) {
    return close(index);
  }
  slot.lingering = true;
  slot.give_up_at = now_ + linger_time;
}

void SinkServer::close(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.closing = true;
  if (slot.connection->should_reset()) {
    ring_->reset(slot.handle);
  }
  ring_->close(slot.handle, index);
}

// The ring may still write to the connection's memory and name its owner until all three are over.
void SinkServer::release_if_ended(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (!slot.closed || slot.receiving || slot.sending != nullptr) {
    return;
  }
  const std::uint32_t generation = slot.generation + 1;
  const bool in_ready = slot.in_ready;
  slot = Slot{};
  slot.generation = generation;
  slot.in_ready = in_ready;
  free_slots_.push_back(index);
  --open_;
}

// Looks for clients that are silent or stuck, or here for too long, and for listeners that stopped.
void SinkServer::sweep() {
  ProviderLimits* const limits = shared_.limits.get();
  const Duration idle = limits != nullptr ? limits->idle(now_) : Duration::zero();
  const Duration age = limits != nullptr ? limits->age(now_) : Duration::zero();
  Duration shortest = shared_.options.idle_timeout;
  for (const Duration limit : {idle, age}) {
    shortest = limit == Duration::zero() ? shortest : std::min(shortest, limit);
  }
  next_sweep_ = now_ + std::clamp(shortest / 4, sweep_interval_min, sweep_interval_max);
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr && !slots_[index].closing) {
      sweep(index, idle, age);
    }
  }
  for (const std::uint32_t listener : std::exchange(unarmed_, {})) {
    ring_->accept(listeners_[listener].listener.descriptor(), listener);
  }
}

// `idle` and `age` are a provider's; 0: it has none. Who is in the middle of something is not told
// that his connection is too old before his next message.
void SinkServer::sweep(std::uint32_t index, Duration idle, Duration age) {
  Slot& slot = slots_[index];
  const Duration silence = now_ - slot.last_heard;
  if (now_ >= slot.give_up_at) {
    slot.connection->lost();
  } else if (slot.give_up_at != never) {
    return;
  } else if (idle != Duration::zero() && silence >= idle) {
    slot.connection->end_for(ProviderLimit::idle);
  } else if (age != Duration::zero() && now_ - slot.since >= age && silence >= 1s) {
    slot.connection->end_for(ProviderLimit::age);
  } else if (silence >= shared_.options.idle_timeout) {
    tally_.add(Count::sessions_timed_out);
    slot.connection->time_out();
  } else {
    return;
  }
  slot.give_up_at = std::min(slot.give_up_at, now_ + give_up_time);
  make_ready(index);
}

void SinkServer::flush_record() {
  if (record_ == nullptr || record_->empty()) {
    flush_record_at_ = never;
  } else if (flush_record_at_ == never) {
    flush_record_at_ = now_ + record_delay;
  } else if (now_ >= flush_record_at_) {
    record_->flush();
    flush_record_at_ = never;
  }
}

void SinkServer::note_messages() {
  const std::uint64_t limit = shared_.options.messages_max;
  const std::uint64_t accepted = tally_[Count::messages_accepted];
  if (limit == 0 || accepted == messages_noted_) {
    return;
  }
  const std::uint64_t more = accepted - std::exchange(messages_noted_, accepted);
  if (shared_.messages.fetch_add(more) + more >= limit) {
    shared_.stopping.store(true);
    ring_->wake();  // this thread; whoever watches the sink wakes the others
  }
}

void SinkServer::begin_stop() {
  stop_at_ = now_ + stop_time;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr && !slots_[index].closing) {
      slots_[index].connection->shut_down();
      make_ready(index);
    }
  }
}

std::unique_ptr<char[]> SinkServer::take_memory() {
  if (memory_.empty()) {
    return std::make_unique_for_overwrite<char[]>(output_bytes);
  }
  std::unique_ptr<char[]> memory = std::move(memory_.back());
  memory_.pop_back();
  return memory;
}

}  // namespace ringpost::sink
