// The seam between the engine and the machine: sockets, time and waiting, without a name of the
// kernel's.
//
// Ring is the io_uring behind it, Epoll the same where that is refused (make_io chooses); a
// simulation puts a world of its own there. Operations are only prepared by the calls below and
// leave in one batch with the next wait(), which also reaps: whoever drives an Io acts on
// completions after all of them have been reaped, never inside a callback.
#pragma once

#include <cstdint>
#include <span>

#include "engine/io/socket_address.h"
#include <ringpost/base.h>

namespace ringpost::io {

// A socket of one Io. Reused after its close completed.
using Handle = std::uint32_t;

// Whose operation it is: any number that the caller recognises in the completion.
using Owner = std::uint32_t;

enum class Operation : std::uint8_t { connect, receive, send, close, accept, wake };

struct Completion {
  Owner owner = 0;
  Handle handle = 0;  // of the socket; means nothing for accept and wake
  Operation operation = Operation::wake;
  // Octets for receive (0: the peer ended the stream) and send, a Handle for accept, 0 for connect,
  // close and wake; -errno when the operation failed.
  std::int32_t result = 0;
  Bytes data;  // receive: the octets; valid until the next wait()
  // Receive and accept stay armed after this completion. The last one of an operation has false.
  bool more = false;
};

// Why the machine did not give what was asked for.
struct IoError {
  int error_number = 0;
  std::string what;  // the call, and what it means for the user where that is known

  [[nodiscard]] std::string message() const;
};

struct IoOptions {
  // As many sockets as it has room for; the limit on open files (RLIMIT_NOFILE) may make it less.
  std::uint32_t sockets_max = 1024;
  std::uint32_t receive_buffers = 256;  // a power of two, shared by all sockets
  std::uint32_t receive_buffer_bytes = 4096;
  std::uint32_t submission_entries =
      512;  // of a ring: operations prepared between two waits; more submit early
  // How many of its kind this process makes, which have the limit on open files among them where
  // each socket is a file.
  std::uint32_t share_files_among = 1;
};

struct IoCounters {
  // A ring: io_uring_enter calls. Without one: system calls on sockets, and those that wait.
  std::uint64_t enters = 0;
  std::uint64_t submitted = 0;  // operations
  std::uint64_t completions = 0;
  std::uint64_t receives = 0;  // completions with octets
  std::uint64_t sends = 0;     // operations
  std::uint64_t send_bytes = 0;
  std::uint64_t receive_buffers_exhausted = 0;
  std::uint64_t completion_overflows = 0;  // of a ring
};

// Thread: one worker's, but for wake(). Every operation ends with a completion; a Handle must be
// closed exactly once, after which all its operations complete (cancelled ones with -ECANCELED).
class Io {
 public:
  Io() = default;
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;
  virtual ~Io() = default;

  // Monotonic time as of the last wait(): one reading a turn.
  [[nodiscard]] virtual Instant now() const = 0;
  // Microseconds since 1970 as of the last wait(), for outcome lines only.
  [[nodiscard]] virtual std::int64_t unix_time_us() const = 0;

  // A TCP socket for the address's family, Nagle's algorithm off.
  [[nodiscard]] virtual Result<Handle, IoError> open(const SocketAddress& address) = 0;
  virtual void connect(Handle handle, const SocketAddress& address, Owner owner) = 0;
  // Armed until the stream ends, fails or is closed; each arrival is a completion with `more`.
  virtual void receive(Handle handle, Owner owner) = 0;
  // Sends all octets or fails; at most one send of a handle may be under way. `bytes` stay valid
  // until the completion.
  virtual void send(Handle handle, Bytes bytes, Owner owner) = 0;
  // Cancels what is under way and closes.
  virtual void close(Handle handle, Owner owner) = 0;
  // Ends the connection with a reset instead of a FIN. No completion; close() comes next. An Io
  // that is no machine's has neither this nor accept().
  virtual void reset(Handle handle);
  // Accepts connections of a listening socket until it is closed: each is a completion of kind
  // accept whose result is the new Handle. The descriptor stays the caller's, but may be made a
  // non-blocking one. One Io either opens sockets or accepts them.
  virtual void accept(int listening_descriptor, Owner owner);

  // Hands over what was prepared, waits until something completes or the deadline has come, and
  // returns all completions at hand. They and their octets are valid until the next wait().
  [[nodiscard]] virtual std::span<const Completion> wait(Instant deadline) = 0;
  // Lets time pass without reaping anything: for a thread that can do nothing else until the
  // machine has room again.
  virtual void pause(Duration duration) = 0;
  // Any thread: makes a wait() under way, or the next one, return with a completion of kind wake.
  virtual void wake() = 0;

  // How many sockets it has room for.
  [[nodiscard]] virtual std::uint32_t sockets_max() const;
  [[nodiscard]] virtual IoCounters counters() const;
};

}  // namespace ringpost::io
