// Outcomes into files: into the journal first, then to the outcome file and the file of errors.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "engine/run/file_calls.h"
#include "engine/run/journal_binding.h"
#include "engine/run/journal_lines.h"
#include "engine/run/outcome_file.h"
#include "engine/run/outcome_sink.h"
#include "engine/run/run_listener.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::run {

struct FileSinkOptions {
  std::string outcomes_path;  // "-": standard output; empty: none
  std::string errors_path;    // only what was not accepted; the same
  std::vector<std::string> endpoint_names;
  std::size_t group_count = 1;  // that outcomes come in
  bool has_one_file = false;    // see JournalLines
  // Waits so long for somebody to read a FIFO, while open() cannot go on; false: whoever runs this
  // does not want to wait. Null: nobody does.
  std::function<bool(Duration)> pause;
  FileCalls calls{};
};

// Outcome lines that could not be written.
struct LostLines {
  std::string path;
  std::uint64_t count = 0;
};

// Lack of room may be tried again. Whatever else goes wrong with a file is for good: its lines stay
// in memory, bounded by what was in flight, for one more try at the end. Each group makes its lines
// by itself; journal and files are written under one lock, so that lines stand in both in the same
// order.
class FileSink : public OutcomeSink {
 public:
  FileSink(FileSinkOptions options, RunListener& listener);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  // Before the first outcome: opens the files, and begins the journal's run. `journal` may be null
  // and outlives this. An error is a sentence.
  [[nodiscard]] Result<void, std::string> open(JournalBinding* journal, std::int64_t now_us);

  void take(std::span<const OutcomeView> decided, std::size_t group) override;
  [[nodiscard]] Result<void, RunTrouble> write(bool everything, std::size_t group) override;
  [[nodiscard]] bool has_unwritten() const override;
  void give_up() override;
  // With a journal that survives power cuts the outcome file is on the disk when this returns.
  [[nodiscard]] std::vector<std::string> finish() override;

  // Of each file that lacks some. After finish().
  [[nodiscard]] std::vector<LostLines> lost_lines() const;

 private:
  struct Target {
    OutcomeFile file;
    bool is_broken = false;
  };

  // Of one thread, but under the lock.
  struct Group {
    explicit Group(std::span<const std::string> endpoint_names) : writer(endpoint_names) {}

    codec::OutcomeWriter writer;
    std::optional<JournalLines> journal_lines;
    std::string outcomes;  // lines for the files, where others write these, too
    std::string errors;
    std::string line;  // scratch
  };

  [[nodiscard]] std::array<std::optional<Target>*, 2> targets() { return {&outcomes_, &errors_}; }
  [[nodiscard]] Result<void, std::string> open_file(const std::string& path,
                                                    std::optional<Target>& target);
  [[nodiscard]] Result<OutcomeFile, RunTrouble> open_when_read(const std::string& path);
  [[nodiscard]] Result<void, std::string> begin_run(std::int64_t now_us);
  [[nodiscard]] std::string& lines_for(OutcomeFile& file, std::string& own) {
    return groups_.size() == 1 ? file.lines() : own;
  }
  [[nodiscard]] Result<void, RunTrouble> hand_over(Group& group);
  [[nodiscard]] Result<void, RunTrouble> write_journal(Group& group);

  const FileSinkOptions options_;
  RunListener& listener_;
  std::vector<std::unique_ptr<Group>> groups_;
  JournalBinding* journal_ = nullptr;
  std::mutex mutex_;  // guards the three below, from the first outcome to the last
  bool is_journal_broken_ = false;
  std::optional<Target> outcomes_;
  std::optional<Target> errors_;
  int give_up_descriptor_ = -1;  // eventfd
  std::atomic<bool> given_up_{false};
};

}  // namespace ringpost::run
