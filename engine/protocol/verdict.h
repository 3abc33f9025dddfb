// What a reply, or the want of one, means for a recipient. The only place where verdicts are made:
// what follows from one, attempt_policy says, and outcome_record writes the outcome.
#pragma once

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/close_reason.h"
#include "engine/protocol/reply_rules.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::protocol {

// What ended a message while it waited, in no session.
enum class WaitEnd : std::uint8_t {
  none,        // it was in a session, or is none of an endpoint's
  no_session,  // there is none to be had, the run is stopped, or nobody wants it any more
  deadline,    // of the run
  over_age,
  no_room,  // to wait for another attempt
};

// Views into the reply or the reason; valid as long as those.
struct Verdict {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  Bytes text;    // the server's words
  Bytes reason;  // ours
  // Nothing of the message can have been accepted and another attempt may fare better.
  bool may_retry = false;
  // It was the way of sending that failed, and the next attempt uses another one.
  bool counts_as_attempt = true;
  // The session was lost while this message was the one that the server was busy with.
  bool was_next = false;
  // Not before a pause: the account has used up what it may send for now.
  bool wants_pause = false;
  // The same: how long ago what is forgotten next was counted, at most. Zero: nobody knows.
  Duration quota_window{};
  // It came too fast, and nothing is wrong with it.
  bool too_fast = false;
  WaitEnd wait_end = WaitEnd::none;
  // Of a wait that ended: stage, code and text are those of what is wrong with the endpoint.
  bool knows_trouble = false;
};

// A reply that answers for the recipient. Precondition: its class is 2, 4 or 5, and 2 only at
// Stage::eod.
[[nodiscard]] Verdict verdict_of_reply(Stage stage, const codec::Reply& reply);

// A refusal that says nothing about the recipient, and the message goes again for nothing: in a
// transaction with fewer recipients (RFC 5321 4.5.3.1.10), in another session, or in a simpler way.
[[nodiscard]] Verdict verdict_of_way(Stage stage, const codec::Reply& reply);

// The account has used up its quota: again after a pause, and that counts. Not where the window is
// known in which the quota moves: it will, and the message had no attempt.
[[nodiscard]] Verdict verdict_of_quota(Stage stage, const codec::Reply& reply,
                                       Duration window = Duration::zero());

// It came too fast: again, at a lower rate, for nothing.
[[nodiscard]] Verdict verdict_of_rate(Stage stage, const codec::Reply& reply);

// What a rule of the user's or of a preset makes of a refusal of the message, whatever its code
// says. Its hint is the reason. Precondition: there is such a rule.
[[nodiscard]] Verdict verdict_of_rule(Stage stage, const codec::Reply& reply, const Ruling& ruling);

// The session ended before the recipient had an answer. `end_of_data_handed_over`: the last octet
// of the message's end of data was given to the kernel, so the server may have taken it.
[[nodiscard]] Verdict verdict_of_loss(Stage stage, bool end_of_data_handed_over,
                                      const CloseReason& reason, Bytes reason_text);

// Refused here, before any octet of it was sent.
[[nodiscard]] Verdict verdict_of_local_refusal(Bytes reason);

// Never given to a session, because there is none to be had or because the run is stopped.
[[nodiscard]] Verdict verdict_of_no_session(const CloseReason& reason, Bytes reason_text);

// Whoever submitted it has taken it back before a session had it.
[[nodiscard]] Verdict verdict_of_cancellation(Bytes reason);

// It was not sent in time: before the deadline of the run, or else before it was over age.
// `trouble`: what is wrong with the endpoint; null: nothing is.
[[nodiscard]] Verdict verdict_of_expiry(WaitEnd end, const CloseReason* trouble, Bytes reason_text);

// Too many others wait for another attempt: the last reply is final.
[[nodiscard]] Verdict verdict_of_no_room();

// An earlier run was killed while it was in flight.
[[nodiscard]] Verdict verdict_of_killed_run();

// An earlier run left it in doubt, and what the user has allowed to be sent again was not.
[[nodiscard]] Verdict verdict_of_earlier_doubt();

// Whoever sends it wants it so: it is suppressed, or somebody has the message already.
[[nodiscard]] Verdict verdict_of_left_out(Bytes reason);

// It would have been sent.
[[nodiscard]] Verdict verdict_of_dry_run();

}  // namespace ringpost::protocol
