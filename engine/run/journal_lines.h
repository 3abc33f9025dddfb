// Outcome lines on their way through a journal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/run/run_trouble.h"
#include "queue/journal.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::run {

// A line is in the journal before it is anywhere else: what a crash leaves out of a file can be
// completed from there. Thread: one at a time, that which hears outcomes.
class JournalLines {
 public:
  // `has_one_file`: whatever source ordinals carry, in the journal it is the first.
  explicit JournalLines(queue::Journal& journal, bool has_one_file = false)
      : journal_(journal), has_one_file_(has_one_file) {}

  // Kept until write().
  void add(const OutcomeView& decided, Bytes line);
  // Everything added. An error leaves it for another try.
  [[nodiscard]] Result<void, RunTrouble> write();
  // Appends the lines that were written since the last call, for the outcomes file.
  void take_written(std::string& lines);
  // How many were added and not written.
  [[nodiscard]] std::size_t unwritten_count() const { return outcomes_.size(); }

 private:
  struct PendingOutcome {
    codec::JournalOutcome outcome;  // its line is set when it is written
    std::size_t line_begin = 0;
    std::size_t line_bytes = 0;
  };

  queue::Journal& journal_;
  const bool has_one_file_;
  std::vector<PendingOutcome> outcomes_;
  std::string lines_;                         // of outcomes_
  std::vector<codec::JournalOutcome> batch_;  // scratch
  std::string written_lines_;                 // in the journal, and not taken yet
};

}  // namespace ringpost::run
