// The problem: thousands of sockets, two system calls a message at most, and no surprise in the
// order of things. The idea: everything is prepared first, leaves with one io_uring_enter, and
// completions are copied out before anybody acts on one, so that no completion runs inside another.
//
// - SINGLE_ISSUER | DEFER_TASKRUN: completion work runs only while this thread waits.
// - Sockets are direct descriptors: no descriptor table look-up for each operation.
// - Receives are multishot from one provided-buffer ring: an idle session holds no buffer. A
// receive that
//   ran out of buffers, or that the kernel ended, is armed again here and nobody notices.
// - Sends ask for MSG_WAITALL: the kernel retries short sends, so a completion is all or a failure.
// - Close cancels what is under way on the socket first; the order of the submission queue keeps
// them.
//
// Not used: SQPOLL (burns a core we want for work), linked timeouts (slower than a wheel of our
// own), zero-copy send (slower below about 32 KB and on loopback).
#include "engine/io/ring.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <liburing.h>

#include "engine/io/clocks.h"
#include "engine/io/stream_socket.h"

namespace ringpost::io {

namespace {

constexpr std::size_t completions_per_wait_max = 1024;
constexpr int buffer_group = 0;

// user_data holds all that a completion needs to find its way, from the low end: 8 bits of
// operation, 24 of handle, 32 of owner. Nothing is looked up by handle, which may belong to another
// socket by then.
constexpr unsigned handle_shift = 8;
constexpr unsigned owner_shift = 32;
constexpr Handle handle_max = (1u << 24) - 1;

// An operation of the ring's own, beside io::Operation.
constexpr std::uint8_t cancel_operation = 0xff;

std::uint64_t tag(Owner owner, Handle handle, Operation operation) {
  return (std::uint64_t{owner} << owner_shift) | (std::uint64_t{handle} << handle_shift) |
         static_cast<std::uint8_t>(operation);
}

Handle handle_of(std::uint64_t user_data) {
  return static_cast<Handle>(user_data >> handle_shift) & handle_max;
}

Owner owner_of(std::uint64_t user_data) { return static_cast<Owner>(user_data >> owner_shift); }

// Whoever administrates this machine has said that nobody gets a ring, or that few do (sysctl(8)).
bool is_disabled_by_sysctl() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = 0;
  return (file >> value) && value != 0;
}

IoError setup_error(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES:
      if (is_disabled_by_sysctl()) {
        return {error_number, "io_uring is refused here: sysctl kernel.io_uring_disabled is not 0"};
      }
      return {error_number,
              "io_uring is refused here: the seccomp profile of this container or service has to "
              "allow io_uring_setup, io_uring_enter and io_uring_register"};
    case ENOSYS:
      return {error_number, "this kernel has no io_uring; a ring needs Linux 6.1 or newer"};
    case EINVAL:
      return {error_number, "this kernel's io_uring is too old; a ring needs Linux 6.1 or newer"};
    case ENOMEM:
      return {error_number, "no memory for io_uring; raise the limit on locked memory (ulimit -l)"};
    default:
      return {error_number, "io_uring could not be set up"};
  }
}

}  // namespace

struct Ring::State {
  struct Socket {
    SocketAddress address;  // the kernel reads it when the connect starts
    bool in_use = false;
    bool closing = false;
    // Of a socket of ours, not of an accepted one: the handle is free when all three have ended.
    bool opened = false;
    bool receiving = false;
    bool closed = false;
    std::size_t sending_bytes = 0;  // of the send under way
  };
  struct Receive {
    Handle handle;
    Owner owner;
  };

  IoOptions options;
  io_uring ring{};
  bool ring_ready = false;
  io_uring_buf_ring* buffer_ring = nullptr;
  char* buffer_memory = nullptr;
  std::size_t buffer_memory_bytes = 0;
  int wake_descriptor = -1;
  std::uint64_t wake_count = 0;  // the kernel reads the eventfd's counter into it

