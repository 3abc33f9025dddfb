// Where workers note what may leave: a journal, or whoever has several of them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "codec/journal/journal_record.h"
#include "queue/journal_error.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::queue {

// Thread-safe.
class IntentLog {
 public:
  IntentLog() = default;
  IntentLog(const IntentLog&) = delete;
  IntentLog& operator=(const IntentLog&) = delete;
  virtual ~IntentLog() = default;

  // Before the last octet of any of these transactions may be handed to the kernel; and what was
  // put off, before anything else is made of it. See Journal for what an error means.
  [[nodiscard]] virtual Result<void, JournalError> append_intents(
      std::span<const codec::JournalIntent> intents) = 0;
  // The file that lacked room at its last append, which somebody may be waiting to try again.
  // Empty: none.
  [[nodiscard]] virtual std::string file_without_room() const = 0;
  // How many jobs an engine may have in flight: a repair has to assume that so many were begun
  // behind the last that is known.
  [[nodiscard]] virtual std::size_t jobs_in_flight_max() const {
    return limits::jobs_in_flight_max;
  }
};

}  // namespace ringpost::queue
