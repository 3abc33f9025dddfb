// The problem: a session speaks in clear, its server wants TLS from some point on, and whoever has
// the socket (a worker with its ring, a probe that polls) should know neither. The idea: one
// machine between them, that pulls. What comes is fed to TLS and from there to the session at once;
// what the session wants to say waits in it until its owner has room, and is sealed in one go. The
// session calls its listener by itself, so that nothing stands between them for a message.
//
// Limits: it knows no addresses, no patience with a server that does not greet, and no other
// session; those are its owner's.
#include "engine/link.h"

#include <algorithm>
#include <utility>

#include "engine/protocol/opening_hint.h"

namespace ringpost::engine {

namespace {

// Of what comes in the place of TLS: enough for a greeting and what stands behind it.
constexpr std::size_t answer_bytes_max = 512;
// What shows whether it is a record of TLS.
constexpr std::size_t record_begin_bytes = 2;

// Whether it was TLS that failed, if perhaps for want of a certificate of ours.
bool is_answer_in_tls(tls::TlsErrorKind kind) {
  return kind != tls::TlsErrorKind::closed && kind != tls::TlsErrorKind::not_tls &&
         kind != tls::TlsErrorKind::internal && kind != tls::TlsErrorKind::local_file;
}

// Nothing about these changes by trying again.
bool is_permanent(tls::TlsErrorKind kind) {
  switch (kind) {
    case tls::TlsErrorKind::unknown_authority:
    case tls::TlsErrorKind::wrong_host:
    case tls::TlsErrorKind::expired:
    case tls::TlsErrorKind::not_yet_valid:
    case tls::TlsErrorKind::bad_certificate:
    case tls::TlsErrorKind::no_common_version:
    case tls::TlsErrorKind::not_tls:
    case tls::TlsErrorKind::local_file:
      return true;
    case tls::TlsErrorKind::peer_alert:
    case tls::TlsErrorKind::closed:
    case tls::TlsErrorKind::truncated:
    case tls::TlsErrorKind::internal:
      return false;
  }
  return false;
}

}  // namespace

Link::Link(const LinkEnvironment& environment, const LinkOptions& options,
           protocol::SessionListener& listener, LinkObserver* observer)
    : environment_(environment), options_(options), listener_(listener), observer_(observer) {}

// ---- Opening -----------------------------------------------------------------------------------

void Link::begin(Instant now) {
  RP_ASSERT(state_ == LinkState::idle);
  if (options_.session->tls_mode == protocol::TlsMode::implicit) {
    start_handshake(environment_.tls_timeout, now);
  } else {
    start_session(now);
  }
}

void Link::ask_for_tls(Duration patience, Instant now) {
  RP_ASSERT(state_ == LinkState::idle);
  asks_for_tls_ = true;
  start_handshake(std::min(environment_.tls_timeout, patience), now);
}

void Link::start_session(Instant now) {
  state_ = LinkState::talking;
  session_.emplace(*options_.session, listener_, now, options_.knowledge, options_.login);
  if (environment_.frontier != nullptr) {
    session_->go_with(*environment_.frontier);
  }
  if (options_.session->client_name.empty()) {
    session_->introduce_as(options_.client_name);
  }
}

void Link::start_handshake(Duration timeout, Instant now) {
  RP_ASSERT(environment_.tls_context != nullptr);
  state_ = LinkState::handshake;
  deadline_ = now + timeout;
  handshake_began_at_ = now;
  auto channel =
      tls::Channel::create(*environment_.tls_context, environment_.host, environment_.tickets);
  if (!channel) {
    fail_tls(channel.error());
    return;
  }
  channel_ = std::move(*channel);
  if (environment_.keeps_certificates) {
    channel_->keep_certificates();
  }
  go_on_with_handshake(now);
}

void Link::go_on_with_handshake(Instant now) {
  const auto done = channel_->handshake();
  if (!done) {
    fail_tls(done.error());
  } else if (*done) {
    handshake_done(now);
  }
}

void Link::handshake_done(Instant now) {
  if (asks_for_tls_) {
    tls_answer_ = TlsAnswer::tls;
    end(protocol::reason_of(protocol::CloseKind::quit, Stage::tls));
    return;
  }
  if (observer_ != nullptr) {
    observer_->on_handshake();
  }
  if (options_.session->steps != nullptr) {
    options_.session->steps->on_step(Stage::tls, now - handshake_began_at_);
  }
  if (session_) {
    state_ = LinkState::talking;
    session_->tls_established(now);
  } else {
    start_session(now);
  }
  read_plaintext(now);
}

// ---- Input -------------------------------------------------------------------------------------

void Link::feed(Bytes octets, Instant now) {
  switch (state()) {
    case LinkState::handshake:
      keep_answer(octets);
      channel_->feed(octets);
      go_on_with_handshake(now);
      break;
    case LinkState::talking:
      if (channel_) {
        channel_->feed(octets);
        read_plaintext(now);
        break;
      }
      take_text(octets, now);
      if (session_->state() == protocol::SessionState::handshake) {
        start_handshake(environment_.tls_timeout, now);
      }
      break;
    case LinkState::idle:
    case LinkState::over:
      break;
  }
}

void Link::read_plaintext(Instant now) {
  while (state() == LinkState::talking) {
    const auto result = channel_->read();
    if (!result) {
      fail_tls(result.error());
      return;
    }
    if (result->state == tls::ReadState::need_more) {
      return;
    }
    if (result->state == tls::ReadState::closed) {
      end(protocol::reason_of(protocol::CloseKind::peer_closed, Stage::local, "it ended TLS"));
      return;
    }
    take_text(result->plaintext, now);
  }
}

void Link::take_text(Bytes text, Instant now) {
  if (observer_ != nullptr) {
    observer_->on_text_in(text);
  }
  session_->receive(text, now);
}

// For people, who look at it where it is no TLS. Pieces of it are put together; of a record its
// first octets are kept alone, since every handshake has one.
void Link::keep_answer(Bytes octets) {
  while (!octets.empty() && answer_.size() < record_begin_bytes) {
    answer_ += octets.front();
    octets.remove_prefix(1);
  }
  if (!tls::may_be_record(answer_)) {
    answer_ += octets.substr(0, answer_bytes_max - answer_.size());
  }
}

void Link::feed_end(Instant now) {
  if (state() == LinkState::handshake) {
    channel_->feed_end();
    go_on_with_handshake(now);
  } else if (state() == LinkState::talking) {
    end(protocol::reason_of(protocol::CloseKind::peer_closed, Stage::local,
                            channel_ ? "without ending TLS first" : ""));
  }
}

// ---- Output ------------------------------------------------------------------------------------

// A copy is made into the room, unless a message's own octets are read where they stand, and one
// into the buffer, unless the room is there; where wolfSSL makes the records another one.
LinkSealed Link::seal(ByteBuffer& buffer) {
  LinkSealed sealed;
  if (channel_) {
    channel_->take_output(buffer);
  }
  const bool in_place = channel_ && state() == LinkState::talking && channel_->seals_in_place();
  std::span<char> room = environment_.plaintext_room;
  while (state() == LinkState::talking &&
         buffer.room() >= (channel_ ? channel_->sealed_bytes_max(room.size()) : room.size())) {
    if (in_place) {
      room = channel_->plaintext_room(buffer, room.size());
    }
    const protocol::SessionState said_in = session_->state();
    const Bytes text = session_->output(room);
    if (text.empty()) {
      break;
    }
    if (observer_ != nullptr) {
      observer_->on_text_out(text, said_in);
    }
    const bool was_gathered = text.data() == room.data();
    sealed.bytes_copied +=
        (was_gathered ? text.size() : 0) + (in_place && was_gathered ? 0 : text.size());
    if (!channel_) {
      buffer.append(text);
      continue;
    }
    const std::size_t before = buffer.size();
    if (const auto done = channel_->seal(text, buffer); !done) {
      buffer.clear();
      fail_tls(done.error());
      return sealed;
    }
    sealed.tls_records += (text.size() + room.size() - 1) / room.size();
    sealed.bytes_copied += in_place ? 0 : buffer.size() - before;
  }
  if (session_ && !buffer.empty()) {
    session_->about_to_hand_over(session_->output_offset());
  }
  return sealed;
}

// ---- Endings -----------------------------------------------------------------------------------

void Link::expire(Instant now) {
  if (state() == LinkState::handshake) {
    end(protocol::reason_of(protocol::CloseKind::timeout, Stage::tls, "TLS handshake"));
  } else if (state() == LinkState::talking) {
    session_->expire(now);
  }
}

void Link::fail_tls(const tls::TlsError& error) {
  tls_error_ = std::make_unique<tls::TlsError>(error);
  if (asks_for_tls_) {
    tls_answer_ = judge_answer(error.kind);
  }
  protocol::CloseReason reason =
      protocol::reason_of(protocol::CloseKind::tls_failed, Stage::tls, error.message());
  reason.permanent = is_permanent(error.kind);
  end(std::move(reason));
}

// Through the session where there is one, so that its messages get their verdicts.
void Link::end(protocol::CloseReason reason) {
  if (session_) {
    session_->transport_closed(std::move(reason));
  } else if (state_ == LinkState::handshake) {
    state_ = LinkState::over;
    listener_.on_closed(reason);
  }
}

// A record is TLS, whatever became of it.
TlsAnswer Link::judge_answer(tls::TlsErrorKind kind) const {
  const bool is_record = answer_.size() >= record_begin_bytes && tls::may_be_record(answer_);
  if (is_record || is_answer_in_tls(kind)) {
    return TlsAnswer::tls;
  }
  const bool is_foreign = !protocol::foreign_protocol_hint(answer_).empty();
  return is_foreign ? TlsAnswer::other : TlsAnswer::none;
}

bool Link::say_farewell() {
  if (!channel_) {
    return false;
  }
  channel_->close_notify();
  return channel_->has_output();
}

}  // namespace ringpost::engine
