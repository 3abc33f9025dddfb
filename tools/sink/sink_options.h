// How a sink behaves: what it listens on, what it offers, what it refuses, what it writes down.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/server/server_options.h"
#include "tools/sink/fault.h"
#include "tools/sink/provider_profile.h"
#include "tools/sink/sink_accounts.h"
#include <ringpost/base.h>
#include <ringpost/io_choice.h>

namespace ringpost::sink {

struct SinkOptions {
  server::ServerOptions session{.software = "ringpost sink"};
  AccountOptions account;
  FaultOptions faults;
  std::optional<ProviderProfile> provider;  // whose limits are kept, and counted

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
  IoChoice io = IoChoice::automatic;
  std::size_t sessions_max = 16384;  // more are told 421 and turned away
  std::uint64_t messages_max = 0;    // the sink finishes after so many accepted messages; 0: never
  Duration idle_timeout = std::chrono::minutes(5);  // RFC 5321 4.5.3.2.7
};

}  // namespace ringpost::sink
