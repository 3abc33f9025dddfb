// Whoever hears of each recipient's outcome beside the outcome lines.
#pragma once

#include <cstddef>

#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::serve {

class OutcomeReceiver {
 public:
  OutcomeReceiver() = default;
  OutcomeReceiver(const OutcomeReceiver&) = delete;
  OutcomeReceiver& operator=(const OutcomeReceiver&) = delete;
  virtual ~OutcomeReceiver() = default;

  // Any thread; both references die with the call, which waits for nobody.
  virtual void hear(const Message& message, std::size_t recipient_index,
                    const Outcome& outcome) = 0;
  // It holds as much as it may, and no disk takes it: nothing new is to be taken on.
  [[nodiscard]] virtual bool is_stuck() const = 0;
};

}  // namespace ringpost::serve
