// One thread of a sink: its ring, its listening sockets, its connections.
#pragma once

#include <atomic>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "engine/io/listener.h"
#include "engine/io/ring.h"
#include "tls/context.h"
#include "tools/sink/client_connection.h"
#include "tools/sink/provider_limits.h"
#include "tools/sink/record.h"
#include "tools/sink/sink_options.h"
#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

enum class ListenerKind : std::uint8_t { starttls, tls, plain };
inline constexpr std::size_t listener_kind_count = 3;

struct BoundListener {
  ListenerKind kind = ListenerKind::starttls;
  io::Listener listener;
};

// What the threads of one sink share. Outlives them.
struct SinkShared {
  explicit SinkShared(const SinkOptions& wanted) : options(wanted), accounts(options.account) {
    if (options.provider) {
      limits = std::make_unique<ProviderLimits>(*options.provider);
    }
  }

  SinkOptions options;
  SinkAccounts accounts;
  std::unique_ptr<ProviderLimits> limits;  // null: no provider is played
  std::string certificate_pem;  // empty: no listener speaks TLS, or the options name files
  std::string key_pem;
  std::unique_ptr<Record> record;  // null: nothing is recorded
  std::atomic<std::uint64_t> sessions{0};
  std::atomic<std::uint64_t> messages{0};  // kept up only when options.messages_max asks for it
  std::atomic<bool> stopping{false};       // every thread ends soon once it is true
};

// Thread: created, run and destroyed on one; wake() and tally() may be called by any while it
// lives.
class SinkServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SinkServer>, std::string> create(
      SinkShared& shared, std::vector<BoundListener> listeners);
  ~SinkServer();
  SinkServer(const SinkServer&) = delete;
  SinkServer& operator=(const SinkServer&) = delete;

  // Until shared.stopping: then sessions are told 421, and after at most half a second it returns.
  void run();
  void wake() { ring_->wake(); }
  [[nodiscard]] Tally tally() const { return published_.read(); }

 private:
  // A connection and what the ring has under way for it.
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

  SinkServer(SinkShared& shared, std::vector<BoundListener> listeners);
  Result<void, std::string> set_up();
  std::uint32_t sockets_max();
  [[nodiscard]] ConnectionSetup setup_for(ListenerKind kind);

  void turn();
  void act_on(const io::Completion& completion);
  void accepted(const io::Completion& completion);
  void received(const io::Completion& completion);
  void sent(const io::Completion& completion);
  void fire_timers();
  void sweep();
  void sweep(std::uint32_t index, Duration idle, Duration age);
  void flush(std::uint32_t index);
  void flush_record();
  void note_messages();
  void begin_stop();
  void make_ready(std::uint32_t index);
  void finish(std::uint32_t index);
  void close(std::uint32_t index);
  void release_if_ended(std::uint32_t index);
  std::unique_ptr<char[]> take_memory();
  [[nodiscard]] Instant deadline() const;

  SinkShared& shared_;
  std::vector<BoundListener> listeners_;
  std::vector<ConnectionSetup> setups_;  // by listener
  std::vector<std::uint32_t> unarmed_;   // listeners whose accept ended
  std::unique_ptr<tls::Context> context_;
  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<RecordBuffer> record_;
  Tally tally_;
  PublishedTally published_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> ready_;  // to be flushed at the end of this turn
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::unique_ptr<char[]>> memory_;
  std::size_t open_ = 0;
  std::size_t sessions_max_ = 0;  // of this thread
  Instant now_{};
  Instant next_sweep_{};
  Instant flush_record_at_ = never;
  Instant stop_at_ = never;
  std::uint64_t messages_noted_ = 0;
  bool done_ = false;
};

}  // namespace ringpost::sink
