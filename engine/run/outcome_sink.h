// Where outcomes go: into files, to a client that waits, or wherever somebody wants them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/run/run_trouble.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::run {

// Told by one thread or by several, each of which hears the outcomes of a group. Thread: what takes
// the number of a group is one thread's at a time, that which hears it; give_up() is any thread's;
// has_unwritten() and finish() come while nobody calls anything else.
class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;

  // Puts them into its own words, and keeps no view. Whoever calls counts on write().
  virtual void take(std::span<const OutcomeView> decided, std::size_t group) = 0;
  // Writes what was taken of that group, all of it or as much as is worth a write; what others have
  // left may go with it. An error that may be tried again leaves what is not written for the next
  // call. Any other is told once, and what it concerns is kept until finish() and not tried before;
  // the next call is about the rest.
  [[nodiscard]] virtual Result<void, RunTrouble> write(bool everything, std::size_t group) = 0;
  [[nodiscard]] virtual bool has_unwritten() const = 0;
  // Nothing within it waits for anybody any more, now and later.
  virtual void give_up() {}
  // The last try, behind the last write(), without waiting: a sentence for each thing that is lost.
  [[nodiscard]] virtual std::vector<std::string> finish() = 0;
};

}  // namespace ringpost::run
