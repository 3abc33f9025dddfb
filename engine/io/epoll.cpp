// The problem: what a ring does in the kernel (arm once, send all, cancel at a close, report in one
// batch) has to be done here, with a system call for each send and each receive, and nobody above
// may see a difference. The idea: operations are noted and carried out by wait(), in the order in
// which they were prepared, so that a close comes behind a send of the same turn. The kernel tells
// changes only (EPOLLET), and what a socket was last said to be is kept beside it: a socket costs
// one epoll_ctl in its life, and one that is idle costs nothing.
//
// - A send is tried at once; what the socket has no room for waits until the kernel says that there
//   is some.
// - Sockets that have octets stand in a queue. Each turn takes one buffer's worth of the first, and
//   who may have more stands behind the others, until the buffers are used up; whoever is left over
//   is first in the next wait(), which then does not sleep. So memory is bounded, and a loud peer
//   takes turns with the others.
// - A read that does not fill its buffer has emptied the socket (epoll(7)), unless the stream has
//   ended behind it.
// - An event names the socket's generation beside its handle: a child that has not reached its
// exec()
//   yet may keep a closed socket in the set, whose handle is another one's by now.
//
// Limits: a system call for each send and each receive; docs/explanation/speed.md says what that
// costs. Where the kernel has no epoll_pwait2, or a sandbox refuses it, deadlines are rounded up
// to the millisecond.
#include "engine/io/epoll.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "engine/io/clocks.h"
#include "engine/io/stream_socket.h"

namespace ringpost::io {

namespace {

constexpr int events_per_wait_max = 512;
constexpr std::uint32_t accepts_per_wait_max = 64;
// What else a process opens while it runs: files of jobs, outcomes and states, look-ups of names.
constexpr rlim_t other_files = 24;
constexpr std::uint32_t socket_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// What an event is about, from the low end: 32 bits of a handle, of a door's index or nothing, 30
// of the socket's generation, 2 of the kind.
enum class Watched : std::uint8_t { socket, door, wake };
constexpr unsigned generation_shift = 32;
constexpr unsigned kind_shift = 62;
constexpr std::uint32_t generation_mask = (1u << 30) - 1;

std::uint64_t event_tag(Watched kind, std::uint32_t number, std::uint32_t generation) {
  return (std::uint64_t{static_cast<std::uint8_t>(kind)} << kind_shift) |
         (std::uint64_t{generation} << generation_shift) | number;
}

// How many sockets there is room for, of `wanted`; the soft limit on open files makes room for
// them. `open_already` descriptors are others' (a new one has the lowest free number).
std::uint32_t make_room(const IoOptions& options, int open_already) {
  static std::mutex mutex;  // reading and writing are two calls, and workers start together
  const std::lock_guard lock(mutex);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return options.sockets_max;
  }
  const rlim_t others = static_cast<rlim_t>(open_already) + other_files;
  const rlim_t left = limit.rlim_max > others ? limit.rlim_max - others : 0;
  const rlim_t share = std::max<rlim_t>(1, left / std::max(1u, options.share_files_among));
  const auto sockets = static_cast<std::uint32_t>(std::min<rlim_t>(options.sockets_max, share));
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, limit.rlim_cur + sockets);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return sockets;
}

}  // namespace

struct Epoll::State {
  struct Socket {
    int descriptor = -1;  // -1: the handle is free
    std::uint32_t generation = 0;
    SocketAddress address;
    Owner connecting_owner = 0;
    Owner receiving_owner = 0;
    Owner sending_owner = 0;
    Bytes unsent;  // of the send under way
    std::size_t sending_bytes = 0;
    bool closing = false;  // close was asked for
    bool connecting = false;
    bool receiving = false;
    bool readable = false;  // or nobody has tried since the kernel said so
    bool at_end = false;    // the peer has ended the stream, behind what can still be read
    bool in_turn = false;   // stands in `to_receive`
  };
  enum class Step : std::uint8_t { connect, receive, send, reset, close, accept };
  struct Prepared {
    Step step;
    std::uint32_t number;  // a handle, or a door's
    Owner owner;
  };
  struct Door {
    int descriptor = -1;
    Owner owner = 0;
  };

