// What a journal knows of each recipient: what a resume sends, and what it leaves alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/journal/journal_record.h"
#include "queue/journal_error.h"
#include "queue/journal_reader.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::queue {

// The last word on one recipient.
enum class RecipientHistory : std::uint8_t {
  none,       // its end of data was never to be handed over
  in_flight,  // it may have been, and no outcome is known: never sent again by itself
  again,      // put off, deferred or unsent: a resume sends it again
  final,      // accepted, rejected, unknown, invalid, expired, skipped
};

// What is known of a recipient, in one octet.
class RecipientMark {
 public:
  constexpr RecipientMark() = default;
  [[nodiscard]] static constexpr RecipientMark in_flight() { return RecipientMark(1); }
  // It was in flight, and nobody took it.
  [[nodiscard]] static constexpr RecipientMark put_off() { return RecipientMark(put_off_code); }
  [[nodiscard]] static constexpr RecipientMark of(Status status) {
    return RecipientMark(static_cast<std::uint8_t>(2 + static_cast<std::uint8_t>(status)));
  }
  [[nodiscard]] static constexpr RecipientMark from_code(std::uint8_t code) {
    return RecipientMark(code);
  }

  [[nodiscard]] RecipientHistory history() const;
  // Nothing unless the last word is an outcome.
  [[nodiscard]] std::optional<Status> status() const;
  // Below codes_end.
  [[nodiscard]] std::uint8_t code() const { return code_; }
  static constexpr std::size_t codes_end = 16;
  bool operator==(const RecipientMark&) const = default;

 private:
  // Behind all that statuses may ever take.
  static constexpr std::uint8_t put_off_code = codes_end - 1;
  static_assert(2 + status_count <= put_off_code);

  explicit constexpr RecipientMark(std::uint8_t code) : code_(code) {}
  std::uint8_t code_ = 0;
};

// Of one job. A view: it lives until the history changes.
class JobHistory {
 public:
  [[nodiscard]] RecipientHistory of(std::size_t recipient_index) const {
    return mark(recipient_index).history();
  }
  // Its last outcome; nothing when that is not known, or when it was to be sent again since.
  [[nodiscard]] std::optional<Status> status(std::size_t recipient_index) const {
    return mark(recipient_index).status();
  }
  // Nothing is known of any recipient: the job can be sent as if there were no journal.
  [[nodiscard]] bool is_untouched() const;
  // Nothing of it is to be sent.
  [[nodiscard]] bool is_final(std::size_t recipient_count) const;

 private:
  friend class JournalHistory;
  [[nodiscard]] RecipientMark mark(std::size_t recipient_index) const;

  std::span<const RecipientMark> marks_;  // of the first recipients
  RecipientMark first_;                   // of the first one, when there are no marks
  RecipientMark rest_;                    // of all others
  bool is_doubtful_ = false;              // no word at all means in flight
};

// One run, as its journal tells of it.
struct RunHistory {
  codec::JournalRun run;
  std::optional<codec::JournalEnd> end;  // nothing: it did not come to its end
  std::uint64_t offset = 0;              // of the record that begins it
  std::uint64_t outcome_count = 0;
  std::uint64_t outcome_bytes = 0;  // of its outcome lines
};

// How far a journal has come in a source of jobs.
struct JournalFront {
  // Jobs below this index are known, or may be.
  std::uint64_t jobs_end = 0;
  // Jobs below this one count as in flight when nothing is known of them, since part of the journal
  // is lost. 0: none is.
  std::uint64_t doubtful_below = 0;
};

// Grows with the jobs: four octets for each, in pieces of 4 KB, and some 100 for each that has
// several recipients with different fates. Thread: one that adds; any number that read.
class JournalHistory {
 public:
  JournalHistory();
  JournalHistory(JournalHistory&&) noexcept;
  JournalHistory& operator=(JournalHistory&&) noexcept;
  ~JournalHistory();

  // ---- Reading ----------------------------------------------------------------------------------

  [[nodiscard]] bool has_header() const { return has_header_; }
  [[nodiscard]] const codec::JournalHeader& header() const { return header_; }
  [[nodiscard]] const std::vector<RunHistory>& runs() const { return runs_; }

