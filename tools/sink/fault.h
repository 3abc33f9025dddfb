// What the sink does wrong on purpose, so that a client can be seen to deal with it.
//
// Refusals hang on addresses, because then one test run can mix them with good mail; delays and
// limits hang on the sink. Faults of the transport come by chance (fault_dice.h says to whom):
// SinkObserver does them to the replies of a session, ClientConnection and SinkServer carry out
// what needs a clock or a socket.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/server/server_observer.h"
#include <ringpost/base.h>

namespace ringpost::sink {

enum class FaultKind : std::uint8_t {
  // In place of obeying: what was said is neither taken nor answered.
  drop,     // the connection ends
  closing,  // 421, and the session ends (RFC 5321 3.8)
  // Behind obeying: a message that was taken stays so.
  drop_reply,  // the connection ends without the reply
  half_reply,  // the connection ends in the middle of the reply
  garbage,     // a line that is no reply, in place of it
  noise,       // a line that is no reply, in front of it
  surplus,     // one 250 more, right behind it
  late,        // the reply leaves late
  trickle,     // the reply leaves octet by octet
  stall,       // nothing leaves any more; the connection stays open
};
inline constexpr std::size_t fault_kind_count = 10;

// Where: at a command and its reply, in the middle of content (only drop and stall: there is no
// reply), or at the end of data.
using FaultStage = server::Stage;
inline constexpr std::size_t fault_stage_count = server::stage_count;

// Words of flags and of the summary; they are only ever added to.
[[nodiscard]] std::string_view name_of(FaultKind kind);
[[nodiscard]] std::string_view name_of(FaultStage stage);

// A set of stages, one bit for each.
using FaultStages = std::uint16_t;
[[nodiscard]] constexpr bool has_stage(FaultStages stages, FaultStage stage) {
  return (std::uint32_t{stages} >> static_cast<unsigned>(stage) & 1u) != 0;
}
// Where the kind may be asked for.
[[nodiscard]] FaultStages stages_of(FaultKind kind);
// Where it comes when no stage was named: one of these, all of them a message's.
[[nodiscard]] FaultStages usual_stages_of(FaultKind kind);

// How likely each fault is, from 0 to 1, and what all decisions come from.
struct FaultChances {
  template <typename T>
  using ByKind = std::array<T, fault_kind_count>;

  ByKind<double> anywhere{};  // of a message: at one of usual_stages_of()
  ByKind<std::array<double, fault_stage_count>> at_stage{};
  std::uint64_t seed = 0;

  [[nodiscard]] bool any() const;
};

// NAME=PERCENT or NAME@STAGE=PERCENT, as in "late=2.5" or "421@rcpt=1"; "all" is every kind. The
// error is a clause for people, and leaves `chances` as they were.
[[nodiscard]] Result<void, std::string> add_fault(Bytes text, FaultChances& chances);

struct FaultOptions {
  // Each reply leaves this long after its command arrived. Replies to one group keep their own
  // times, so a pipelined group costs one delay.
  Duration reply_latency{0};
  // The greeting leaves this long after the connection, or after the handshake of implicit TLS.
  Duration greeting_latency{0};

  FaultChances chances;
  Duration late_by = std::chrono::seconds(2);     // a late reply, behind its time
  Duration octet_time = std::chrono::seconds(1);  // between the octets of one that trickles
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