  IoOptions options;
  int epoll_descriptor = -1;
  int wake_descriptor = -1;
  bool waits_in_ns = true;
  std::vector<Socket> sockets;
  std::vector<Handle> free_sockets;
  std::vector<Door> doors;
  std::vector<Prepared> prepared;
  std::vector<Handle> to_receive;
  std::unique_ptr<char[]> buffers;
  std::uint32_t buffers_used = 0;
  std::vector<epoll_event> events;
  std::vector<Completion> completions;
  IoCounters counters;
  Clocks clocks;

  ~State();
  Result<void, IoError> set_up();
  void prepare(Step step, std::uint32_t number, Owner owner);
  void carry_out();
  void begin_connect(Handle handle, Owner owner);
  void reset(Handle handle) const;
  void close(Handle handle, Owner owner);
  void open_door(std::uint32_t number);
  int watch_socket(Handle handle);
  int collect(Instant deadline);
  int collect_until(Instant deadline);
  void act_on(const epoll_event& event);
  void act_on_socket(Handle handle, std::uint32_t events_seen);
  void end_connect(Handle handle);
  void go_on_sending(Handle handle);
  void admit(std::uint32_t door);
  [[nodiscard]] std::int32_t accept_one(const Door& door);
  void reset_wake();
  void stand_in_turn(Handle handle);
  void receive_in_turns();
  void receive_once(Handle handle);
  void complete(Operation operation, Handle handle, Owner owner, std::int32_t result);
  [[nodiscard]] bool has_work() const { return !completions.empty() || !to_receive.empty(); }
};

Epoll::State::~State() {
  for (const Socket& socket : sockets) {
    if (socket.descriptor >= 0) {
      ::close(socket.descriptor);
    }
  }
  for (const int descriptor : {epoll_descriptor, wake_descriptor}) {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
}

Result<void, IoError> Epoll::State::set_up() {
  epoll_descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_descriptor < 0) {
    return Failure(IoError{errno, "epoll could not be set up"});
  }
  wake_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_descriptor < 0) {
    return Failure(IoError{errno, "eventfd"});
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = event_tag(Watched::wake, 0, 0);
  if (::epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, wake_descriptor, &event) != 0) {
    return Failure(IoError{errno, "epoll_ctl"});
  }
  options.sockets_max = make_room(options, wake_descriptor);
  sockets.resize(options.sockets_max);
  for (Handle handle = options.sockets_max; handle > 0; --handle) {
    free_sockets.push_back(handle - 1);
  }
  // Default-initialised on purpose: octets are written before they are read, and what no peer has
  // filled costs no memory.
  buffers.reset(new char[std::size_t{options.receive_buffers} * options.receive_buffer_bytes]);
  events.resize(events_per_wait_max);
  completions.reserve(events_per_wait_max);
  prepared.reserve(events_per_wait_max);
  return {};
}

void Epoll::State::prepare(Step step, std::uint32_t number, Owner owner) {
  ++counters.submitted;
  prepared.push_back({step, number, owner});
}

void Epoll::State::complete(Operation operation, Handle handle, Owner owner, std::int32_t result) {
  Completion completion;
  completion.owner = owner;
  completion.handle = handle;
  completion.operation = operation;
  completion.result = result;
  completions.push_back(completion);
}

// What was prepared, in its order.
void Epoll::State::carry_out() {
  for (const Prepared& one : prepared) {
    switch (one.step) {
      case Step::connect:
        begin_connect(one.number, one.owner);
        break;
      case Step::receive:
        sockets[one.number].receiving_owner = one.owner;
        if (sockets[one.number].readable) {
          stand_in_turn(one.number);
        }
        break;
      case Step::send:
        sockets[one.number].sending_owner = one.owner;
        go_on_sending(one.number);
        break;
      case Step::reset:
        reset(one.number);
        break;
      case Step::close:
        close(one.number, one.owner);
        break;
      case Step::accept:
        open_door(one.number);
        break;
    }
  }
  prepared.clear();
}

