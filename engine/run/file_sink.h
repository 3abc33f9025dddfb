// Outcomes into files: into the journal first, then to the outcome file and the file of errors.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
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
// in memory, bounded by what was in flight, for one more try at the end.
class FileSink : public OutcomeSink {
 public:
  FileSink(FileSinkOptions options, RunListener& listener);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  // Before the first outcome: opens the files, and begins the journal's run. `journal` may be null
  // and outlives this. An error is a sentence.
  [[nodiscard]] Result<void, std::string> open(JournalBinding* journal, std::int64_t now_us);

  void take(std::span<const OutcomeView> decided) override;
  [[nodiscard]] Result<void, RunTrouble> write(bool everything) override;
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

  [[nodiscard]] std::array<std::optional<Target>*, 2> targets() { return {&outcomes_, &errors_}; }
  [[nodiscard]] Result<void, std::string> open_file(const std::string& path,
                                                    std::optional<Target>& target);
  [[nodiscard]] Result<OutcomeFile, RunTrouble> open_when_read(const std::string& path);
  [[nodiscard]] Result<void, std::string> begin_run(std::int64_t now_us);
  [[nodiscard]] Result<void, RunTrouble> write_journal();

  const FileSinkOptions options_;
  RunListener& listener_;
  codec::OutcomeWriter writer_;  // has a view of the endpoints' names
  JournalBinding* journal_ = nullptr;
  std::optional<JournalLines> journal_lines_;
  bool is_journal_broken_ = false;
  std::optional<Target> outcomes_;
  std::optional<Target> errors_;
  std::string line_;             // scratch
  int give_up_descriptor_ = -1;  // eventfd
  std::atomic<bool> given_up_{false};
};

}  // namespace ringpost::run
