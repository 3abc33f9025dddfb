// Who is left out of a run on purpose.
#pragma once

#include <vector>

#include "engine/run/run_trouble.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::run {

// Thread: any that reads.
class RecipientFilter {
 public:
  virtual ~RecipientFilter() = default;

  // Of a message that was read, can be sent, and was planned: whoever is to be left out of those of
  // whom nothing is known has PriorFate::left_out in `fates`, which are none or one for each
  // recipient, and a reason in `left_out`, which comes empty, in the order of recipients. An error
  // ends the reading.
  [[nodiscard]] virtual Result<void, RunTrouble> leave_out(const Message& message,
                                                           std::vector<PriorFate>& fates,
                                                           std::vector<LeftOut>& left_out) = 0;
};

}  // namespace ringpost::run
