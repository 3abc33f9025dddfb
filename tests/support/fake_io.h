// A machine without a kernel: sockets that lead to a scripted SMTP server, and a clock that jumps.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/io.h"

namespace ringpost::test {

// The server's side of one connection.
struct FakeSession {
  io::Handle handle = 0;
  std::string address;                // where the client wanted to go
  std::vector<std::string> commands;  // whole lines, and "." for an end of data
  std::string content;                // of the message under way, as it came
  int accepted = 0;                   // messages that were answered 250

  // For FakeIo.
  std::string unread;
  bool in_content = false;
  bool busy = false;
  bool ended = false;
};

// What the server does instead of the ordinary.
struct FakeAnswer {
  std::string
      reply;  // with its CRLF; empty: it is busy, and reads on when the test has said something
  bool close = false;  // it ends the connection behind that
};

// Either that, or nothing: the ordinary answer.
using FakeChoice = std::optional<FakeAnswer>;
inline const FakeChoice ordinary;
[[nodiscard]] inline FakeChoice says(std::string reply, bool close = false) {
  return FakeAnswer{std::move(reply), close};
}

struct FakeServer {
  // Asked for each command, "CONNECT" and "." (the end of data) included.
  std::function<FakeChoice(FakeSession&, const std::string& command)> answer;
  // Says whether a connection is refused.
  std::function<bool(const std::string& address)> refuses;
  // Or never answered.
  std::function<bool(const std::string& address)> ignores;
  std::string ehlo_reply = "250-fake.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
};

// Thread: one. What a client sends is answered at once, and arrives with its next wait().
class FakeIo final : public io::Io {
 public:
  explicit FakeIo(FakeServer& server) : server_(server) {}

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::int64_t unix_time_us() const override;
  [[nodiscard]] Result<io::Handle, io::IoError> open(const io::SocketAddress& address) override;
  void connect(io::Handle handle, const io::SocketAddress& address, io::Owner owner) override;
  void receive(io::Handle handle, io::Owner owner) override;
  void send(io::Handle handle, Bytes bytes, io::Owner owner) override;
  void close(io::Handle handle, io::Owner owner) override;
  [[nodiscard]] std::span<const io::Completion> wait(Instant deadline) override;
  void pause(Duration duration) override { now_ += duration; }
  void wake() override { woken_ = true; }

  // Whether the last wait() would never have returned: nothing is under way and nothing is due.
  [[nodiscard]] bool asleep() const { return asleep_; }
  // When the last wait() would have returned by itself.
  [[nodiscard]] Instant deadline() const { return deadline_; }
  // The clock jumps to a wait's deadline only as far as this.
  Instant clock_stops_at = never;
  // No more sockets than this are open at once.
  std::size_t sockets_max = 1000;

  [[nodiscard]] const std::deque<FakeSession>& sessions() const { return sessions_; }
  [[nodiscard]] std::size_t sockets_open() const;
  // The server says something of its own accord, or behind a silence, or ends the connection.
  void say(io::Handle handle, const FakeAnswer& answer);

 private:
  struct Socket {
    std::size_t session = 0;
    bool open = false;
    bool receiving = false;
    bool connecting = false;
    bool connected = false;
    io::Owner owner = 0;
    std::string arrived;  // before the client receives
    bool end_arrived = false;
  };

  void complete(io::Owner owner, io::Handle handle, io::Operation operation, std::int32_t result);
  void deliver(Socket& socket);
  void reply(FakeSession& session, const FakeAnswer& answer);
  void read_commands(FakeSession& session);
  void take_command(FakeSession& session, const std::string& command);
  [[nodiscard]] FakeAnswer ordinary_answer(FakeSession& session, const std::string& command) const;

  FakeServer& server_;
  Instant now_ = Instant(std::chrono::hours(1000));
  Instant deadline_ = never;
  bool woken_ = false;
  bool asleep_ = false;
  std::vector<Socket> sockets_;  // by handle; a handle is not used twice
  std::deque<FakeSession> sessions_;
  std::vector<io::Completion> next_;
  std::vector<io::Completion> handed_out_;
  std::deque<std::string> next_octets_;
  std::deque<std::string> handed_out_octets_;
};

}  // namespace ringpost::test
