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
