// The problem: how a session ended decides what becomes of its endpoint, and a person has to read
// in the same place what to change. The idea: a kind decides, and a table gives each kind its name
// and its sentence; our detail and the server's words stand behind it, in this order. Limits: the
// table has the order of CloseKind; its sentences name flags and URLs of the program, which this
// folder knows nothing about otherwise, and are kept in step by hand.
#include "engine/protocol/close_reason.h"

#include <algorithm>
#include <array>

namespace ringpost::protocol {

namespace {

struct CloseWords {
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array<CloseWords, close_kind_count> close_words = {{
    {"quit", "the session was closed"},
    {"aborted", "the session was stopped"},
    {"connect_failed", "no connection"},
    {"peer_closed", "the server closed the connection"},
    {"peer_closing", "the server is closing the connection"},
    {"io_error", "the connection broke"},
    {"timeout", "timed out"},
    {"protocol_error", "the server broke the protocol"},
    {"tls_failed", "TLS failed"},
    {"starttls_missing",
     "the server does not offer STARTTLS, which is required on this port: nothing was sent in "
     "clear; check the port (587 has STARTTLS, 465 is smtps://)"},
    {"starttls_refused", "the server refused STARTTLS"},
    {"starttls_injected",
     "the server sent octets in clear behind its answer to STARTTLS: an attack, or a broken "
     "server"},
    {"greeting_refused", "the server refused the connection in its greeting"},
    {"ehlo_refused", "the server refused EHLO"},
    {"auth_missing", "the server offers no authentication that these credentials can use"},
    {"auth_in_clear",
     "credentials are configured but the connection has no TLS: they were not sent; use smtp:// "
     "with STARTTLS or smtps://, or set allow_plaintext_auth"},
    {"auth_refused", "the server refused the user name or the password"},
    {"mechanism_refused", "the server refused the way to log in"},
    {"token_unavailable", "no OAuth token to log in with"},
    {"chunking_refused", "the server announces CHUNKING and refuses BDAT"},
    {"way_refused", "the server refuses commands that come together and takes them one by one"},
    {"login_wanted",
     "the server takes no mail from this login: check whether a user name is configured, and "
     "whether it may send"},
    {"all_refused",
     "the server has refused all that it was given, in the same words, and accepted nothing: the "
     "rest was not sent. Is it about the account? If it is about these recipients, "
     "--max-refusals 0 goes on"},
    {"rate_refused",
     "the server says that messages come too fast, however slowly they do, and has taken none for "
     "long: the rest was not sent"},
}};

}  // namespace

std::string_view name_of(CloseKind kind) {
  return close_words[static_cast<std::size_t>(kind)].name;
}

std::string CloseReason::message() const {
  const bool put_off = kind == CloseKind::auth_refused && code / 100 == 4;
  std::string message(put_off ? "the server put off the login"
                              : close_words[static_cast<std::size_t>(kind)].sentence);
  if (!detail.empty()) {
    message += ": " + detail;
  }
  if (code != 0) {
    message += ": " + std::to_string(code);
    if (enhanced.present()) {
      message += " " + std::to_string(enhanced.status_class) + "." +
                 std::to_string(enhanced.subject) + "." + std::to_string(enhanced.detail);
    }
    if (!text.empty()) {
      message += " " + text;
    }
  }
  return message;
}

CloseReason reason_of(CloseKind kind, Stage stage, std::string_view detail) {
  CloseReason reason;
  reason.kind = kind;
  reason.stage = stage;
  reason.detail = detail;
  return reason;
}

CloseReason reason_with_reply(CloseKind kind, Stage stage, const codec::Reply& reply,
                              bool permanent) {
  CloseReason reason = reason_of(kind, stage);
  reason.code = reply.code;
  reason.enhanced = reply.enhanced;
  reason.text = reply.text;
  std::replace(reason.text.begin(), reason.text.end(), '\n', ' ');
  reason.permanent = permanent;
  return reason;
}

}  // namespace ringpost::protocol
