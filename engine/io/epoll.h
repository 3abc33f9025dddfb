// epoll behind Io, for where the kernel or a container refuses io_uring.
#pragma once

#include <memory>

#include "engine/io/io.h"

namespace ringpost::io {

// Needs no more than Linux 5.11, and no permission that a container lacks. Sockets are descriptors
// of the process, so they count against its limit on open files, which create() raises as far as it
// may. Thread: the one that drives it.
class Epoll final : public Io {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Epoll>, IoError> create(const IoOptions&);
  ~Epoll() override;

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::int64_t unix_time_us() const override;
  [[nodiscard]] Result<Handle, IoError> open(const SocketAddress& address) override;
  void connect(Handle handle, const SocketAddress& address, Owner owner) override;
  void receive(Handle handle, Owner owner) override;
  void send(Handle handle, Bytes bytes, Owner owner) override;
  void close(Handle handle, Owner owner) override;
  void reset(Handle handle) override;
  void accept(int listening_descriptor, Owner owner) override;
  [[nodiscard]] std::span<const Completion> wait(Instant deadline) override;
  void pause(Duration duration) override;
  void wake() override;
  [[nodiscard]] std::uint32_t sockets_max() const override;
  [[nodiscard]] IoCounters counters() const override;

 private:
  struct State;
  explicit Epoll(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::io