  std::vector<Socket> sockets;
  std::vector<Handle> free_sockets;
  std::vector<Completion> completions;
  std::vector<std::uint16_t> buffers_lent;  // go back to the kernel at the next wait
  std::vector<Receive> receives_to_arm;     // ended by the kernel, not by the peer
  IoCounters counters;
  Clocks clocks;

  ~State();
  Result<void, IoError> set_up();
  Result<void, IoError> set_up_buffers();
  io_uring_sqe* next_sqe();
  void submit();
  void arm_wake();
  void arm_receive(const Receive& receive);
  void end_receive(const Receive& receive);
  void release_if_ended(Handle handle);
  void recycle();
  void reap();
  void complete(const io_uring_cqe& cqe);
  void complete_receive(const io_uring_cqe& cqe, Completion& completion);
  void complete_send(Handle handle, Completion& completion);
  char* buffer(std::uint16_t id) const {
    return buffer_memory + std::size_t{id} * options.receive_buffer_bytes;
  }
};

Ring::State::~State() {
  if (ring_ready) {
    if (buffer_ring != nullptr) {
      io_uring_free_buf_ring(&ring, buffer_ring, options.receive_buffers, buffer_group);
    }
    io_uring_queue_exit(&ring);
  }
  if (buffer_memory != nullptr) {
    ::munmap(buffer_memory, buffer_memory_bytes);
  }
  if (wake_descriptor >= 0) {
    ::close(wake_descriptor);
  }
}

Result<void, IoError> Ring::State::set_up() {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
  // Room for a receive, a send and a close of every socket, so that the queue does not overflow.
  parameters.cq_entries = std::max(options.sockets_max * 4, options.submission_entries * 4);
  int result = io_uring_queue_init_params(options.submission_entries, &ring, &parameters);
  if (result < 0) {
    return Failure(setup_error(-result));
  }
  ring_ready = true;
  io_uring_register_ring_fd(&ring);  // saves a table look-up an enter; harmless when it fails
  result = io_uring_register_files_sparse(&ring, options.sockets_max);
  rlimit files{};
  if (result == -EMFILE && ::getrlimit(RLIMIT_NOFILE, &files) == 0 &&
      files.rlim_cur < options.sockets_max) {
    // The kernel makes no table that is larger than the limit on open files: fewer sockets will do.
    options.sockets_max = std::max(1u, static_cast<std::uint32_t>(files.rlim_cur));
    result = io_uring_register_files_sparse(&ring, options.sockets_max);
  }
  if (result == -EPERM || result == -EACCES) {
    return Failure(setup_error(-result));
  }
  if (result < 0) {
    return Failure(IoError{
        -result,
        "no room for " + std::to_string(options.sockets_max) +
            " sockets; raise the limit on open files (ulimit -n) or use fewer connections"});
  }
  wake_descriptor = ::eventfd(0, EFD_CLOEXEC);
  if (wake_descriptor < 0) {
    return Failure(IoError{errno, "eventfd"});
  }
  sockets.resize(options.sockets_max);
  for (Handle handle = options.sockets_max; handle > 0; --handle) {
    free_sockets.push_back(handle - 1);
  }
  completions.reserve(completions_per_wait_max);
  return set_up_buffers();
}

Result<void, IoError> Ring::State::set_up_buffers() {
  buffer_memory_bytes = std::size_t{options.receive_buffers} * options.receive_buffer_bytes;
  void* const memory = ::mmap(nullptr, buffer_memory_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Failure(IoError{errno, "no memory for receive buffers"});
  }
  buffer_memory = static_cast<char*>(memory);
  int result = 0;
  buffer_ring = io_uring_setup_buf_ring(&ring, options.receive_buffers, buffer_group, 0, &result);
  if (buffer_ring == nullptr) {
    return Failure(setup_error(-result));
  }
  const int mask = io_uring_buf_ring_mask(options.receive_buffers);
  for (std::uint32_t id = 0; id < options.receive_buffers; ++id) {
    io_uring_buf_ring_add(buffer_ring, buffer(static_cast<std::uint16_t>(id)),
                          options.receive_buffer_bytes, static_cast<std::uint16_t>(id), mask,
                          static_cast<int>(id));
  }
  io_uring_buf_ring_advance(buffer_ring, static_cast<int>(options.receive_buffers));
  return {};
}

