// The world outside of the machine: time, connections that lose and delay octets, and servers that
// keep the truth.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "engine/io/socket_address.h"
#include "tests/sim/random.h"
#include "tests/support/model_server.h"
#include <ringpost/base.h>

namespace ringpost::sim {

struct NetworkOptions {
  test::ModelServerOptions server;
  test::ModelServerOptions odd_server;  // of one connection in `odd_one_in`
  std::uint64_t odd_one_in = 0;         // 0: never
  Duration latency_max{0};              // of each piece of octets, one way
  Duration away_for{0};                 // from the beginning: connections are refused
  // What the endpoint's name stands for, and those of it where nobody is.
  std::vector<std::string> addresses = {"192.0.2.1", "192.0.2.2"};
  std::vector<std::string> refusing;
  std::vector<std::string> silent;
  // One in so many; 0: none.
  std::uint64_t refused_one_in = 0;       // connections
  std::uint64_t black_hole_one_in = 0;    // connections that nobody answers
  std::uint64_t reset_one_in = 0;         // pieces on their way that meet a reset
  std::uint64_t send_failure_one_in = 0;  // sends that fail behind any part of their octets
  // Servers that have ended a connection answer what still comes with a reset, and what they said
  // is lost.
  std::uint64_t overtaken_one_in = 16;  // looks at what such a server said
  // A server reads what was sent together in one piece, as from a client that is near.
  bool whole_reads = false;
  Duration idle_max{0};  // then a server ends the connection; 0: never
  bool idle_says_so = false;
  // All servers go away then, with their connections, for so long; 0: they do not.
  Duration restart_after{0};
  Duration restart_for{0};
};

// The client's end of a connection.
class ConnectionEnd {
 public:
  virtual ~ConnectionEnd() = default;
  virtual void connected(std::size_t connection, int result) = 0;
  // As many octets as the client's kernel has; only while a receive is armed.
  virtual void arrived(std::size_t connection, std::string octets) = 0;
  virtual void stream_ended(std::size_t connection, int result) = 0;  // 0 or -errno
  virtual void sent(std::size_t connection, int result) = 0;
};

// Thread: one. Everything happens in advance_to(), in the order of its time.
class Network {
 public:
  Network(const NetworkOptions& options, Random& random);

  [[nodiscard]] Instant now() const { return now_; }
  // `never` when nothing is on its way.
  [[nodiscard]] Instant next_event() const { return events_.empty() ? never : events_.top().at; }
  void advance_to(Instant instant);

  // ---- The client's kernel ---------------------------------------------------------------------

  [[nodiscard]] std::size_t connect(ConnectionEnd& client, const io::SocketAddress& address);
  void receive(std::size_t connection);
  // `octets` stay valid until sent() or until close() and are read at any moment before.
  void send(std::size_t connection, Bytes octets);
  // The client hears nothing more of it. Octets of a send under way may still have left.
  void close(std::size_t connection);

  // ---- The truth -------------------------------------------------------------------------------

  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
  [[nodiscard]] const test::ModelServer* server_of(std::size_t connection) const {
    return connections_[connection].server.get();
  }
  // Everything that all servers took.
  [[nodiscard]] std::vector<const test::TakenMessage*> taken() const;
  // The first command that no client of ours may send; empty when there was none.
  [[nodiscard]] std::string complaint() const;
  // Everybody whom servers refused by their own judgement.
  [[nodiscard]] std::vector<test::Refusal> refusals() const;

 private:
  enum class EventKind : std::uint8_t {
    answer,
    refusal,
    server_reads,
    client_reads,
    send_done,
    server_idles,
    restart
  };
  struct Event {
    Instant at;
    std::uint64_t order;  // of its making
    EventKind kind;
    std::size_t connection;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Connection {
    ConnectionEnd* client = nullptr;            // null: it is closed, or its process is dead
    std::unique_ptr<test::ModelServer> server;  // null before it was reached
    Instant heard_at{};                         // the server, from the client
    bool receiving = false;
    bool end_told = false;
    bool reset = false;
    bool server_reads_soon = false;
    bool client_reads_soon = false;
    Bytes sending;               // that the kernel has not taken yet
    std::size_t send_bytes = 0;  // of the send under way
    bool send_under_way = false;
    std::string in_transit;  // taken by the kernel, and not read by the server
  };

  void happen(const Event& event);
  void schedule(EventKind kind, std::size_t connection, Duration pause = {});
  void answer(std::size_t index);
  void refuse(std::size_t index);
  void server_reads(std::size_t index);
  void client_reads(std::size_t index);
  void send_done(std::size_t index);
  void server_idles(std::size_t index);
  void restart();
  [[nodiscard]] bool away() const;
  void take(Connection& connection, std::size_t count);
  void break_off(std::size_t index);
  void wake_both(std::size_t index);

  const NetworkOptions options_;
  Random& random_;
  Instant now_ = Instant(std::chrono::hours(1000));
  const Instant begin_ = now_;
  test::ModelAccount account_;
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::deque<Connection> connections_;
};

}  // namespace ringpost::sim
