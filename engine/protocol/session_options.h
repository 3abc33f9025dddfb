// What a session is asked for: how it names and secures itself, who it logs in as, how far it runs
// ahead and how long it waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "codec/smtp/sasl.h"
#include "engine/protocol/pipelining.h"
#include <ringpost/auth_mechanism.h>
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::protocol {

class ReplyRules;
class StepListener;

enum class TlsMode : std::uint8_t {
  none,      // plaintext relay; no credentials unless allow_plaintext_auth
  starttls,  // required: without it nothing is sent
  implicit,  // the caller has done the handshake before the session begins
};

// What an Opening needs of them.
struct OpeningOptions {
  // For EHLO: a domain or an address literal; empty: what Session::introduce_as() says.
  std::string client_name = "localhost";
  TlsMode tls_mode = TlsMode::starttls;
  bool authenticate = false;
  codec::Credentials credentials;          // of sessions that are given no Login of their own
  std::optional<AuthMechanism> mechanism;  // nothing: the best that is announced
  codec::SaslTools sasl;
  bool allow_plaintext_auth = false;
  // The server's certificate is checked, so that it may be told the password.
  bool peer_verified = true;
  // Null: before messages the class of the code decides alone, and from MAIL on the general rules.
  std::shared_ptr<const ReplyRules> reply_rules;
};

struct SessionTimeouts {
  Duration greeting = limits::greeting_timeout;
  Duration command = limits::command_timeout;
  Duration data = limits::data_timeout;
  Duration content = limits::content_timeout;
  Duration end_of_data = limits::end_of_data_timeout;
  Duration quit = limits::quit_timeout;
};

struct SessionOptions : OpeningOptions {
  Pipelining pipelining = Pipelining::flights;  // at most; the server may allow less
  // Messages in flight, in the ways that have several; 0: up to limits::flight_messages_max,
  // growing while replies keep step. With 1 no message runs ahead of another.
  std::uint32_t messages_in_flight_max = 0;
  std::size_t flight_bytes_max = limits::flight_bytes_max;
  std::uint64_t messages_max = 0;  // of this session, which says QUIT behind the last; 0: no limit
  std::uint64_t message_bytes_max = 0;  // SIZE may say less; 0: it alone counts
  std::uint32_t recipients_max = 100;   // of one transaction; RFC 5321 4.5.3.1.8
  // The field in front of messages that have an idempotency key; empty: none
  // (codec/mail/idempotency_header.h).
  std::string idempotency_header;
  SessionTimeouts timeouts;
  StepListener* steps = nullptr;  // outlives the session; null: nobody measures
};

}  // namespace ringpost::protocol
