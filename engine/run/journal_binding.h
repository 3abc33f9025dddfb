// The journal of a run and its files: what it is bound to, and what earlier runs have left.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/mail/content_check.h"
#include "engine/run/file_calls.h"
#include "engine/run/run_trouble.h"
#include "queue/journal.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::run {

struct JournalSettings {
  std::string path;  // empty: no journal is kept
  bool resume = false;
  bool repair = false;  // damage in the middle is accepted
  bool resend_unknown = false;
  // A new journal is of files that are still written to: it is bound to their lines alone.
  bool files_grow = false;
  queue::Durability durability = queue::Durability::process;
  // Those that write; a test may let them fail.
  queue::JournalCalls calls;
  FileCalls file_calls{};
  std::string program_version;  // written down with each run
};

// Thread: one, but for journal(). Outcomes go into it by JournalLines, and JournalPlanner knows
// what is left to do.
class JournalBinding {
 public:
  // Makes a journal for the job files, or goes on with one that is bound to the same files.
  [[nodiscard]] static Result<std::unique_ptr<JournalBinding>, RunTrouble> open(
      const JournalSettings& settings, const std::vector<std::string>& files,
      codec::NewlinePolicy newlines, std::int64_t now_us);

  [[nodiscard]] queue::Journal& journal() { return *journal_; }
  // The Date of composed messages, the same in every run of the journal.
  [[nodiscard]] std::int64_t date_us() const { return header_.date_us; }
  // Of one message, and of one line: what it was when the journal was begun.
  [[nodiscard]] std::size_t recipients_max() const {
    return header_.has_one_source() ? limits::job_recipients_max_before
                                    : limits::job_recipients_max;
  }
  [[nodiscard]] std::size_t line_recipients_max() const {
    return codec::JournalRules::behind(header_).recipients_max;
  }
  // Of its lines, samples and default ids.
  [[nodiscard]] codec::LineHashKind line_hash() const { return header_.line_hash(); }
  // All job files are counted through, as they were when it was begun.
  [[nodiscard]] bool has_one_source() const { return header_.has_one_source(); }
  // In words for people: what was cut, and what may be missing from an earlier outcome file; one
  // line each. Empty: nothing. After complete_outcomes().
  [[nodiscard]] const std::string& remark() const { return remark_; }

  // Appends to the outcome files of earlier runs, whatever this one's is, what they have put into
  // the journal and not yet there. Where that cannot be, remark() says so.
  [[nodiscard]] Result<void, RunTrouble> complete_outcomes();
  // Before the first job. `outcomes_bytes`: what the outcomes file holds.
  [[nodiscard]] Result<void, RunTrouble> begin_run(const std::string& outcomes_path,
                                                   std::uint64_t outcomes_bytes,
                                                   std::int64_t now_us);

  // What earlier runs have left; empty for a new journal.
  [[nodiscard]] const queue::JournalHistory& history() const { return history_; }
  // What is in the outcomes file has to be on the disk before the journal counts on it.
  [[nodiscard]] bool survives_power_cut() const { return durability_ == queue::Durability::power; }

  void end_run(std::int64_t now_us, int exit_code);

 private:
  JournalBinding() = default;
  [[nodiscard]] bool may_lack_lines(std::size_t index) const;
  [[nodiscard]] Result<void, RunTrouble> complete_outcomes_of(std::size_t index);
  void remark_lost_lines(const queue::RunHistory& run, const std::string& why);

  codec::JournalHeader header_;
  std::string program_version_;
  FileCalls file_calls_;
  bool resumed_ = false;
  queue::Durability durability_ = queue::Durability::process;
  std::unique_ptr<queue::Journal> journal_;
  queue::JournalHistory history_;
  std::string remark_;
};

}  // namespace ringpost::run
