// What is left to do of a message: whoever knows of it from before says so.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/run/run_trouble.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::run {

// Thread: that which reads.
class Planner {
 public:
  enum class Plan : std::uint8_t {
    send,      // to whom is left
    skip,      // everybody has a final outcome
    rehearse,  // nothing of it is sent, and that is told
  };

  virtual ~Planner() = default;

  // Of a message that was just read, whether it can be sent or not. Fills `fates`, which come
  // empty, where something is known of its recipients: one for each, or one where it names nobody.
  // An error ends the reading.
  [[nodiscard]] virtual Result<Plan, RunTrouble> plan(const Message& message,
                                                      std::vector<PriorFate>& fates) = 0;
};

}  // namespace ringpost::run