io_uring_sqe* Ring::State::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) {
    submit();
    sqe = io_uring_get_sqe(&ring);
  }
  RP_ASSERT(sqe != nullptr);
  ++counters.submitted;
  return sqe;
}

void Ring::State::submit() {
  ++counters.enters;
  // EINTR, EAGAIN and EBUSY leave entries in the queue; the next enter takes them.
  io_uring_submit(&ring);
}

void Ring::State::arm_wake() {
  io_uring_sqe* const sqe = next_sqe();
  io_uring_prep_read(sqe, wake_descriptor, &wake_count, sizeof(wake_count), 0);
  sqe->user_data = tag(0, 0, Operation::wake);
}

void Ring::State::arm_receive(const Receive& receive) {
  io_uring_sqe* const sqe = next_sqe();
  io_uring_prep_recv_multishot(sqe, static_cast<int>(receive.handle), nullptr, 0, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  sqe->user_data = tag(receive.owner, receive.handle, Operation::receive);
}

// Lent buffers go back to the kernel, and receives that starved for them are armed again.
void Ring::State::recycle() {
  if (!buffers_lent.empty()) {
    const int mask = io_uring_buf_ring_mask(options.receive_buffers);
    int offset = 0;
    for (const std::uint16_t id : buffers_lent) {
      io_uring_buf_ring_add(buffer_ring, buffer(id), options.receive_buffer_bytes, id, mask,
                            offset++);
    }
    io_uring_buf_ring_advance(buffer_ring, offset);
    buffers_lent.clear();
  }
  completions.clear();
  // Backwards, so that who got the last buffers is not the first to ask for the next ones.
  for (auto receive = receives_to_arm.rbegin(); receive != receives_to_arm.rend(); ++receive) {
    if (sockets[receive->handle].closing) {
      // Closed since it was reaped: armed now it would run behind the close, perhaps on another
      // socket.
      end_receive(*receive);
    } else {
      arm_receive(*receive);
    }
  }
  receives_to_arm.clear();
}

void Ring::State::end_receive(const Receive& receive) {
  sockets[receive.handle].receiving = false;
  Completion completion;
  completion.owner = receive.owner;
  completion.handle = receive.handle;
  completion.operation = Operation::receive;
  completion.result = -ECANCELED;
  completions.push_back(completion);
}

void Ring::State::reap() {
  // A closed socket's cancelled receive is reported by the kernel too, so one entry can make at
  // most one completion: the vector never grows beyond its reservation, and the octets it points to
  // stay put.
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring, head, cqe) {
    if (completions.size() == completions_per_wait_max) {
      break;
    }
    complete(*cqe);
    ++count;
  }
  io_uring_cq_advance(&ring, count);
  counters.completions += count;
}

void Ring::State::complete(const io_uring_cqe& cqe) {
  const auto low_octet = static_cast<std::uint8_t>(cqe.user_data & 0xff);
  if (low_octet == cancel_operation) {
    return;
  }
  Completion completion;
  completion.operation = static_cast<Operation>(low_octet);
  completion.owner = owner_of(cqe.user_data);
  completion.handle = handle_of(cqe.user_data);
  completion.result = cqe.res;
  switch (completion.operation) {
    case Operation::receive:
      complete_receive(cqe, completion);
      return;
    case Operation::wake:
      arm_wake();
      break;
    case Operation::accept:
      completion.more = (cqe.flags & IORING_CQE_F_MORE) != 0;
      if (cqe.res >= 0) {
        sockets[static_cast<Handle>(cqe.res)] = Socket{};
        sockets[static_cast<Handle>(cqe.res)].in_use = true;
      }
      break;
    case Operation::close:
      sockets[handle_of(cqe.user_data)].closed = true;
      release_if_ended(handle_of(cqe.user_data));
      break;
    case Operation::send:
      complete_send(handle_of(cqe.user_data), completion);
      break;
    case Operation::connect:
      break;
  }
  completions.push_back(completion);
}

