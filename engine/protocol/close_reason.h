// Why a session ended, in a form that decides what happens next and in words for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/pipelining.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::protocol {

struct ReplyRule;

enum class CloseKind : std::uint8_t {
  quit,              // we said QUIT
  aborted,           // we were told to stop at once
  connect_failed,    // no TCP connection
  peer_closed,       // the server ended the connection without a word
  peer_closing,      // the server said 421
  io_error,          // the connection broke
  timeout,           // a reply, or room for content, did not come in time
  protocol_error,    // a reply that is malformed, surplus, early or out of place
  tls_failed,        // handshake, certificate or record error
  starttls_missing,  // STARTTLS is required and was not announced
  starttls_refused,
  starttls_injected,  // octets in clear behind the 220 to STARTTLS
  greeting_refused,
  ehlo_refused,
  auth_missing,   // credentials are configured and AUTH, or a mechanism we know, is not announced
  auth_in_clear,  // credentials are configured and the connection has no TLS
  auth_refused,   // the credentials were
  mechanism_refused,  // no way to log in was taken of those that were tried
  token_unavailable,  // no OAuth token could be read, so that no session was opened
  chunking_refused,   // BDAT was announced and is not known
  way_refused,        // refused in a group what it takes, or refuses otherwise, one by one
  login_wanted,       // to a message: nobody is logged in, or not well enough
  all_refused,        // one message after the other, in the same words
  rate_refused,       // the same, because they come too fast, however slowly they do
};
inline constexpr std::size_t close_kind_count = 24;
[[nodiscard]] std::string_view name_of(CloseKind kind);

struct CloseReason {
  CloseKind kind = CloseKind::quit;
  // What was under way. Whoever knows better than the session (connect, tls) says so; a session
  // replaces `local` by what it was waiting for.
  Stage stage = Stage::local;
  // The reply that ended it, where one did.
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string text;    // the server's words, secrets redacted
  std::string detail;  // ours: the error of the kernel or of TLS, what was out of place
  // Trying again will not help before somebody changes something: the endpoint stops.
  bool permanent = false;
  // The server did not go along with the way in use: later sessions with it go no further than
  // this.
  std::optional<Pipelining> fall_back;
  // That was on trial, and failed there: nothing, where another session has seen it work.
  bool of_trial = false;
  // This step failed on trial, as a fault of the network's could have it. Together with
  // `fall_back`: the doubt about it that was there before is borne out.
  std::optional<Pipelining> doubted;
  // The server ended the session behind refusals, as some do that count them: nobody's fault.
  bool after_refusals = false;
  // It says that the account's messages come too fast.
  bool too_fast = false;
  // A way to log in does not work with this server: later sessions try another one.
  bool other_mechanism = false;
  // Of the user's or of a preset's, where one fitted the reply.
  const ReplyRule* rule = nullptr;

  // One sentence, without the server's name.
  [[nodiscard]] std::string message() const;
};

// A reason without a reply.
[[nodiscard]] CloseReason reason_of(CloseKind kind, Stage stage, std::string_view detail = {});
// With the reply that was the reason, in one line.
[[nodiscard]] CloseReason reason_with_reply(CloseKind kind, Stage stage, const codec::Reply& reply,
                                            bool permanent);

}  // namespace ringpost::protocol
