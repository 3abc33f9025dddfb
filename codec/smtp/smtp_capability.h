// What a server announced in its answer to EHLO (RFC 5321 4.1.1.1).
#pragma once

#include <cstdint>
#include <optional>

#include "codec/smtp/auth_mechanism.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// What LIMITS (RFC 9422) says, as it stands; nothing where a number is not there, or none.
struct AnnouncedLimits {
  std::optional<std::uint64_t> session_messages;   // MAILMAX: transactions of a session
  std::optional<std::uint64_t> recipients;         // RCPTMAX: of one transaction
  std::optional<std::uint64_t> recipient_domains;  // RCPTDOMAINMAX: of one transaction
};

struct Capabilities {
  bool starttls = false;
  bool pipelining = false;
  bool chunking = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool enhanced_status_codes = false;
  bool size = false;
  std::uint64_t message_bytes_max = 0;  // of SIZE; 0: no limit announced
  AnnouncedLimits announced_limits;     // for people
  // Of these, what binds: transactions a session, recipients a transaction; 0: none announced.
  std::uint32_t session_messages_max = 0;
  std::uint32_t recipients_max = 0;
  bool auth = false;
  MechanismSet auth_mechanisms = 0;

  [[nodiscard]] bool offers(AuthMechanism mechanism) const {
    return (auth_mechanisms & bit_of(mechanism)) != 0;
  }
};

// Whether a line of the reply to EHLO is about `keyword`, which is given in upper case.
[[nodiscard]] bool is_keyword(Bytes line, Bytes keyword);

// `text` is the text of the reply to EHLO, its lines separated by '\n'. The first line is the
// greeting; keywords are case-insensitive, unknown ones ignored, numbers out of range count as no
// limit.
[[nodiscard]] Capabilities parse_capabilities(Bytes text);

}  // namespace ringpost::codec
