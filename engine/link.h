// A session with its TLS, without a socket: the server's octets go in, ours come out, sealed where
// they have to be.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/text/byte_buffer.h"
#include "engine/protocol/session.h"
#include "tls/channel.h"
#include "tls/context.h"
#include "tls/ticket_cache.h"
#include <ringpost/base.h>

namespace ringpost::engine {

// What the links to one endpoint share. All of it outlives them.
struct LinkEnvironment {
  // Scratch for what a session says at once: a TLS record's worth, or less where nobody sends
  // messages, but 1,024 octets.
  std::span<char> plaintext_room;
  tls::Context* tls_context = nullptr;     // null without TLS
  tls::TicketCache* tickets = nullptr;     // null: no TLS session is resumed
  std::string_view host;                   // whose certificate it has to be
  Duration tls_timeout{0};                 // of a handshake
  bool keeps_certificates = false;         // for people
  protocol::Frontier* frontier = nullptr;  // null: a session goes alone
};

// What one link begins with. Its owner's, who may change it until there is a session.
struct LinkOptions {
  const protocol::SessionOptions* session = nullptr;  // outlives the link
  std::string client_name;                            // where the session's options have no name
  protocol::PipeliningKnowledge knowledge;            // of earlier sessions with this server
  // Takes the place of the credentials in the session's options; null: they have it.
  std::shared_ptr<const protocol::Login> login;
};

// Sees what passes in clear, for people. Called from within the link's methods: it takes notes and
// changes nothing. Views die with the call.
class LinkObserver {
 public:
  virtual ~LinkObserver() = default;
  // The server's words, before the session reads them.
  virtual void on_text_in(Bytes text) = 0;
  // The session's words, and the state in which it said them: that may change by being said.
  virtual void on_text_out(Bytes text, protocol::SessionState said_in) = 0;
  // The handshake is complete, and the session does not know yet.
  virtual void on_handshake() = 0;
};

enum class LinkState : std::uint8_t {
  idle,
  handshake,  // TLS
  talking,
  over,  // on_closed() came; what TLS has left to say can still be sealed
};

enum class TlsAnswer : std::uint8_t {
  none,
  tls,
  other,  // a protocol that is not SMTP: see Link::answer()
};

// What a call of Link::seal() did.
struct LinkSealed {
  std::uint64_t tls_records = 0;
  std::uint64_t bytes_copied = 0;  // by us and by wolfSSL
};

// Whoever owns it has a transport and drives it like this: begin() when that stands, feed() what
// came, seal() and send whenever has_output(), handed_over() when the transport has all of it,
// expire() behind deadline(). The session's own listener hears how it ends, also when that was
// before there was a session. Thread: one, that of the TLS context.
class Link {
 public:
  // All of these outlive it. Without `observer`, nobody looks on, and that costs nothing.
  Link(const LinkEnvironment& environment, const LinkOptions& options,
       protocol::SessionListener& listener, LinkObserver* observer = nullptr);

  void begin(Instant now);
  // In the place of begin(): says a ClientHello, in which no secret is, and ends with what came of
  // it: see tls_answer().
  void ask_for_tls(Duration patience, Instant now);

  void feed(Bytes octets, Instant now);
  // The server ended the stream.
  void feed_end(Instant now);
  // The transport failed, or its owner wants no more of it. Nothing, when it is over.
  void end(protocol::CloseReason reason);

  [[nodiscard]] LinkState state() const {
    return session_ && session_->closed() ? LinkState::over : state_;
  }
  [[nodiscard]] Instant deadline() const {
    return state() == LinkState::handshake ? deadline_ : session_ ? session_->deadline() : never;
  }
  // A handshake ends when its owner says so, be it before its deadline.
  void expire(Instant now);

  [[nodiscard]] bool has_output() {
    return (channel_ && channel_->has_output()) ||
           (state() == LinkState::talking && session_->has_output());
  }
  // Appends what is ready, as much as fits, which has to be sent. An empty buffer: nothing was, or
  // TLS failed, and the link with it.
  LinkSealed seal(ByteBuffer& buffer);
  // The transport has everything that was sealed: see protocol::Session::handed_over().
  void handed_over(Instant now) {
    if (session_) {
      session_->handed_over(session_->output_offset(), now);
    }
  }
  // Queues the end of TLS, when the link is over. Whether anything is left to send.
  [[nodiscard]] bool say_farewell();

  [[nodiscard]] bool has_session() const { return session_.has_value(); }
  // Precondition: has_session().
  [[nodiscard]] protocol::Session& session() { return *session_; }
  [[nodiscard]] const protocol::Session& session() const { return *session_; }
  // Null before its handshake began.
  [[nodiscard]] const tls::Channel* channel() const { return channel_.get(); }
  // What TLS failed with; null when it did not.
  [[nodiscard]] const tls::TlsError* tls_error() const { return tls_error_.get(); }

  [[nodiscard]] bool asks_for_tls() const { return asks_for_tls_; }
  // When over.
  [[nodiscard]] TlsAnswer tls_answer() const { return tls_answer_; }
  // The first octets that came in the handshake, where they are no TLS; of TLS some.
  [[nodiscard]] Bytes answer() const { return answer_; }

 private:
  void start_session(Instant now);
  void start_handshake(Duration timeout, Instant now);
  void go_on_with_handshake(Instant now);
  void handshake_done(Instant now);
  void read_plaintext(Instant now);
  void take_text(Bytes text, Instant now);
  void keep_answer(Bytes octets);
  void fail_tls(const tls::TlsError& error);
  [[nodiscard]] TlsAnswer judge_answer(tls::TlsErrorKind kind) const;

  const LinkEnvironment& environment_;
  const LinkOptions& options_;
  protocol::SessionListener& listener_;
  LinkObserver* observer_;
  LinkState state_ = LinkState::idle;  // as far as the session does not know it
  bool asks_for_tls_ = false;
  TlsAnswer tls_answer_ = TlsAnswer::none;
  Instant deadline_ = never;  // of the handshake
  Instant handshake_began_at_{};
  std::string answer_;
  std::unique_ptr<tls::TlsError> tls_error_;
  std::unique_ptr<tls::Channel> channel_;
  std::optional<protocol::Session> session_;
};

}  // namespace ringpost::engine
