// One turn: wait, act on everything that came, then let every connection that has something to say
// say it in one send. Completions never act on each other, and replies to all that one turn brought
// share a record, a send and a system call.
#include "tools/server/connection_server.h"

#include <algorithm>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

#include "engine/io/make_io.h"

namespace ringpost::server {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t output_bytes = 32u << 10;
constexpr std::size_t memory_kept_max = 256;    // output buffers
constexpr std::uint32_t turned_away_max = 256;  // sockets beyond sessions_max, to say 421 on
constexpr auto linger_time = 1s;                // for a client that is still sending
constexpr auto give_up_time = 10s;              // for one that does not read its 421
constexpr Duration sweep_interval_max = 250ms;
constexpr Duration sweep_interval_min = 10ms;

}  // namespace

ConnectionServer::~ConnectionServer() = default;

// The kernel bounds a ring's sockets by the hard limit on open files (ulimit -Hn). A server that
// was asked for more takes what there is.
std::uint32_t ConnectionServer::sockets_max() const {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t wanted = options_.sessions_max + turned_away_max;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, limit.rlim_max));
}

Result<void, std::string> ConnectionServer::set_up(std::vector<io::Listener> listeners,
                                                   std::vector<ConnectionSetup> setups) {
  RP_ASSERT(listeners.size() == setups.size());
  const auto found = io::find_io(options_.io);
  if (!found) {
    return Failure(found.error().message());
  }
  io::IoOptions io_options;
  io_options.sockets_max = sockets_max();
  io_options.share_files_among = options_.threads;
  // A TLS record of 16 KB and what stands around it in one piece, and all of them in the L2 cache.
  io_options.receive_buffers = 64;
  io_options.receive_buffer_bytes = 32u << 10;
  auto io = io::make_io(found->kind, io_options);
  if (!io) {
    return Failure(io.error().message());
  }
  io_ = std::move(*io);
  // Some stay spare, to say 421 on.
  const std::size_t sockets = io_->sockets_max();
  sessions_max_ = std::min(options_.sessions_max, sockets - sockets / 8);
  listeners_ = std::move(listeners);
  setups_ = std::move(setups);
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    io_->accept(listeners_[i].descriptor(), i);
  }
  return {};
}

void ConnectionServer::run() {
  now_ = io_->now();
  while (!done_) {
    turn();
  }
}

void ConnectionServer::turn() {
  const std::span<const io::Completion> completions = io_->wait(deadline());
  now_ = io_->now();
  begin_turn();
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
  end_turn();
  done_ = stop_at_ != never && (open_ == 0 || now_ >= stop_at_);
}

Instant ConnectionServer::deadline() const {
  Instant deadline = std::min(stop_at_, next_turn_at());
  if (open_ > 0 || !unarmed_.empty()) {
    deadline = std::min(deadline, next_sweep_);
  }
  return timers_.empty() ? deadline : std::min(deadline, timers_.top().due);
}

