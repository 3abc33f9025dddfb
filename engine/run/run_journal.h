// The journal of one run of `ringpost send`: what an earlier run has left, and what this one adds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/job/job.h"
#include "codec/job/job_reader.h"
#include "queue/journal.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::run {

struct JournalSettings {
  std::string path;  // empty: no journal is kept
  bool resume = false;
  bool repair = false;  // damage in the middle is accepted
  bool resend_unknown = false;
  queue::Durability durability = queue::Durability::process;
  queue::JournalCalls calls;    // those that write; a test may let them fail
  std::string program_version;  // written down with each run
};

struct JournalTrouble {
  std::string message;
  bool usage = false;               // a mistake of whoever runs it, not of the disk
  bool may_be_tried_again = false;  // there was no room
};

// Thread: open() to begin_run(), and plan(), are the reader's; write() is the outcome thread's.
class RunJournal {
 public:
  // Makes a journal for the job files, or goes on with one that is bound to the same files.
  [[nodiscard]] static Result<std::unique_ptr<RunJournal>, JournalTrouble> open(
      const JournalSettings& settings, const std::vector<std::string>& files,
      codec::NewlinePolicy newlines, std::int64_t now_us);

  [[nodiscard]] queue::Journal& journal() { return *journal_; }
  // The Date of composed messages, the same in every run of the journal.
  [[nodiscard]] std::int64_t date_us() const { return header_.date_us; }
  // In words for people: what was cut, and what may be missing from an earlier outcome file; one
  // line each. Empty: nothing. After complete_outcomes().
  [[nodiscard]] const std::string& remark() const { return remark_; }

  // Appends to the outcome files of earlier runs, whatever this one's is, what they have put into
  // the journal and not yet there. Where that cannot be, remark() says so.
  [[nodiscard]] Result<void, JournalTrouble> complete_outcomes();
  // Before the first job. `outcomes_bytes`: what the outcomes file holds.
  [[nodiscard]] Result<void, JournalTrouble> begin_run(const std::string& outcomes_path,
                                                       std::uint64_t outcomes_bytes,
                                                       std::int64_t now_us);

  enum class Plan : std::uint8_t {
    send,  // to whom is left; outcomes that are known by now are in the job
    skip,  // everybody has a final outcome
  };
  // What is left to do of a job that was just read, of which `line` is the text.
  [[nodiscard]] Result<Plan, JournalTrouble> plan(Job& job, std::uint64_t ordinal, Bytes line,
                                                  std::int64_t now_us) const;

  // Before the line is written anywhere else: kept until write().
  void add(const DecidedRecipientView& decided, Bytes line);
  // Everything added. An error leaves it for another try.
  [[nodiscard]] Result<void, JournalTrouble> write();
  // Appends the lines that were written since the last call, for the outcomes file.
  void take_written_lines(std::string& lines);
  [[nodiscard]] bool has_unwritten() const { return !outcomes_.empty(); }
  // How many were added and not written.
  [[nodiscard]] std::size_t unwritten_count() const { return outcomes_.size(); }
  // What is in the outcomes file has to be on the disk before the journal counts on it.
  [[nodiscard]] bool survives_power_cut() const { return durability_ == queue::Durability::power; }

  void end_run(std::int64_t now_us, int exit_code);

 private:
  struct PendingOutcome {
    codec::JournalOutcome outcome;  // its line is set when it is written
    std::size_t line_begin = 0;
    std::size_t line_bytes = 0;
  };

  RunJournal() = default;
  [[nodiscard]] bool may_lack_lines(std::size_t index) const;
  [[nodiscard]] Result<void, JournalTrouble> complete_outcomes_of(std::size_t index);
  void remark_lost_lines(const queue::RunHistory& run, const std::string& why);

  codec::JournalHeader header_;
  bool resend_unknown_ = false;
  std::string program_version_;
  bool resumed_ = false;
  queue::Durability durability_ = queue::Durability::process;
  std::unique_ptr<queue::Journal> journal_;
  queue::JournalHistory history_;
  std::string remark_;
  std::vector<PendingOutcome> outcomes_;
  std::string lines_;                         // of outcomes_
  std::vector<codec::JournalOutcome> batch_;  // scratch
  std::string written_lines_;                 // in the journal, and not taken yet
};

}  // namespace ringpost::run