// 0, or -errno. Before it is connected or connecting a socket would be reported as hung up.
int Epoll::State::watch_socket(Handle handle) {
  epoll_event event{};
  event.events = socket_events;
  event.data.u64 = event_tag(Watched::socket, handle, sockets[handle].generation);
  const int descriptor = sockets[handle].descriptor;
  return ::epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

void Epoll::State::begin_connect(Handle handle, Owner owner) {
  Socket& socket = sockets[handle];
  ++counters.enters;
  const auto* const address = reinterpret_cast<const sockaddr*>(&socket.address.storage);
  const int connected = ::connect(socket.descriptor, address, socket.address.length);
  const int begun = connected == 0 || errno == EINPROGRESS ? 0 : -errno;
  const int watched = begun == 0 ? watch_socket(handle) : begun;
  if (connected == 0 || watched != 0) {
    complete(Operation::connect, handle, owner, watched);
    return;
  }
  socket.connecting = true;
  socket.connecting_owner = owner;
}

void Epoll::State::end_connect(Handle handle) {
  Socket& socket = sockets[handle];
  int error_number = 0;
  socklen_t size = sizeof(error_number);
  ++counters.enters;
  if (::getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) {
    error_number = errno;
  }
  socket.connecting = false;
  complete(Operation::connect, handle, socket.connecting_owner, -error_number);
}

// As much as there is room for. A count that is short has filled the room (epoll(7)), and the
// kernel tells when there is some again.
void Epoll::State::go_on_sending(Handle handle) {
  Socket& socket = sockets[handle];
  ++counters.enters;
  const ssize_t sent = ::send(socket.descriptor, socket.unsent.data(), socket.unsent.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  socket.unsent.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  if (sent >= 0 && !socket.unsent.empty()) {
    return;
  }
  const std::int32_t result = sent < 0 ? -errno : static_cast<std::int32_t>(socket.sending_bytes);
  socket.unsent = {};
  socket.sending_bytes = 0;
  complete(Operation::send, handle, socket.sending_owner, result);
}

// connect(2) to AF_UNSPEC dissolves a TCP connection, which Linux does with a reset.
void Epoll::State::reset(Handle handle) const {
  static const sockaddr nowhere{};
  static_assert(AF_UNSPEC == 0);
  ::connect(sockets[handle].descriptor, &nowhere, sizeof(nowhere));
}

void Epoll::State::close(Handle handle, Owner owner) {
  Socket& socket = sockets[handle];
  if (socket.connecting) {
    complete(Operation::connect, handle, socket.connecting_owner, -ECANCELED);
  }
  if (socket.receiving) {
    complete(Operation::receive, handle, socket.receiving_owner, -ECANCELED);
  }
  if (socket.sending_bytes > 0) {
    complete(Operation::send, handle, socket.sending_owner, -ECANCELED);
  }
  ++counters.enters;
  ::close(socket.descriptor);
  const std::uint32_t generation = (socket.generation + 1) & generation_mask;
  socket = Socket{};
  socket.generation = generation;
  free_sockets.push_back(handle);
  complete(Operation::close, handle, owner, 0);
}

// Level-triggered: a connection that found no room is reported again when the door is opened again.
void Epoll::State::open_door(std::uint32_t number) {
  const Door& door = doors[number];
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = event_tag(Watched::door, number, 0);
  const int flags = ::fcntl(door.descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(door.descriptor, F_SETFL, flags | O_NONBLOCK) != 0 ||
      (::epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, door.descriptor, &event) != 0 &&
       errno != EEXIST)) {
    complete(Operation::accept, 0, door.owner, -errno);
  }
}

// A handle, or -errno; -EAGAIN: nobody is there.
std::int32_t Epoll::State::accept_one(const Door& door) {
  if (free_sockets.empty()) {
    return -ENFILE;
  }
  ++counters.enters;
  const int descriptor = ::accept4(door.descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) {
    return -errno;
  }
  const Handle handle = free_sockets.back();
  sockets[handle].descriptor = descriptor;
  if (const int watched = watch_socket(handle); watched != 0) {
    sockets[handle].descriptor = -1;
    ::close(descriptor);
    return watched;
  }
  free_sockets.pop_back();
  return static_cast<std::int32_t>(handle);
}

void Epoll::State::admit(std::uint32_t number) {
  const Door door = doors[number];
  for (std::uint32_t i = 0; i < accepts_per_wait_max && (i == 0 || !free_sockets.empty()); ++i) {
    const std::int32_t result = accept_one(door);
    if (result == -EAGAIN) {
      return;
    }
    if (result == -ECONNABORTED || result == -EINTR || result == -EPROTO) {
      continue;  // that client has gone again
    }
    complete(Operation::accept, 0, door.owner, result);
    completions.back().more = result >= 0;
    if (result < 0) {
      // Whoever waits at the door stays there until it is opened again.
      ::epoll_ctl(epoll_descriptor, EPOLL_CTL_DEL, door.descriptor, nullptr);
      return;
    }
  }
}

void Epoll::State::reset_wake() {
  std::uint64_t count = 0;
  if (::read(wake_descriptor, &count, sizeof(count)) == sizeof(count)) {
    complete(Operation::wake, 0, 0, 0);
  }
}

// How many events there are. What interrupts a wait, such as a process that is continued, is none.
int Epoll::State::collect(Instant deadline) {
  int count = -1;
  do {
    ++counters.enters;
    const bool is_over = has_work() || deadline <= std::chrono::steady_clock::now();
    count = is_over || deadline == never ? ::epoll_wait(epoll_descriptor, events.data(),
                                                        events_per_wait_max, is_over ? 0 : -1)
                                         : collect_until(deadline);
  } while (count < 0 && errno == EINTR);
  RP_ASSERT(count >= 0);
  return count;
}

int Epoll::State::collect_until(Instant deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
      deadline - std::chrono::steady_clock::now());
  const std::int64_t ns = std::max<std::int64_t>(0, left.count());
  if (waits_in_ns) {
    const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    const int count =
        ::epoll_pwait2(epoll_descriptor, events.data(), events_per_wait_max, &timeout, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
      return count;
    }
    waits_in_ns = false;
  }
  // Of a deadline that is days away the caller is told early, and asks again.
  constexpr std::int64_t ms_max = std::numeric_limits<int>::max();
  const auto ms = static_cast<int>(std::min(ms_max, (ns + 999'999) / 1'000'000));
  return ::epoll_wait(epoll_descriptor, events.data(), events_per_wait_max, ms);
}

void Epoll::State::act_on(const epoll_event& event) {
  const auto number = static_cast<std::uint32_t>(event.data.u64);
  const auto generation =
      static_cast<std::uint32_t>(event.data.u64 >> generation_shift) & generation_mask;
  switch (static_cast<Watched>(event.data.u64 >> kind_shift)) {
    case Watched::wake:
      reset_wake();
      return;
    case Watched::door:
      admit(number);
      return;
    case Watched::socket:
      if (sockets[number].descriptor >= 0 && sockets[number].generation == generation) {
        act_on_socket(number, event.events);
      }
      return;
  }
}

void Epoll::State::act_on_socket(Handle handle, std::uint32_t events_seen) {
  Socket& socket = sockets[handle];
  const bool has_failed = (events_seen & (EPOLLERR | EPOLLHUP)) != 0;
  const bool writable = has_failed || (events_seen & EPOLLOUT) != 0;
  if (socket.connecting) {
    if (!writable) {
      return;
    }
    end_connect(handle);
  }
  if (has_failed || (events_seen & (EPOLLIN | EPOLLRDHUP)) != 0) {
    socket.readable = true;
    socket.at_end = socket.at_end || has_failed || (events_seen & EPOLLRDHUP) != 0;
    if (socket.receiving) {
      stand_in_turn(handle);
    }
  }
  if (writable && !socket.unsent.empty()) {
    go_on_sending(handle);
  }
}

void Epoll::State::stand_in_turn(Handle handle) {
  if (!sockets[handle].in_turn) {
    sockets[handle].in_turn = true;
    to_receive.push_back(handle);
  }
}

void Epoll::State::receive_in_turns() {
  std::size_t at = 0;
  for (; at < to_receive.size() && buffers_used < options.receive_buffers; ++at) {
    const Handle handle = to_receive[at];
    // Closed since, and perhaps another one's by now, which then stands here once more.
    if (sockets[handle].in_turn) {
      sockets[handle].in_turn = false;
      receive_once(handle);
    }
  }
  to_receive.erase(to_receive.begin(), to_receive.begin() + static_cast<std::ptrdiff_t>(at));
  counters.receive_buffers_exhausted += to_receive.empty() ? 0u : 1u;
}

void Epoll::State::receive_once(Handle handle) {
  Socket& socket = sockets[handle];
  char* const memory = buffers.get() + std::size_t{buffers_used} * options.receive_buffer_bytes;
  ++counters.enters;
  const ssize_t received =
      ::recv(socket.descriptor, memory, options.receive_buffer_bytes, MSG_DONTWAIT);
  if (received < 0 && errno == EINTR) {
    return stand_in_turn(handle);
  }
  if (received < 0 && errno == EAGAIN) {
    socket.readable = false;
    return;
  }
  const auto result = static_cast<std::int32_t>(received < 0 ? -errno : received);
  complete(Operation::receive, handle, socket.receiving_owner, result);
  if (received <= 0) {
    socket.receiving = false;
    return;
  }
  ++buffers_used;
  ++counters.receives;
  completions.back().data = Bytes(memory, static_cast<std::size_t>(received));
  completions.back().more = true;
  if (socket.at_end || static_cast<std::size_t>(received) == options.receive_buffer_bytes) {
    stand_in_turn(handle);
  } else {
    socket.readable = false;
  }
}

Result<std::unique_ptr<Epoll>, IoError> Epoll::create(const IoOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  if (auto result = state->set_up(); !result) {
    return Failure(result.error());
  }
  state->clocks.read();
  return std::unique_ptr<Epoll>(new Epoll(std::move(state)));
}

Epoll::Epoll(std::unique_ptr<State> state) : state_(std::move(state)) {}

Epoll::~Epoll() = default;

Instant Epoll::now() const { return state_->clocks.now; }

std::int64_t Epoll::unix_time_us() const { return state_->clocks.unix_time_us; }

Result<Handle, IoError> Epoll::open(const SocketAddress& address) {
  State& state = *state_;
  if (state.free_sockets.empty()) {
    return Failure(IoError{ENFILE, "every socket of this core is in use"});
  }
  const auto descriptor = open_stream_socket(address);
  if (!descriptor) {
    return Failure(descriptor.error());
  }
  const Handle handle = state.free_sockets.back();
  state.free_sockets.pop_back();
  state.sockets[handle].descriptor = *descriptor;
  return handle;
}

void Epoll::connect(Handle handle, const SocketAddress& address, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.descriptor >= 0 && !socket.closing);
  socket.address = address;
  state_->prepare(State::Step::connect, handle, owner);
}

void Epoll::receive(Handle handle, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.descriptor >= 0 && !socket.closing && !socket.receiving);
  socket.receiving = true;
  state_->prepare(State::Step::receive, handle, owner);
}

void Epoll::send(Handle handle, Bytes bytes, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.descriptor >= 0 && !socket.closing && socket.sending_bytes == 0 &&
            !bytes.empty());
  socket.unsent = bytes;
  socket.sending_bytes = bytes.size();
  ++state_->counters.sends;
  state_->counters.send_bytes += bytes.size();
  state_->prepare(State::Step::send, handle, owner);
}

