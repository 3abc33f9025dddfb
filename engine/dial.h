// One TCP connection out of several addresses (RFC 8305, "happy eyeballs").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/io.h"
#include "engine/protocol/close_reason.h"

namespace ringpost::engine {

// Begins with the first address, and with the next one as soon as one fails or has not answered for
// a quarter of a second. The first connection that is made wins, and the others are closed. Its
// operations carry its owner's number; their completions belong here while owns() their handle.
// Lifetime: until quiet(). Thread: its worker's.
class Dial {
 public:
  enum class State : std::uint8_t { idle, dialing, connected, failed, stopped };

  Dial(io::Io& io, io::Owner owner) : io_(io), owner_(owner) {}

  // `timeout` holds for each address; where there are several, for ten seconds at most.
  void begin(std::vector<io::SocketAddress> addresses, Duration timeout, Instant give_up_at);
  void complete(const io::Completion& completion);
  void expire(Instant now);
  void stop();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] bool owns(io::Handle handle) const;
  // No operation of its own is under way.
  [[nodiscard]] bool quiet() const { return attempts_.empty(); }

  // When connected: the socket, which is the caller's now, and where it leads.
  [[nodiscard]] io::Handle handle() const { return handle_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const io::SocketAddress& socket_address() const { return socket_address_; }
  // Those that refused or did not answer while another one did.
  [[nodiscard]] const std::vector<std::string>& failed_addresses() const { return failed_; }
  // When connected: whether another address may do as well, because it has not failed.
  [[nodiscard]] bool others_left() const { return others_left_; }
  // When failed.
  [[nodiscard]] protocol::CloseReason failure() const;

 private:
  struct Attempt {
    io::Handle handle;
    std::string address;
    Instant began_at;
    io::SocketAddress socket_address;
    bool connecting = true;
    bool closing = false;
    bool closed = false;  // the cancelled connect may complete behind that
  };

  void begin_next();
  void connected(const Attempt& winner);
  void fail_attempt(Attempt& attempt, std::string why);
  void note_failure(std::string address, std::string why);
  void close(Attempt& attempt);
  [[nodiscard]] std::size_t under_way() const;

  io::Io& io_;
  io::Owner owner_;
  State state_ = State::idle;
  std::vector<io::SocketAddress> addresses_;
  std::size_t next_ = 0;  // of `addresses_`
  bool others_left_ = false;
  Duration timeout_{};
  Instant give_up_at_ = never;
  Instant next_at_ = never;
  std::vector<Attempt> attempts_;
  std::vector<std::string> failed_;
  std::vector<std::string> why_;  // of each of `failed_`
  bool timed_out_ = false;        // at least one did not answer
  std::string local_error_;       // this machine has no socket
  io::Handle handle_ = 0;
  std::string address_;
  io::SocketAddress socket_address_;
};

}  // namespace ringpost::engine
