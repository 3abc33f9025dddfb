// What the sink does wrong on purpose, so that a client can be seen to deal with it.
//
// Refusals hang on addresses, because then one test run can mix them with good mail; delays and
// limits hang on the sink. Faults of the transport (a drop before or after the end of data, stalls,
// half replies) belong here too when they come; SmtpServerSession asks, Connection carries out.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/base.h"

namespace ringpost::sink {

struct FaultOptions {
  // Each reply leaves this long after its command arrived. Replies to one group keep their own
  // times, so a pipelined group costs one delay.
  Duration reply_latency{0};
  // The greeting leaves this long after the connection, or after the handshake of implicit TLS.
  Duration greeting_latency{0};
  // MAIL behind so many accepted messages gets 421 and the session ends. 0: no limit.
  std::uint64_t messages_per_session_max = 0;
};

// In order of weight: of several recipients' wishes the heaviest decides.
enum class Refusal : std::uint8_t { none, defer, reject };

// A local part that begins with reject-data or defer-data is refused at the end of data.
[[nodiscard]] inline Refusal refusal_at_end_of_data(std::string_view local_part) {
  if (local_part.starts_with("reject-data")) {
    return Refusal::reject;
  }
  return local_part.starts_with("defer-data") ? Refusal::defer : Refusal::none;
}

// Any other one that begins with reject or defer is refused at RCPT.
[[nodiscard]] inline Refusal refusal_at_rcpt(std::string_view local_part) {
  if (refusal_at_end_of_data(local_part) != Refusal::none) {
    return Refusal::none;
  }
  if (local_part.starts_with("reject")) {
    return Refusal::reject;
  }
  return local_part.starts_with("defer") ? Refusal::defer : Refusal::none;
}

// A sender is refused at MAIL when its local part begins with reject-mail or defer-mail.
[[nodiscard]] inline Refusal refusal_at_mail(std::string_view local_part) {
  if (local_part.starts_with("reject-mail")) {
    return Refusal::reject;
  }
  return local_part.starts_with("defer-mail") ? Refusal::defer : Refusal::none;
}

}  // namespace ringpost::sink
