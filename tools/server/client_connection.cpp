// The problem: TLS, session and replies each end in their own way, and the last reply, close_notify
// and the client's end come in any order. The idea: whether all is over is worked out anew from the
// session's next step, the client's end and the state of the channel; octets leave in collect()
// alone, so the replies of a turn share a record. Limits: a client that sends and never reads is
// let go when too much waits for it, because its receive cannot be paused.
#include "tools/server/client_connection.h"

#include <algorithm>
#include <utility>

#include <ringpost/limits.h>

namespace ringpost::server {

namespace {

// A client that sends and never reads is let go when so much waits for it. Rings have no way to
// stop a receive that is armed, and 1 MiB is the replies to some 6000 messages in flight.
constexpr std::size_t unread_bytes_max = 1u << 20;

}  // namespace

ClientConnection::ClientConnection(const ConnectionSetup& setup, std::uint64_t number,
                                   std::unique_ptr<ConnectionObserver> observer)
    : setup_(setup),
      counts_(*setup.session.counts),
      observer_(std::move(observer)),
      session_(setup.session, {.session = number}, replies_, *observer_) {}

void ClientConnection::start(Instant now) {
  if (setup_.implicit_tls) {
    start_channel();
  } else {
    greet(now);
  }
}

void ClientConnection::greet(Instant now) {
  next_ = session_.greet();
  replies_.mark(now + setup_.greeting_latency);
  note_over();
}

void ClientConnection::start_channel() {
  auto channel = tls::Channel::create(*setup_.context, {});
  if (!channel) {
    fail_channel();
    return;
  }
  channel_ = std::move(*channel);
}

void ClientConnection::received(Bytes octets, Instant now) {
  if (dead_) {
    return;
  }
  if (channel_ == nullptr) {
    hand_to_session(octets, now);
    return;
  }
  channel_->feed(octets);
  drive_channel(now);
}

void ClientConnection::drive_channel(Instant now) {
  if (!handshake_done_) {
    const auto done = channel_->handshake();
    if (!done) {
      fail_channel();
      return;
    }
    if (!*done) {
      return;
    }
    handshake_done(now);
  }
  // To the end, also when the session is over: the octets are only lent.
  while (true) {
    const auto read = channel_->read();
    if (!read) {
      fail_channel();
      return;
    }
    if (read->state == tls::ReadState::closed) {
      note_end();
      peer_ended_ = true;
      return;
    }
    if (read->state == tls::ReadState::need_more) {
      return;
    }
    hand_to_session(read->plaintext, now);
  }
}

void ClientConnection::handshake_done(Instant now) {
  handshake_done_ = true;
  counts_.add(Count::tls_sessions);
  counts_.add(Count::tls_resumed, channel_->resumed() ? 1 : 0);
  session_.tls_started(channel_->version());
  next_ = Next::receive;
  if (setup_.implicit_tls) {
    greet(now);
  }
}

void ClientConnection::fail_channel() {
  counts_.add(Count::tls_failed);
  end_session();
}

void ClientConnection::hand_to_session(Bytes plaintext, Instant now) {
  if (is_end(next_) || dead_) {
    return;
  }
  next_ = session_.receive(plaintext);
  note_over();
  const Duration latency = setup_.reply_latency;
  // Without latency all replies share one mark, however long they wait for the socket.
  const bool at_once = latency == Duration::zero() && !replies_.is_slowed_down();
  replies_.mark(at_once ? Instant::min() : now + latency);
  if (replies_.size() > unread_bytes_max) {
    counts_.add(Violation::unread_replies);
    lost();
  }
}

// Without close_notify too: what counts in SMTP is whether there was a QUIT.
void ClientConnection::peer_ended() {
  note_end();
  peer_ended_ = true;
  if (channel_ != nullptr && !handshake_done_ && !dead_) {
    fail_channel();
  }
}

void ClientConnection::lost() {
  hopeless_ = true;
  observer_->on_lost();
  end_session();
}

void ClientConnection::end_session() {
  note_end();
  dead_ = true;
  session_.connection_lost();
  replies_.clear();
}

// A session that we end, or whose client said QUIT, was not lost.
void ClientConnection::note_end() {
  if (!end_noted_ && !is_end(next_)) {
    counts_.add(Count::sessions_lost);
    observer_->on_lost();
  }
  end_noted_ = true;
  observer_->on_over();
}

// Behind QUIT a connection counts no more, whenever the last reply leaves: by then the client may
// have the next one, whose greeting is as far away.
void ClientConnection::note_over() {
  if (is_end(next_)) {
    observer_->on_over();
  }
}

void ClientConnection::collect(ByteBuffer& output, Instant now) {
  RP_ASSERT(output.room() >= output_bytes_min);
  const bool pending = channel_ != nullptr && channel_->take_output(output);
  if (close_notified_) {
    replies_.clear();  // a 421 that comes now has nowhere to go: TLS has ended
  }
  const Bytes due = replies_.due(now);
  if (!pending && !dead_ && !due.empty()) {
    if (channel_ != nullptr) {
      seal_due(due, output);
    } else {
      const std::size_t count = std::min(due.size(), output.room());
      output.append(due.substr(0, count));
      replies_.consume(count);
    }
  }
  if (dead_ || !replies_.empty()) {
    return;
  }
  session_.replies_left();
  if (next_ == Next::start_tls) {
    if (channel_ == nullptr) {
      start_channel();
    }
  } else if (next_ == Next::close || (peer_ended_ && !is_dropped())) {
    if (handshake_done_ && !close_notified_) {
      channel_->close_notify();
      close_notified_ = true;
      channel_->take_output(output);
    }
  }
}

// One record at a time, as many as find room. Nothing is consumed in between: that moves the text.
void ClientConnection::seal_due(Bytes due, ByteBuffer& output) {
  std::size_t sealed = 0;
  while (sealed < due.size()) {
    const Bytes piece = due.substr(sealed, limits::tls_record_bytes_max);
    if (channel_->sealed_bytes_max(piece.size()) > output.room()) {
      break;
    }
    if (!channel_->seal(piece, output)) {
      return fail_channel();
    }
    sealed += piece.size();
  }
  replies_.consume(sealed);
}

bool ClientConnection::finished() const {
  if (channel_ != nullptr && channel_->has_output()) {
    return false;
  }
  if (dead_) {
    return true;
  }
  const bool over = is_end(next_) || peer_ended_;
  const bool notified = !handshake_done_ || close_notified_ || is_dropped();
  return over && replies_.empty() && notified;
}

void ClientConnection::turn_away() {
  if (setup_.implicit_tls) {
    next_ = Next::close;
    lost();
  } else {
    say_goodbye({421, "4.3.2", "Too many sessions"});
  }
}

void ClientConnection::time_out() { say_goodbye({421, "4.4.2", "Nothing came for too long"}); }

void ClientConnection::answer(std::uint64_t message, const Answer& answer) {
  if (dead_) {
    return;
  }
  next_ = session_.answer_message(message, answer);
  note_over();
  replies_.mark(Instant::min());
}

void ClientConnection::say_goodbye(const Answer& answer) {
  const bool in_handshake = (channel_ != nullptr && !handshake_done_) || next_ == Next::start_tls;
  if (in_handshake || session_.is_stalled()) {
    next_ = Next::close;
    lost();
  } else if (!is_end(next_) && !dead_) {
    session_.say_goodbye(answer);
    next_ = Next::close;
    note_over();
    replies_.mark(Instant::min());
  }
}

}  // namespace ringpost::server