void Epoll::close(Handle handle, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.descriptor >= 0 && !socket.closing);
  socket.closing = true;
  state_->prepare(State::Step::close, handle, owner);
}

void Epoll::reset(Handle handle) {
  RP_ASSERT(state_->sockets[handle].descriptor >= 0 && !state_->sockets[handle].closing);
  state_->prepare(State::Step::reset, handle, 0);
}

void Epoll::accept(int listening_descriptor, Owner owner) {
  std::vector<State::Door>& doors = state_->doors;
  const auto known = std::find_if(doors.begin(), doors.end(), [&](const State::Door& door) {
    return door.descriptor == listening_descriptor;
  });
  const auto number = static_cast<std::uint32_t>(known - doors.begin());
  if (known == doors.end()) {
    doors.emplace_back();
  }
  doors[number] = {listening_descriptor, owner};
  state_->prepare(State::Step::accept, number, owner);
}

std::span<const Completion> Epoll::wait(Instant deadline) {
  State& state = *state_;
  state.completions.clear();
  state.buffers_used = 0;
  state.carry_out();
  do {
    const int count = state.collect(deadline);
    state.clocks.read();
    for (int i = 0; i < count; ++i) {
      state.act_on(state.events[static_cast<std::size_t>(i)]);
    }
    state.receive_in_turns();
    // Again, when all that has happened was octets that nobody receives yet, or a little more room.
  } while (state.completions.empty() && state.clocks.now < deadline);
  state.counters.completions += state.completions.size();
  return state.completions;
}

void Epoll::pause(Duration duration) { std::this_thread::sleep_for(duration); }

void Epoll::wake() {
  const std::uint64_t one = 1;
  // An eventfd write of one fails only when the counter is full, and then a wake is pending anyway.
  [[maybe_unused]] const auto written = ::write(state_->wake_descriptor, &one, sizeof(one));
}

std::uint32_t Epoll::sockets_max() const { return state_->options.sockets_max; }

IoCounters Epoll::counters() const { return state_->counters; }

}  // namespace ringpost::io
