// What whoever hands over a message hears at once, and later.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::serve {

enum class Offer : std::uint8_t { taken, full, closed };

// Called once for each message that was taken, with an outcome for each recipient in their order,
// when the outcome lines are written. On a thread that tells everybody's outcomes: it hands on
// what it needs and returns. Both references die with the call. Of whom an earlier run has told
// (PriorFate) the outcome is an empty one.
using Completion = std::function<void(const Message&, std::span<const Outcome>)>;

// Of a message that was to be stored.
enum class StoreEnd : std::uint8_t {
  stored,   // it survives a power cut
  no_room,  // the disk is full, for now
  failed,   // the disk has failed, or all ends
};
// Once, on the spool's thread: it hands on what it needs and returns.
using StoreDone = std::function<void(StoreEnd)>;

}  // namespace ringpost::serve
