// One client: TLS, session and replies put together, still without a socket.
#pragma once

#include <memory>
#include <optional>

#include "codec/text/byte_buffer.h"
#include "engine/server/reply_queue.h"
#include "engine/server/server_session.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tools/sink/fault.h"
#include "tools/sink/message_record.h"
#include "tools/sink/sink_observer.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// What a listener's connections have in common. Everything pointed to outlives them.
struct ConnectionSetup {
  server::ServerSetup session;
  const FaultOptions* faults = nullptr;
  tls::Context* context = nullptr;  // null: no TLS at all
  bool implicit_tls = false;
  Tally* tally = nullptr;
  RecordBuffer* record = nullptr;    // null: nothing is recorded
  ProviderLimits* limits = nullptr;  // null: no provider is played
};

// Driven like this: start(), then received() and peer_ended() as octets come; after each of them,
// and at next_due(), collect() what may leave; when finished(), close the socket once that has been
// sent. Thread: its server's.
class ClientConnection {
 public:
  // Room that collect() needs at least: a full TLS record and whatever the channel has pending.
  static constexpr std::size_t output_bytes_min = 24u << 10;

  ClientConnection(const ConnectionSetup& setup, std::uint64_t number);

  void start(Instant now);
  void received(Bytes octets, Instant now);
  // The client has said its last octet; replies to what came before it still go out.
  void peer_ended();
  // Nothing can be sent any more.
  void lost();

  // Puts octets that may leave now behind those in `output`. More may be left: call again when
  // these have been sent.
  void collect(ByteBuffer& output, Instant now);
  // Everything has been collected, and the session or the stream is over.
  [[nodiscard]] bool finished() const;
  // Nothing that could still be sent is worth waiting for, not even a send under way.
  [[nodiscard]] bool is_hopeless() const { return hopeless_; }
  // The client may still be sending: closing the socket at once could cost it our last reply,
  // because the kernel answers unread octets with a reset that overtakes it.
  [[nodiscard]] bool should_linger() const {
    return !peer_ended_ && !session_.has_quit() && !is_dropped();
  }
  // The socket is to be closed with a reset.
  [[nodiscard]] bool should_reset() const { return next_ == server::Next::reset; }

  // Octets that wait for their time or for the socket, and when the first of them may leave.
  [[nodiscard]] bool has_replies() const { return !replies_.empty(); }
  [[nodiscard]] Instant next_due() const { return replies_.next_due(); }

  // 421, and the end: there are too many sessions (instead of start()), the client was silent or
  // its session too old, or the sink goes down.
  void turn_away();
  void time_out();
  void end_for(ProviderLimit limit);
  void shut_down();

 private:
  void greet(Instant now);
  [[nodiscard]] bool is_dropped() const {
    return next_ == server::Next::drop || next_ == server::Next::reset;
  }
  void start_channel();
  void drive_channel(Instant now);
  void handshake_done(Instant now);
  void fail_channel();
  void hand_to_session(Bytes plaintext, Instant now);
  void end_session();
  void note_end();
  void say_goodbye(const server::Answer& answer);
  void note_over();
  void seal_due(Bytes due, ByteBuffer& output);

  const ConnectionSetup& setup_;
  server::ReplyQueue replies_;
  std::optional<MessageRecorder> recorder_;
  SinkObserver observer_;
  server::ServerSession session_;
  std::unique_ptr<tls::Channel> channel_;
  server::Next next_ = server::Next::receive;
  bool handshake_done_ = false;
  bool peer_ended_ = false;
  bool close_notified_ = false;
  bool end_noted_ = false;
  bool hopeless_ = false;
  bool dead_ = false;  // the channel broke: an alert may leave, nothing else
};

}  // namespace ringpost::sink
