// How a sink behaves: what it listens on, what it offers, what it refuses, what it writes down.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/smtp/smtp_capability.h"
#include "engine/server/extensions.h"
#include "tools/sink/fault.h"
#include <ringpost/base.h>

namespace ringpost::sink {

using server::Extensions;
using server::no_extensions;

// Which OAuth tokens are good. Each of them is good for so many logins, then only the next one is;
// behind the last none is.
struct TokenOptions {
  std::vector<std::string> tokens;
  std::uint64_t uses_max = 0;  // of each; 0: the first one is good for ever
  // Logins so far, of all sessions together.
  std::shared_ptr<std::atomic<std::uint64_t>> uses =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

// What all sessions of a sink have in common. Outlives them; never changed while they live.
struct ServerOptions {
  Extensions extensions;
  FaultOptions faults;
  std::string host_name = "localhost";  // of the greeting
  std::string user = "ringpost";
  std::string password = "ringpost";
  TokenOptions tokens;
  // Announced in this order.
  std::vector<AuthMechanism> mechanisms = {AuthMechanism::plain, AuthMechanism::login};
  std::uint64_t size_max = 50u << 20;  // octets of a message; more gets 552
  std::size_t recipients_max = 1000;   // of a transaction; more get 452 (RFC 5321 4.5.3.1.10)
  bool strict_close = false;           // a violation ends the session behind its reply
};

// What a listener changes in that.
struct SessionPolicy {
  bool starttls = false;       // offered while the session is in clear
  bool auth_in_clear = false;  // AUTH is offered and taken without TLS
  bool auth_required = true;   // no MAIL before it
};

struct SinkOptions {
  ServerOptions session;

  // "ADDRESS:PORT", port 0 takes any free one; empty: no such listener.
  std::string listen_starttls = "127.0.0.1:2587";
  std::string listen_tls = "127.0.0.1:2465";  // TLS from the first octet
  std::string listen_plain;                   // no TLS at all; a relay that asks nobody to log in,
  bool plain_auth = false;                    // unless this makes AUTH offered and required there

  // PEM files. Both empty: a certificate for localhost, 127.0.0.1 and ::1 is made.
  std::string certificate_file;
  std::string key_file;
  std::string certificate_out;  // where the made one is written; empty: a temporary folder

  std::string record_file;        // a JSON line an accepted message, appended; empty: none
  bool record_digests = true;     // false: such a line has no SHA-256, and costs less
  std::string record_content_in;  // folder for the accepted messages themselves; empty: none

  std::size_t threads = 1;
  std::size_t sessions_max = 16384;  // more are told 421 and turned away
  std::uint64_t messages_max = 0;    // the sink finishes after so many accepted messages; 0: never
  Duration idle_timeout = std::chrono::minutes(5);  // RFC 5321 4.5.3.2.7
};

}  // namespace ringpost::sink
