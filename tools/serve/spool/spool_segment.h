// A segment of the spool: a job file and its journal, gone through in passes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/job/job_reader.h"
#include "codec/journal/journal_record.h"
#include "engine/run/journal_binding.h"
#include "engine/run/journal_planner.h"
#include "queue/journal.h"
#include "tools/serve/spool/spool_file.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>
#include <ringpost/message.h>

namespace ringpost::serve {

// 0000000007.jsonl and 0000000007.journal, of number 7. Numbers begin with 1.
struct SegmentPaths {
  std::string jobs;
  std::string journal;
};
[[nodiscard]] SegmentPaths segment_paths(const std::string& folder, std::uint32_t number);

struct SegmentPassOptions {
  std::string program_version;
  std::string outcomes_path;  // where outcome lines go, for whoever looks for missing ones
  std::int64_t now_us = 0;
  queue::JournalCalls calls{};
};

// A pass is what one `send --journal` or its `--resume` does with a job file: each message of whom
// nothing final is known is handed over once, and the journal has a run more. While messages are
// under way their ordinals are this segment's, with its number as their source; in its journal they
// are those of the only file.
//
// Thread: passes are the feeder's; append_intents() is any worker's; note() and write_outcomes()
// are the outcome thread's; both only while a message is under way, which is counted here.
class SpoolSegment {
 public:
  SpoolSegment(std::uint32_t number, SegmentPaths paths, std::unique_ptr<SpoolFile> file)
      : number_(number), paths_(std::move(paths)), file_(std::move(file)) {}
  SpoolSegment(const SpoolSegment&) = delete;
  SpoolSegment& operator=(const SpoolSegment&) = delete;

  [[nodiscard]] std::uint32_t number() const { return number_; }
  // Precondition: it is open.
  [[nodiscard]] SpoolFile& file() { return *file_; }
  // Of its jobs.
  [[nodiscard]] std::uint64_t bytes() const { return file_ ? file_->bytes() : bytes_at_rest_; }
  // Closes the file until the next pass. Precondition: nobody appends, and it is in none.
  void rest();
  [[nodiscard]] const SegmentPaths& paths() const { return paths_; }

  // ---- A pass -----------------------------------------------------------------------------------

  // The error is a sentence. `remark` of what an earlier run has left, for people; may be empty.
  [[nodiscard]] Result<void, std::string> begin_pass(const SegmentPassOptions& options,
                                                     std::string& remark);
  [[nodiscard]] bool is_in_pass() const { return binding_ != nullptr; }
  // Outcome lines go to a file that has just been begun.
  [[nodiscard]] Result<void, std::string> begin_run(const SegmentPassOptions& options);
  [[nodiscard]] bool has_unread() const { return put_back_ || (lines_ && !lines_->is_at_end()); }

  enum class Step : std::uint8_t {
    message,  // to be sent, to whom `fates` leave
    refused,  // it cannot be sent, and `words` say why
    nothing,  // everybody has a final outcome
    failed,   // the segment cannot be read, and `words` say why
  };
  // Precondition: has_unread(). `message` and `fates` come empty.
  [[nodiscard]] Step next(Message& message, std::vector<PriorFate>& fates, std::string& words);
  // The last one was not taken: it is the next again.
  void put_back(Message& message, std::vector<PriorFate>& fates, Step step, std::string words);
  // Precondition: nothing is under way. `is_told`: outcome lines are where they belong.
  void end_pass(std::int64_t now_us, bool is_told = true);

  std::atomic<std::size_t> under_way{0};
  // Outcomes of this pass that are not final: another one is due.
  std::atomic<std::uint64_t> put_off{0};

  // ---- While messages are under way -------------------------------------------------------------

  // Their ordinals have this segment's number.
  [[nodiscard]] Result<void, queue::JournalError> append_intents(
      std::span<const codec::JournalIntent> intents);
  void note(const OutcomeView& decided, Bytes line);
  // What was noted. An error leaves it for another try.
  [[nodiscard]] Result<void, queue::JournalError> write_outcomes();
  void forget_outcomes();

  // Both files are gone from the disk when this returns, the jobs first: a journal alone is
  // nothing, and jobs alone would be sent anew. The error is a sentence.
  [[nodiscard]] Result<void, std::string> remove();

 private:
  struct Noted {
    codec::JournalOutcome outcome;  // its line is set when it is written
    std::size_t line_begin = 0;
    std::size_t line_bytes = 0;
  };
  struct PutBack {
    Message message;
    std::vector<PriorFate> fates;
    Step step = Step::nothing;
    std::string words;
  };

  const std::uint32_t number_;
  const SegmentPaths paths_;
  std::unique_ptr<SpoolFile> file_;  // null: it rests
  std::uint64_t bytes_at_rest_ = 0;
  std::unique_ptr<run::JournalBinding> binding_;  // of a pass
  std::optional<run::JournalPlanner> planner_;
  std::optional<SpoolLines> lines_;
  std::optional<codec::JobReader> reader_;
  std::optional<PutBack> put_back_;
  std::vector<Noted> noted_;
  std::string noted_lines_;
  std::vector<codec::JournalOutcome> batch_;  // scratch
};

}  // namespace ringpost::serve
