// One client: TLS, session and replies put together, still without a socket.
#pragma once

#include <cstdint>
#include <memory>

#include "codec/text/byte_buffer.h"
#include "engine/server/reply_queue.h"
#include "engine/server/server_session.h"
#include "tls/channel.h"
#include "tls/context.h"
#include <ringpost/base.h>

namespace ringpost::server {

// What a listener's connections have in common. Everything pointed to outlives them.
struct ConnectionSetup {
  ServerSetup session;
  tls::Context* context = nullptr;  // null: no TLS at all
  bool implicit_tls = false;
  // Each reply leaves so much later than it could, and the greeting.
  Duration reply_latency{};
  Duration greeting_latency{};
};

// A ServerObserver that hears of the connection's end, too.
class ConnectionObserver : public ServerObserver {
 public:
  // The connection is over, or as good as that: the client has said QUIT, or was sent away. May be
  // called more than once.
  virtual void on_over() {}
  // The client ended it without a QUIT, or cannot be reached: nobody waits for answers any more.
  // May be called more than once.
  virtual void on_lost() {}
};

// Driven like this: start(), then received() and peer_ended() as octets come; after each of them,
// behind answer(), and at next_due(), collect() what may leave; when finished(), close the socket
// once that has been sent. Thread: its server's.
class ClientConnection {
 public:
  // Room that collect() needs at least: a full TLS record and whatever the channel has pending.
  static constexpr std::size_t output_bytes_min = 24u << 10;

  ClientConnection(const ConnectionSetup& setup, std::uint64_t number,
                   std::unique_ptr<ConnectionObserver> observer);

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
  [[nodiscard]] bool should_reset() const { return next_ == Next::reset; }

  // Octets that wait for their time or for the socket, and when the first of them may leave.
  [[nodiscard]] bool has_replies() const { return !replies_.empty(); }
  [[nodiscard]] Instant next_due() const { return replies_.next_due(); }

  // The answer to a message that was Taken::later. One that is not owed (any more) is passed over.
  void answer(std::uint64_t message, const Answer& answer);
  // Messages wait for their answers: it is not the client who is silent.
  [[nodiscard]] bool owes_answers() const { return session_.owes_answers(); }
  // Nothing is owed, and no message is coming: it may be told to go.
  [[nodiscard]] bool is_between_messages() const { return session_.is_between_messages(); }

  // 421, and the end: there are too many sessions (instead of start()), the client was silent or
  // its session too old, or the server goes down.
  void turn_away();
  void time_out();
  void say_goodbye(const Answer& answer);

 private:
  void greet(Instant now);
  [[nodiscard]] bool is_dropped() const { return next_ == Next::drop || next_ == Next::reset; }
  void start_channel();
  void drive_channel(Instant now);
  void handshake_done(Instant now);
  void fail_channel();
  void hand_to_session(Bytes plaintext, Instant now);
  void end_session();
  void note_end();
  void note_over();
  void seal_due(Bytes due, ByteBuffer& output);

  const ConnectionSetup& setup_;
  ServerCounts& counts_;
  ReplyQueue replies_;
  const std::unique_ptr<ConnectionObserver> observer_;
  ServerSession session_;
  std::unique_ptr<tls::Channel> channel_;
  Next next_ = Next::receive;
  bool handshake_done_ = false;
  bool peer_ended_ = false;
  bool close_notified_ = false;
  bool end_noted_ = false;
  bool hopeless_ = false;
  bool dead_ = false;  // the channel broke: an alert may leave, nothing else
};

}  // namespace ringpost::server
