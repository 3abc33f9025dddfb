// The problem: who waits for a message has to say at which stage it stands, and in a flight several
// messages wait at once. The idea: the expectations tell: a message stands where the first reply
// that it still awaits belongs. Limits: found by a walk through all that is awaited; only MAIL to
// end of data are a message's, and both functions lean on the order of Expected.
#include "engine/protocol/reply_fifo.h"

#include <array>

namespace ringpost::protocol {

Stage stage_of(Expected kind) {
  constexpr std::array<Stage, 14> stages = {
      Stage::greeting, Stage::ehlo, Stage::ehlo, Stage::starttls, Stage::auth,
      Stage::mail,     Stage::rcpt, Stage::data, Stage::data,     Stage::eod,
      Stage::mail,     Stage::eod,  Stage::mail, Stage::mail};
  return stages[static_cast<std::size_t>(kind)];
}

Stage ReplyFifo::stage_of_transaction(std::uint64_t transaction, Stage none) const {
  for (std::size_t i = first_; i < expectations_.size(); ++i) {
    const Expectation& expectation = expectations_[i];
    const bool of_message =
        expectation.kind >= Expected::mail && expectation.kind <= Expected::end_of_data;
    if (of_message && expectation.transaction == transaction) {
      return stage_of(expectation.kind);
    }
  }
  return none;
}

}  // namespace ringpost::protocol
