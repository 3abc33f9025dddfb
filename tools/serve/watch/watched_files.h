// All files of watched folders that are being sent, for an engine that knows one journal and one
// keeper of outcomes: whatever is none of theirs goes on to the next ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "queue/intent_log.h"
#include "tools/process/log.h"
#include "tools/serve/outcome_keeper.h"
#include "tools/serve/watch/watched_file.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Lifetime: outlives the engine. Thread: as the two have it; the rest is any thread's.
class WatchedFiles final : public queue::IntentLog, public OutcomeKeeper {
 public:
  // Sources of ordinals below are others'.
  static constexpr std::uint32_t first_number = 1u << 31;

  // Null: there is none.
  WatchedFiles(queue::IntentLog* next_log, OutcomeKeeper* next_keeper, cli::Log& log)
      : next_log_(next_log), next_keeper_(next_keeper), log_(log) {}

  [[nodiscard]] std::uint32_t new_number();
  // From before its first message until its last outcome was told.
  void add(std::shared_ptr<WatchedFile> file);
  void remove(std::uint32_t number);
  // What comes back `unsent` is told to nobody: it is sent at the next start.
  void begin_end() { is_ending_.store(true); }
  // Room on a disk is not waited for any more.
  void give_up() { is_giving_up_.store(true); }
  // A journal could not be written for good.
  [[nodiscard]] bool has_failed() const { return has_failed_.load(); }

  [[nodiscard]] Result<void, queue::JournalError> append_intents(
      std::span<const codec::JournalIntent> intents) override;
  [[nodiscard]] std::string file_without_room() const override {
    return next_log_ == nullptr ? std::string() : next_log_->file_without_room();
  }
  // Of all together: whoever feeds bounds those of a file.
  [[nodiscard]] std::size_t jobs_in_flight_max() const override { return SIZE_MAX; }

  [[nodiscard]] Wish wish(const OutcomeView& decided) override;
  void add(const OutcomeView& decided, Bytes line) override;
  void write() override;

 private:
  [[nodiscard]] std::shared_ptr<WatchedFile> find(std::uint64_t ordinal) const;

  queue::IntentLog* const next_log_;
  OutcomeKeeper* const next_keeper_;
  cli::Log& log_;
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> is_giving_up_{false};
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;  // guards the next two
  std::map<std::uint32_t, std::shared_ptr<WatchedFile>> files_;
  std::uint32_t last_number_ = first_number - 1;
  std::vector<std::shared_ptr<WatchedFile>> noted_in_;  // of whoever tells outcomes
};

}  // namespace ringpost::serve