void ConnectionServer::act_on(const io::Completion& completion) {
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

void ConnectionServer::accepted(const io::Completion& completion) {
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
  const std::uint64_t number = next_number();
  slot.connection = std::make_unique<ClientConnection>(
      setups_[completion.owner], number,
      observer_for(completion.owner, {index, slot.generation}, number));
  ++open_;
  counts_.add(Count::sessions);
  if (open_ > sessions_max_ || is_draining_ || stop_at_ != never) {
    counts_.add(Count::sessions_refused);
    slot.connection->turn_away();
  } else {
    slot.connection->start(now_);
  }
  io_->receive(slot.handle, index);
  make_ready(index);
}

void ConnectionServer::received(const io::Completion& completion) {
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

void ConnectionServer::sent(const io::Completion& completion) {
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

void ConnectionServer::make_ready(std::uint32_t index) {
  if (!slots_[index].in_ready) {
    slots_[index].in_ready = true;
    ready_.push_back(index);
  }
}

// One send under way, carrying everything that is ready.
void ConnectionServer::flush(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.connection == nullptr || slot.closing) {
    return;
  }
  if (slot.connection->is_hopeless()) {
    return close(index);
  }
  send_away(index);
  if (slot.lingering || slot.sending != nullptr) {
    return;
  }
  std::unique_ptr<char[]> memory = take_memory();
  ByteBuffer output(memory.get(), output_bytes);
  // Who is told 421 because the server stops gets everything at once, whatever the latency.
  slot.connection->collect(output, stop_at_ == never ? now_ : never);
  if (!output.empty()) {
    io_->send(slot.handle, output.bytes(), index);
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

void ConnectionServer::fire_timers() {
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

void ConnectionServer::finish(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (!slot.connection->should_linger() || !slot.receiving) {
    return close(index);
  }
  slot.lingering = true;
  slot.give_up_at = now_ + linger_time;
}

void ConnectionServer::close(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.closing = true;
  if (slot.connection->should_reset()) {
    io_->reset(slot.handle);
  }
  io_->close(slot.handle, index);
}

// Its Io may still use the connection's memory and name its owner until all three are over.
void ConnectionServer::release_if_ended(std::uint32_t index) {
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
void ConnectionServer::sweep() {
  const ConnectionLimits limits = this->limits();
  Duration shortest = options_.idle_timeout;
  for (const Duration limit : {limits.idle, limits.age}) {
    shortest = limit == Duration::zero() ? shortest : std::min(shortest, limit);
  }
  next_sweep_ = now_ + std::clamp(shortest / 4, sweep_interval_min, sweep_interval_max);
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr && !slots_[index].closing) {
      sweep(index, limits);
    }
  }
  for (const std::uint32_t listener : std::exchange(unarmed_, {})) {
    if (!is_draining_) {
      io_->accept(listeners_[listener].descriptor(), listener);
    }
  }
}

// Who is in the middle of something is not told that his connection is too old before his next
// message, and who waits for an answer is not silent.
void ConnectionServer::sweep(std::uint32_t index, const ConnectionLimits& limits) {
  Slot& slot = slots_[index];
  const Duration silence = now_ - slot.last_heard;
  if (now_ >= slot.give_up_at) {
    slot.connection->lost();
  } else if (slot.give_up_at != never || slot.connection->owes_answers()) {
    return;
  } else if (limits.idle != Duration::zero() && silence >= limits.idle) {
    slot.connection->say_goodbye(on_limit_reached(false));
  } else if (limits.age != Duration::zero() && now_ - slot.since >= limits.age && silence >= 1s) {
    slot.connection->say_goodbye(on_limit_reached(true));
  } else if (silence >= options_.idle_timeout) {
    counts_.add(Count::sessions_timed_out);
    slot.connection->time_out();
  } else {
    return;
  }
  slot.give_up_at = std::min(slot.give_up_at, now_ + give_up_time);
  make_ready(index);
}

// ---- What a derived class does ------------------------------------------------------------------

void ConnectionServer::answer(ConnectionKey key, std::uint64_t message, const Answer& answer) {
  if (key.slot >= slots_.size()) {
    return;
  }
  Slot& slot = slots_[key.slot];
  if (slot.connection == nullptr || slot.generation != key.generation || slot.closing) {
    return;
  }
  slot.connection->answer(message, answer);
  slot.last_heard = now_;
  make_ready(key.slot);
}

void ConnectionServer::begin_drain() {
  is_draining_ = true;
  for (const io::Listener& listener : listeners_) {
    // What is armed on it comes to its end, and nobody can connect any more.
    ::shutdown(listener.descriptor(), SHUT_RDWR);
  }
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr) {
      make_ready(index);
    }
  }
}

// While the server drains.
void ConnectionServer::send_away(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (is_draining_ && slot.give_up_at == never && slot.connection->is_between_messages()) {
    slot.connection->say_goodbye(options_.farewell);
    slot.give_up_at = now_ + give_up_time;
  }
}

void ConnectionServer::begin_stop(Duration at_most) {
  is_draining_ = true;
  stop_at_ = now_ + at_most;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr && !slots_[index].closing) {
      slots_[index].connection->say_goodbye(options_.farewell);
      make_ready(index);
    }
  }
}

std::unique_ptr<char[]> ConnectionServer::take_memory() {
  if (memory_.empty()) {
    return std::make_unique_for_overwrite<char[]>(output_bytes);
  }
  std::unique_ptr<char[]> memory = std::move(memory_.back());
  memory_.pop_back();
  return memory;
}

}  // namespace ringpost::server