  [[nodiscard]] JobHistory of(std::uint64_t ordinal) const;
  // False when the journal knows this job as another line; the upper 25 bits of the hash are
  // kept.
  [[nodiscard]] bool line_matches(std::uint64_t ordinal, std::uint64_t line_hash) const;
  // Of the sources that the journal has named.
  [[nodiscard]] const std::map<std::uint32_t, JournalFront>& fronts() const { return fronts_; }
  [[nodiscard]] JournalFront front(std::uint32_t source) const {
    const auto found = fronts_.find(source);
    return found == fronts_.end() ? JournalFront() : found->second;
  }

  // Recipients by their last word.
  [[nodiscard]] std::uint64_t count(Status status) const {
    return counts_[static_cast<std::size_t>(RecipientMark::of(status).code())];
  }
  [[nodiscard]] std::uint64_t count_in_flight() const {
    return counts_[RecipientMark::in_flight().code()];
  }
  // Those who wait for another attempt.
  [[nodiscard]] std::uint64_t count_put_off() const {
    return counts_[RecipientMark::put_off().code()];
  }
  // The jobs in flight, in their order; those of which nothing is known are not among them.
  [[nodiscard]] std::vector<std::uint64_t> jobs_in_flight(std::size_t jobs_max) const;

  // Stretches that nobody has accepted as damaged, and those that somebody has.
  [[nodiscard]] const std::vector<JournalDamage>& damages() const { return damages_; }
  [[nodiscard]] const std::vector<JournalDamage>& repaired() const { return repaired_; }

  // Octets that this takes.
  [[nodiscard]] std::size_t bytes() const;

  // ---- Building ---------------------------------------------------------------------------------

  void add(const codec::JournalRecord& record, std::uint64_t offset);
  // Part of the journal is lost: whoever was to be sent again may have been.
  void add_damage(const JournalDamage& damage);
  // The records that accept all damage; what they say holds from now on.
  [[nodiscard]] std::vector<codec::JournalRepair> repair();

 private:
  struct Chunk;
  struct MixedJob;
  enum class Form : std::uint8_t;
  class Cell;
  struct Words;

  [[nodiscard]] const Cell* find_cell(std::uint64_t ordinal) const;
  [[nodiscard]] bool is_in_flight(std::uint64_t ordinal, const Cell& cell) const;
  [[nodiscard]] Cell& cell_for(std::uint64_t ordinal, std::uint64_t line_hash);
  void add_intent(const codec::JournalIntent& intent);
  void add_outcome(const codec::JournalOutcome& outcome);
  void add_repair(const codec::JournalRepair& repair);
  void count_change(RecipientMark from, RecipientMark to);
  void set_mixed(std::uint64_t ordinal, Cell& cell, const Words& words);

  codec::JournalHeader header_;
  bool has_header_ = false;
  std::vector<RunHistory> runs_;
  std::map<std::uint64_t, std::unique_ptr<Chunk>> chunks_;
  Chunk* last_chunk_ = nullptr;  // that something was added to
  std::uint64_t last_chunk_number_ = 0;
  std::unordered_map<std::uint64_t, MixedJob> mixed_;
  std::array<std::uint64_t, RecipientMark::codes_end> counts_{};
  std::map<std::uint32_t, JournalFront> fronts_;
  std::vector<JournalDamage> damages_;
  std::vector<JournalDamage> repaired_;
};

// A journal as it stands, read without taking part in it.
struct JournalReading {
  JournalHistory history;
  std::uint64_t whole_bytes = 0;  // of the file: up to here it holds records
  std::uint64_t torn_bytes = 0;   // and these are the rest of one that was never finished
  std::string writer;             // who writes it now, as in "process 1234"; empty: nobody
};
[[nodiscard]] Result<JournalReading, JournalError> read_journal(const std::string& path);
// The same of an open file, for who has it locked.
[[nodiscard]] Result<JournalReading, JournalError> read_journal(int descriptor,
                                                                const std::string& path);

}  // namespace ringpost::queue
