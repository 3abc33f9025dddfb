// io_uring behind Io. The only file, with ring.cpp, that knows liburing.
#pragma once

#include <memory>
#include <string>

#include "engine/io/io.h"

namespace ringpost::io {

struct RingOptions {
  // Size of the direct descriptor table; the limit on open files (RLIMIT_NOFILE) may make it less.
  std::uint32_t sockets_max = 1024;
  std::uint32_t receive_buffers = 256;  // a power of two, shared by all sockets of the ring
  std::uint32_t receive_buffer_bytes = 4096;
  std::uint32_t submission_entries =
      512;  // operations prepared between two waits; more submit early
};

struct RingCounters {
  std::uint64_t enters = 0;     // io_uring_enter calls
  std::uint64_t submitted = 0;  // operations
  std::uint64_t completions = 0;
  std::uint64_t receives = 0;  // completions with octets
  std::uint64_t sends = 0;     // operations
  std::uint64_t send_bytes = 0;
  std::uint64_t receive_buffers_exhausted = 0;
  std::uint64_t completion_overflows = 0;
};

// Needs Linux 6.1 (SINGLE_ISSUER, DEFER_TASKRUN, multishot receive). Where io_uring is refused, as
// under Docker's default seccomp profile, create() says so and how to allow it. Thread: create it
// on the thread that will drive it.
class Ring final : public Io {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Ring>, IoError> create(const RingOptions&);
  ~Ring() override;

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::int64_t unix_time_us() const override;
  [[nodiscard]] Result<Handle, IoError> open(const SocketAddress& address) override;
  void connect(Handle handle, const SocketAddress& address, Owner owner) override;
  void receive(Handle handle, Owner owner) override;
  void send(Handle handle, Bytes bytes, Owner owner) override;
  void close(Handle handle, Owner owner) override;
  [[nodiscard]] std::span<const Completion> wait(Instant deadline) override;
  void pause(Duration duration) override;
  void wake() override;

  // Accepts connections of a listening socket until it is closed: each is a completion of kind
  // accept whose result is the new Handle. The descriptor stays the caller's. Client rings never
  // call it: a ring either opens sockets or accepts them.
  void accept(int listening_fd, Owner owner);
  // Ends the connection with a reset instead of a FIN. No completion; close() comes next.
  void reset(Handle handle);

  // How many sockets it has room for.
  [[nodiscard]] std::uint32_t sockets_max() const;
  [[nodiscard]] RingCounters counters() const;
  // "2.9", for `ringpost version`.
  [[nodiscard]] static std::string library_version();

 private:
  struct State;
  explicit Ring(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::io
