// io_uring behind Io. The only file, with ring.cpp, that knows liburing.
#pragma once

#include <memory>
#include <string>

#include "engine/io/io.h"

namespace ringpost::io {

// Needs Linux 6.1 (SINGLE_ISSUER, DEFER_TASKRUN, multishot receive). Where io_uring is refused, as
// under Docker's default seccomp profile, create() says so and how to allow it. Thread: create it
// on the thread that will drive it.
class Ring final : public Io {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Ring>, IoError> create(const IoOptions&);
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

  void reset(Handle handle) override;
  // The kernel hands out the slots of accepted sockets: one that opens some never calls it.
  void accept(int listening_descriptor, Owner owner) override;
  [[nodiscard]] std::uint32_t sockets_max() const override;
  [[nodiscard]] IoCounters counters() const override;
  // "2.9", for `ringpost version`.
  [[nodiscard]] static std::string library_version();

 private:
  struct State;
  explicit Ring(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::io
