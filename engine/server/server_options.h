// How a server behaves, whoever observes it: what it offers, and where its limits are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/smtp/sasl_crypto.h"
#include "engine/server/accounts.h"
#include "engine/server/announcement.h"
#include "engine/server/command_syntax.h"
#include "engine/server/extensions.h"
#include "engine/server/server_count.h"
#include <ringpost/auth_mechanism.h>
#include <ringpost/base.h>

namespace ringpost::server {

// What all sessions of a server have in common; never changed while they live.
struct ServerOptions {
  Extensions extensions{};
  // Told behind EHLO in the place of a list that is made of `extensions`, and obeyed: in front of
  // STARTTLS, where it is offered, and otherwise.
  std::optional<Announcement> announced_in_clear{};
  std::optional<Announcement> announced{};
  std::string host_name = "localhost";  // of the greeting
  std::string software = "ringpost";    // likewise
  // Announced in this order.
  std::vector<AuthMechanism> mechanisms = {AuthMechanism::plain, AuthMechanism::login};
  std::uint64_t size_max = 50u << 20;  // octets of a message; more gets 552
  std::size_t recipients_max = 1000;   // of a transaction; more get 452 (RFC 5321 4.5.3.1.10)
  // MAIL behind so many messages gets 421 and the session ends. 0: no limit.
  std::uint64_t messages_max = 0;
  bool strict_close = false;  // a violation ends the session behind its reply
  // So many replies of 5xx without a message between them end the session with 421. 0: none do.
  std::uint64_t errors_max = 0;
  Grammar grammar = Grammar::strict;
  // RFC 9422: EHLO tells messages_max and recipients_max.
  bool announces_limits = false;
};

// What a listener changes in that.
struct SessionPolicy {
  bool starttls = false;       // offered while the session is in clear
  bool auth_in_clear = false;  // AUTH is offered and taken without TLS
  bool auth_required = true;   // no MAIL before it
};

// What the sessions of one listener are made of; outlives them, as does what is pointed to. Without
// accounts AUTH may not be offered.
struct ServerSetup {
  const ServerOptions* options = nullptr;
  SessionPolicy policy;
  Accounts* accounts = nullptr;
  const codec::SaslCrypto* crypto = nullptr;
  ServerCounts* counts = nullptr;  // of the sessions' thread
};

}  // namespace ringpost::server
