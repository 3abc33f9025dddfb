// Where the outcomes of a run go: into the journal first, then to the outcome file and the file of
// errors; and what happens when one of them does not take them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "engine/run/outcome_file.h"
#include "engine/run/run_journal.h"
#include "tools/process/log.h"
#include "tools/settings/send_setting.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::cli {

struct RunOutputActions {
  std::function<void(bool held)> hold;  // while there is no room, no message begins
  std::function<void()> stop;           // something is lost: nothing more is to be sent
  // Waits so long while open() cannot go on; false: whoever runs this does not want to wait.
  std::function<bool(Duration)> pause;
};

// Outcome lines that could not be written.
struct LostLines {
  std::string path;
  std::uint64_t count = 0;
};

// Lack of room is waited out, in take(), so that everything behind it waits, too: until there is
// room, until give_up(), or until the deadline of the run. Whatever else goes wrong with a file is
// for good: its lines stay in memory, bounded by what was in flight, for one more try at the end.
//
// Thread: take() is one thread's at a time; give_up(), look_at_journal() and failed() are any's.
class RunOutput {
 public:
  RunOutput(std::vector<std::string> endpoint_names, Log& log, RunOutputActions actions);
  ~RunOutput();
  RunOutput(const RunOutput&) = delete;
  RunOutput& operator=(const RunOutput&) = delete;

  // Before the first outcome. `journal` may be null and outlives this. A FIFO's reader is waited
  // for, as long as `pause` and the deadline of the run have it.
  [[nodiscard]] Result<void, std::string> open(const SendSettings& settings,
                                               run::RunJournal* journal, std::int64_t now_us);
  // Outcomes of the engine; none of them: write all there is.
  void take(std::span<const DecidedRecipientView> decided);
  // Ends all waiting, now and later.
  void give_up();
  // Says once that a journal without room holds everything up, and once that there is room again.
  void look_at_journal();
  // The last try, without waiting, behind the last take(). With a journal that survives power cuts
  // the outcome file is on the disk when this returns.
  void finish();

  // Some outcomes have not been written.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  // Of each file that lacks some. After finish().
  [[nodiscard]] std::vector<LostLines> lost_lines() const;

 private:
  struct Target {
    run::OutcomeFile file;
    bool broken = false;
  };

  [[nodiscard]] Result<run::OutcomeFile, run::OutputError> open_when_read(const std::string& path);
  [[nodiscard]] Result<void, std::string> open_file(const std::string& path,
                                                    std::optional<Target>& target);
  [[nodiscard]] std::array<std::optional<Target>*, 2> targets() { return {&outcomes_, &errors_}; }
  void write_journal();
  void write_files(bool everything);
  template <typename Write>
  [[nodiscard]] bool write_when_there_is_room(Write write);
  [[nodiscard]] bool may_wait() const;
  void note_room(bool is_lacking, const std::string& why);
  void fail(const std::string& why);
  void report_lost(const std::string& why);

  Log& log_;
  RunOutputActions actions_;
  const std::vector<std::string> endpoint_names_;
  codec::OutcomeWriter writer_;  // has a view of them
  run::RunJournal* journal_ = nullptr;
  std::optional<Target> outcomes_;
  std::optional<Target> errors_;
  std::string line_;  // scratch
  Instant deadline_ = never;
  int give_up_descriptor_ = -1;  // eventfd
  std::atomic<bool> given_up_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> waiting_{false};  // take() is, for room
  std::mutex room_mutex_;             // guards the next one
  bool is_lacking_ = false;           // what was said last
};

}  // namespace ringpost::cli
