// When a session that will end has its successor opened.
#pragma once

#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::engine {

// How long a session is still good for.
struct SessionOutlook {
  std::uint64_t messages_left = UINT64_MAX;
  std::uint64_t messages_max = UINT64_MAX;  // of a new one
  Duration time_left = Duration::max();     // until it is too old
};

// Knows how long opening a session takes and how fast one uses up its messages, from those that
// were. Pure; told of times.
class Succession {
 public:
  // From the first octet until it was ready for a message.
  void opened(Duration took);
  // So long after the one before a session was given a message.
  void given(Duration after);

  // Sessions that are to be there, or under way, beside this one, so that the next is ready when it
  // ends; several, where opening one takes longer than it lasts.
  [[nodiscard]] std::uint32_t successors(const SessionOutlook& outlook) const;

 private:
  Duration opening_ = Duration::zero();
  Duration pace_ = Duration::zero();  // of a session's messages
};

// When a session that a server ends at an age, or after so long without a message, is ended by us.
[[nodiscard]] Duration ended_before(Duration server_ends_at);

}  // namespace ringpost::engine
