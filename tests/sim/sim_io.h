// A ring without a kernel: Io on the simulated network.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/io/io.h"
#include "tests/sim/lifetime.h"
#include "tests/sim/network.h"

namespace ringpost::sim {

// The time of day at which every simulation begins: 2026-01-01.
inline constexpr std::int64_t time_begin_us = 1'767'225'600'000'000;

struct SimIoOptions {
  std::size_t sockets_max = 64;
  std::uint64_t open_failure_one_in = 0;  // EMFILE and ENOBUFS; 0: never
  std::int64_t clock_offset_us = 0;       // of the time of day
  std::uint64_t clock_jump_one_in = 0;    // waits in which the time of day jumps up to an hour
};

// wait() never blocks: whoever steps the workers sees by awake() which of them has something to do,
// and lets time pass when none has. When the process is dead, operations end at once and reach
// nobody.
class SimIo final : public io::Io, private ConnectionEnd {
 public:
  SimIo(const SimIoOptions& options, Network& network, Lifetime& lifetime, Random& random)
      : options_(options),
        network_(network),
        lifetime_(lifetime),
        random_(random),
        now_(network.now()),
        clock_offset_us_(options.clock_offset_us) {}

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::int64_t unix_time_us() const override;
  [[nodiscard]] Result<io::Handle, io::IoError> open(const io::SocketAddress& address) override;
  void connect(io::Handle handle, const io::SocketAddress& address, io::Owner owner) override;
  void receive(io::Handle handle, io::Owner owner) override;
  void send(io::Handle handle, Bytes bytes, io::Owner owner) override;
  void close(io::Handle handle, io::Owner owner) override;
  [[nodiscard]] std::span<const io::Completion> wait(Instant deadline) override;
  void pause(Duration duration) override;
  void wake() override { woken_ = true; }

  // Whether the next wait() would not have to wait.
  [[nodiscard]] bool awake() const;
  // When it would return by itself.
  [[nodiscard]] Instant deadline() const { return deadline_; }

 private:
  struct Socket {
    bool open = false;
    io::Owner owner = 0;
    io::SocketAddress address;
    std::size_t connection = none;
    bool connect_under_way = false;
    bool receive_under_way = false;
    bool send_under_way = false;
  };
  struct Prepared {
    io::Operation operation;
    io::Handle handle;
    io::Owner owner;
    Bytes bytes;
  };
  static constexpr std::size_t none = ~std::size_t{0};

  void hand_over();
  void perform(const Prepared& prepared);
  void end_operations(Socket& socket);
  void leave_network();
  [[nodiscard]] Socket& socket_of(std::size_t connection);
  io::Completion& complete(const Socket& socket, io::Operation operation, int result);

  void connected(std::size_t connection, int result) override;
  void arrived(std::size_t connection, std::string octets) override;
  void stream_ended(std::size_t connection, int result) override;
  void sent(std::size_t connection, int result) override;

  const SimIoOptions options_;
  Network& network_;
  Lifetime& lifetime_;
  Random& random_;
  Instant now_;
  std::int64_t clock_offset_us_;
  Instant deadline_{};
  bool quiet_ = false;  // the last wait() returned nothing, and was not due
  // So did the one before, and the worker has found nothing to do since: a real one would sleep in
  // its wait().
  bool settled_ = false;
  bool woken_ = false;
  bool left_network_ = false;

  std::vector<Socket> sockets_;
  std::vector<io::Handle> free_;
  std::vector<io::Handle> closed_;  // free with the next wait()
  std::vector<Prepared> prepared_;
  std::vector<io::Completion> next_;
  std::vector<io::Completion> handed_out_;
  std::deque<std::string> next_octets_;
  std::deque<std::string> handed_out_octets_;
};

}  // namespace ringpost::sim
