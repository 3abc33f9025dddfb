// One thread of a server: its Io, its listening sockets, its connections. What is done with mail
// is a derived class's: the sink's, or the smart host's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "engine/io/io.h"
#include "engine/io/listener.h"
#include "tools/server/client_connection.h"
#include <ringpost/base.h>
#include <ringpost/io_choice.h>

namespace ringpost::server {

// Which connection: it may be gone, and another one be in its place.
struct ConnectionKey {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

// A silent connection, and one that is too old, is told so and ended; zero: never.
struct ConnectionLimits {
  Duration idle{};
  Duration age{};
};

// Thread: created, run and destroyed on one; wake() may be called by any while it lives.
class ConnectionServer {
 public:
  virtual ~ConnectionServer();
  ConnectionServer(const ConnectionServer&) = delete;
  ConnectionServer& operator=(const ConnectionServer&) = delete;

  // Until begin_stop() has been called, and all connections are over or its time is.
  void run();
  void wake() { io_->wake(); }

 protected:
  struct Options {
    std::size_t sessions_max = 1;  // more are told 421 and turned away
    Duration idle_timeout{};       // behind which a client hears 421
    Answer farewell{};             // of those who are there when the server stops
    IoChoice io = IoChoice::automatic;
    std::uint32_t threads = 1;  // of a process that have such a server each
  };

  ConnectionServer(Options options, ServerCounts& counts)
      : options_(std::move(options)), counts_(counts) {}

  // Makes the Io. `listeners` are taken over, `setups` say what their connections are made of,
  // one for each.
  [[nodiscard]] Result<void, std::string> set_up(std::vector<io::Listener> listeners,
                                                 std::vector<ConnectionSetup> setups);

  // ---- What a derived class says ----

  // A connection of this listener was accepted, and will have this observer.
  [[nodiscard]] virtual std::unique_ptr<ConnectionObserver> observer_for(std::size_t listener,
                                                                         ConnectionKey key,
                                                                         std::uint64_t number) = 0;
  [[nodiscard]] virtual std::uint64_t next_number() = 0;  // of a connection
  // What came is acted upon behind the first, and has been replied to before the second, whose
  // replies leave with the next wait.
  virtual void begin_turn() {}
  virtual void end_turn() {}
  // When a turn is wanted at the latest, whatever comes.
  [[nodiscard]] virtual Instant next_turn_at() const { return never; }
  // Beside the idle time of the options.
  [[nodiscard]] virtual ConnectionLimits limits() { return {}; }
  [[nodiscard]] virtual Answer on_limit_reached(bool /*by_age*/) { return {}; }

  // ---- What it may do, on its thread ----

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const io::Io& io() const { return *io_; }
  [[nodiscard]] std::size_t open_connections() const { return open_; }
  // The answer to a message of a connection, which may be gone.
  void answer(ConnectionKey key, std::uint64_t message, const Answer& answer);
  // What connections of a listener are made of that come from now on. The one before stays theirs
  // who have it, so it is kept.
  void replace_context(std::size_t listener, tls::Context& context) {
    setups_[listener].context = &context;
  }
  // No more connections are accepted, and whoever has nothing under way is told to go, now and as
  // soon as that is so.
  void begin_drain();
  // Everybody is told to go, and behind so long run() returns.
  void begin_stop(Duration at_most);
  [[nodiscard]] bool is_stopping() const { return stop_at_ != never; }
  [[nodiscard]] bool is_draining() const { return is_draining_; }

 private:
  // A connection and what is under way for it.
  struct Slot {
    std::unique_ptr<ClientConnection> connection;  // null: the slot is free
    io::Handle handle = 0;
    std::uint32_t generation = 0;
    bool receiving = false;
    bool closing = false;      // close was asked for
    bool closed = false;       // and completed
    bool lingering = false;    // all is said, the client may still be sending
    bool timer_armed = false;  // an entry of timers_ is its
    bool in_ready = false;
    std::unique_ptr<char[]> sending;  // memory of the send under way
    Instant since{};
    Instant last_heard{};
    Instant give_up_at = never;
  };
  // When delayed replies of a slot may leave.
  struct Timer {
    Instant due;
    std::uint32_t slot;
    std::uint32_t generation;
    bool operator>(const Timer& other) const { return due > other.due; }
  };

  [[nodiscard]] std::uint32_t sockets_max() const;

  void turn();
  void act_on(const io::Completion& completion);
  void accepted(const io::Completion& completion);
  void received(const io::Completion& completion);
  void sent(const io::Completion& completion);
  void fire_timers();
  void sweep();
  void sweep(std::uint32_t index, const ConnectionLimits& limits);
  void send_away(std::uint32_t index);
  void flush(std::uint32_t index);
  void make_ready(std::uint32_t index);
  void finish(std::uint32_t index);
  void close(std::uint32_t index);
  void release_if_ended(std::uint32_t index);
  std::unique_ptr<char[]> take_memory();
  [[nodiscard]] Instant deadline() const;

  const Options options_;
  ServerCounts& counts_;
  std::vector<io::Listener> listeners_;
  std::vector<ConnectionSetup> setups_;  // by listener
  std::vector<std::uint32_t> unarmed_;   // listeners whose accept ended
  std::unique_ptr<io::Io> io_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> ready_;  // to be flushed at the end of this turn
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::unique_ptr<char[]>> memory_;
  std::size_t open_ = 0;
  std::size_t sessions_max_ = 0;  // that there are sockets for
  Instant now_{};
  Instant next_sweep_{};
  bool is_draining_ = false;
  Instant stop_at_ = never;
  bool done_ = false;
};

}  // namespace ringpost::server