// The kernel counts what had left when a send broke off; the stream is cut all the same, and why
// will be said by the receive.
void Ring::State::complete_send(Handle handle, Completion& completion) {
  Socket& socket = sockets[handle];
  const bool short_count =
      completion.result >= 0 && static_cast<std::size_t>(completion.result) < socket.sending_bytes;
  if (short_count) {
    completion.result = socket.closing ? -ECANCELED : -EPIPE;
  }
  socket.sending_bytes = 0;
  release_if_ended(handle);
}

void Ring::State::complete_receive(const io_uring_cqe& cqe, Completion& completion) {
  const Handle handle = handle_of(cqe.user_data);
  Socket& socket = sockets[handle];
  completion.more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    buffers_lent.push_back(id);
    if (cqe.res > 0) {
      completion.data = Bytes(buffer(id), static_cast<std::size_t>(cqe.res));
      ++counters.receives;
    }
  }
  const bool starved = cqe.res == -ENOBUFS;
  counters.receive_buffers_exhausted += starved ? 1 : 0;
  if (!completion.more && (cqe.res > 0 || starved) && !socket.closing) {
    receives_to_arm.push_back({handle, completion.owner});
    completion.more = true;
    if (starved) {
      return;  // nothing arrived: nobody needs to know
    }
  } else if (!completion.more && completion.result > 0) {
    // Closing: the octets are of no use to anybody, but the owner waits for the end of its receive.
    completion.result = -ECANCELED;
    completion.data = {};
  } else if (starved) {
    completion.result = -ECANCELED;
  }
  if (!completion.more) {
    socket.receiving = false;
    release_if_ended(handle);
  }
  completions.push_back(completion);
}

// A handle is given out again only when nothing of the old socket can still complete.
void Ring::State::release_if_ended(Handle handle) {
  Socket& socket = sockets[handle];
  if (socket.opened && socket.closed && !socket.receiving && socket.sending_bytes == 0) {
    socket = Socket{};
    free_sockets.push_back(handle);
  }
}

Result<std::unique_ptr<Ring>, IoError> Ring::create(const IoOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  if (auto result = state->set_up(); !result) {
    return Failure(result.error());
  }
  state->arm_wake();
  state->clocks.read();
  return std::unique_ptr<Ring>(new Ring(std::move(state)));
}

Ring::Ring(std::unique_ptr<State> state) : state_(std::move(state)) {}

Ring::~Ring() = default;

Instant Ring::now() const { return state_->clocks.now; }

std::int64_t Ring::unix_time_us() const { return state_->clocks.unix_time_us; }

Result<Handle, IoError> Ring::open(const SocketAddress& address) {
  State& state = *state_;
  if (state.free_sockets.empty()) {
    return Failure(IoError{ENFILE, "every socket of this core is in use"});
  }
  const auto descriptor = open_stream_socket(address);
  if (!descriptor) {
    return Failure(descriptor.error());
  }
  const Handle handle = state.free_sockets.back();
  const int result = io_uring_register_files_update(&state.ring, handle, &*descriptor, 1);
  ::close(*descriptor);  // the ring keeps the socket open
  if (result < 0) {
    return Failure(IoError{-result, "a socket could not be registered"});
  }
  state.free_sockets.pop_back();
  state.sockets[handle] = State::Socket{};
  state.sockets[handle].in_use = true;
  state.sockets[handle].opened = true;
  return handle;
}

void Ring::connect(Handle handle, const SocketAddress& address, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.in_use && !socket.closing);
  socket.address = address;
  io_uring_sqe* const sqe = state_->next_sqe();
  io_uring_prep_connect(sqe, static_cast<int>(handle),
                        reinterpret_cast<const sockaddr*>(&socket.address.storage),
                        socket.address.length);
  sqe->flags |= IOSQE_FIXED_FILE;
  sqe->user_data = tag(owner, handle, Operation::connect);
}

