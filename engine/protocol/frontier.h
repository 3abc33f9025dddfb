// How deep into a session anybody has come: what one session finds out need not be found out by all
// of them at the same time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ringpost::protocol {

class Flight;

// Servers that end a session without a word behind so many messages leave in doubt what is in
// flight then. Sessions that run in step would all meet that end together, each with a flight. So
// one session, the scout, has several messages in flight beyond the number that any session has had
// answered, and the others at most one. That costs them nothing to speak of: they follow a flight
// behind. Who overtakes the scout may become the next one.
//
// Shared by the sessions of one endpoint and worker; outlives them. Thread: the worker's.
class Frontier {
 public:
  // So many messages may be in flight in a session that has had `answered` of them answered.
  [[nodiscard]] std::uint64_t room(const Flight& flight, std::uint64_t answered) const {
    const bool free = scout_ == nullptr || scout_ == &flight;
    return free ? UINT64_MAX : std::max(messages_, answered) - answered + 1;
  }
  // The session has `begun` messages, with those that were answered.
  void begun(const Flight& flight, std::uint64_t begun) {
    scout_ = scout_ == nullptr && begun > messages_ + 1 ? &flight : scout_;
  }
  void answered(const Flight& flight, std::uint64_t answered, std::uint64_t begun) {
    messages_ = std::max(messages_, answered);
    scout_ = scout_ == &flight && begun <= messages_ + 1 ? nullptr : scout_;
  }
  void ended(const Flight& flight) { scout_ = scout_ == &flight ? nullptr : scout_; }

 private:
  std::uint64_t messages_ = 0;     // the most that one session has had answered
  const Flight* scout_ = nullptr;  // by the flight of its session
};

}  // namespace ringpost::protocol
