// How long a server takes for each step of a session, for whoever measures it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/protocol/reply_fifo.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::protocol {

// Called from within a session, a link and a connection: it takes notes and calls nothing of
// theirs. Thread: their worker's.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void on_step(Stage stage, Duration taken) = 0;
};

// Of one session, which tells it what left and what came; `listener` outlives it. End of data is
// not among its steps: the flight knows when that left.
class StepClock {
 public:
  StepClock(StepListener& listener, Instant now) : listener_(listener), began_at_(now) {}

  // The kernel was given everything of the output stream up to `offset`.
  void left(std::uint64_t offset, Instant now);
  // A reply was credited to what it answers.
  void answered(const Expectation& expectation, Instant now);
  // The session takes messages, since the last answer: a login has come to its end.
  void ready();

 private:
  struct Departure {
    std::uint64_t offset;
    Instant at;
  };

  [[nodiscard]] Instant left_at(std::uint64_t offset);

  StepListener& listener_;
  Instant began_at_;
  Instant answered_at_{};
  Instant login_began_at_{};  // nothing: none did
  std::vector<Departure> departures_;
  std::size_t first_ = 0;  // of those that may still be asked for
};

}  // namespace ringpost::protocol