void Ring::receive(Handle handle, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.in_use && !socket.closing && !socket.receiving);
  socket.receiving = true;
  state_->arm_receive({handle, owner});
}

void Ring::send(Handle handle, Bytes bytes, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.in_use && !socket.closing && socket.sending_bytes == 0 && !bytes.empty());
  socket.sending_bytes = bytes.size();
  ++state_->counters.sends;
  state_->counters.send_bytes += bytes.size();
  io_uring_sqe* const sqe = state_->next_sqe();
  io_uring_prep_send(sqe, static_cast<int>(handle), bytes.data(), bytes.size(),
                     MSG_NOSIGNAL | MSG_WAITALL);
  sqe->flags |= IOSQE_FIXED_FILE;
  sqe->user_data = tag(owner, handle, Operation::send);
}

// connect(2) to AF_UNSPEC dissolves a TCP connection, which Linux does with a reset; unlike
// SO_LINGER it needs no descriptor.
void Ring::reset(Handle handle) {
  static const sockaddr nowhere{};
  static_assert(AF_UNSPEC == 0);
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.in_use && !socket.closing);
  io_uring_sqe* const sqe = state_->next_sqe();
  io_uring_prep_connect(sqe, static_cast<int>(handle), &nowhere, sizeof(nowhere));
  sqe->flags |= IOSQE_FIXED_FILE;
  sqe->user_data = cancel_operation;
}

void Ring::close(Handle handle, Owner owner) {
  State::Socket& socket = state_->sockets[handle];
  RP_ASSERT(socket.in_use && !socket.closing);
  socket.closing = true;
  io_uring_sqe* const cancel = state_->next_sqe();
  io_uring_prep_cancel_fd(cancel, static_cast<int>(handle),
                          IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL);
  cancel->user_data = cancel_operation;
  io_uring_sqe* const sqe = state_->next_sqe();
  io_uring_prep_close_direct(sqe, handle);
  sqe->user_data = tag(owner, handle, Operation::close);
}

std::span<const Completion> Ring::wait(Instant deadline) {
  State& state = *state_;
  state.recycle();
  ++state.counters.enters;
  const Instant before = std::chrono::steady_clock::now();
  if (deadline <= before || io_uring_cq_ready(&state.ring) > 0 || !state.completions.empty()) {
    io_uring_submit_and_get_events(&state.ring);
  } else if (deadline == never) {
    io_uring_submit_and_wait(&state.ring, 1);
  } else {
    const auto remaining = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - before);
    __kernel_timespec timeout{};
    timeout.tv_sec = remaining.count() / 1'000'000'000;
    timeout.tv_nsec = remaining.count() % 1'000'000'000;
    io_uring_cqe* cqe = nullptr;
    io_uring_submit_and_wait_timeout(&state.ring, &cqe, 1, &timeout, nullptr);
  }
  state.clocks.read();
  state.reap();
  return state.completions;
}

void Ring::pause(Duration duration) { std::this_thread::sleep_for(duration); }

void Ring::wake() {
  const std::uint64_t one = 1;
  // An eventfd write of one fails only when the counter is full, and then a wake is pending anyway.
  [[maybe_unused]] const auto written = ::write(state_->wake_descriptor, &one, sizeof(one));
}

void Ring::accept(int listening_descriptor, Owner owner) {
  io_uring_sqe* const sqe = state_->next_sqe();
  io_uring_prep_multishot_accept_direct(sqe, listening_descriptor, nullptr, nullptr, 0);
  sqe->user_data = tag(owner, 0, Operation::accept);
}

std::uint32_t Ring::sockets_max() const { return state_->options.sockets_max; }

IoCounters Ring::counters() const {
  IoCounters counters = state_->counters;
  counters.completion_overflows = *state_->ring.cq.koverflow;
  return counters;
}

std::string Ring::library_version() {
  return std::to_string(io_uring_major_version()) + "." + std::to_string(io_uring_minor_version());
}

}  // namespace ringpost::io
