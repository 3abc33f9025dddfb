// The problem: a delivery is used for one message after the other, and nothing of the last may show
// in the next. The idea: everything is cleared when it is opened, with the capacity of strings
// kept, so that no memory is asked for in the long run. Limits: recipients behind size() hold what
// earlier messages have left there; active_recipients() leaves them out.
#include "codec/job/delivery.h"

namespace ringpost {

void Recipient::clear() {
  progress = RecipientProgress::waiting;
  postponed = false;
  decided = false;
  reported = false;
  noted_in_flight = false;
  outcome.clear();
}

void Delivery::open() {
  if (recipients.size() < size()) {
    recipients.resize(size());
  }
  for (Recipient& recipient : active_recipients()) {
    recipient.clear();
  }
  is_open = true;
}

}  // namespace ringpost
