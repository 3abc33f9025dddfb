// A run: jobs from a source into an engine, outcomes from there into a sink.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine_core.h"
#include "engine/run/job_source.h"
#include "engine/run/outcome_sink.h"
#include "engine/run/planner.h"
#include "engine/run/recipient_filter.h"
#include "engine/run/run_listener.h"
#include "engine/run/run_tally.h"
#include <ringpost/base.h>

namespace ringpost::run {

// All of it outlives the run.
struct RunParts {
  JobSource& source;
  Planner* planner = nullptr;         // null: everything is to be sent
  RecipientFilter* filter = nullptr;  // null: to everybody
  OutcomeSink& sink;
  RunListener& listener;
};

// Stepped: it has no thread, no clock but the core's, and waits for nothing but what its source and
// its sink wait for. Whoever steps it decides when, and waits where it says so. It has as many
// readers as its source, and hears as many groups of outcomes as the core has.
//
// Thread: what takes the number of a reader is that reader's, and what takes the number of a group
// is of whoever hears it; end_reading() and unread() come when no reader reads, has_unwritten()
// when nobody delivers, and finish() behind the last call of deliver(); the others are any's.
// Lifetime: the core outlives end_reading().
class Run {
 public:
  struct Options {
    std::function<void()> wake;  // workers that sleep, for jobs that have left
    Instant deadline = never;    // until when room for outcomes is waited for
  };

  Run(engine::EngineCore& core, const RunParts& parts, Options options);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // ---- Jobs in ----

  enum class Read : std::uint8_t {
    taken,    // a job went on its way, or there was nothing to do for it
    trouble,  // a part of the source cannot be read, which was said; it goes on behind it
    no_room,  // for another job, until outcomes come back
    end,      // of the source, or of the reading
    failed,   // the planner could not go on, which was said: the end of this reading
  };
  [[nodiscard]] Read read(std::size_t reader = 0);
  // Whether there is room for another job. Where there is none, what has gathered leaves.
  [[nodiscard]] bool may_read(std::size_t reader = 0);
  // Room was waited for: the next message to fill (MessagePool::acquire).
  void take_over(Consignment& consignment, std::size_t reader = 0) {
    static_cast<void>(readers_[reader]->feeder->take_over(&consignment));
  }
  // What has gathered leaves, and this reader reads no more.
  void end_reading_of(std::size_t reader);
  // The same of all.
  void end_reading();
  [[nodiscard]] std::size_t reader_count() const { return readers_.size(); }
  [[nodiscard]] bool reading_ended() const { return readers_left_.load() == 0; }
  // Of a reading that was ended before its source; nothing: no job is left. The source's last call.
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at) {
    return parts_.source.unread(give_up_at);
  }

  [[nodiscard]] std::uint64_t jobs_read() const;
  // Messages that are over, of those that were read: given back, or nothing was left to do for
  // them.
  [[nodiscard]] std::uint64_t messages_done() const;
  // Of messages that would have been sent to somebody, each counted once.
  [[nodiscard]] std::uint64_t bytes_rehearsed() const { return bytes_rehearsed_.load(relaxed); }
  [[nodiscard]] std::uint64_t bytes_read() const { return parts_.source.bytes_read(); }
  [[nodiscard]] bool source_failed() const { return source_failed_.load(relaxed); }
  [[nodiscard]] bool planner_failed() const { return planner_failed_.load(relaxed); }

  // ---- Outcomes back ----

  enum class Told : std::uint8_t {
    all,          // that there is by now
    again_later,  // there is no room: no message begins until a later call finds some
  };
  // Takes what was decided of a group, has it written, and gives back what was told of. What cannot
  // be written holds everything up behind it, until there is room, give_up(), or the deadline;
  // then, and when it is no matter of room, outcomes are lost: see failed().
  [[nodiscard]] Told deliver(std::size_t group = 0);
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  // Says once that a journal without room holds everything up, and once that there is room again.
  // To be called from time to time.
  void look_at_journal();
  // Ends all waiting for room, now and later.
  void give_up();
  [[nodiscard]] bool has_unwritten() const { return parts_.sink.has_unwritten(); }
  // Nothing more is read, and everything was told.
  [[nodiscard]] bool is_over() const;
  // The last try to write what is left. A sentence for each thing that is lost.
  [[nodiscard]] std::vector<std::string> finish();

  // Some outcomes have not been written.
  [[nodiscard]] bool failed() const { return failed_.load(relaxed); }
  [[nodiscard]] const RunTally& tally() const { return tally_; }

 private:
  static constexpr std::memory_order relaxed = std::memory_order_relaxed;
  static constexpr std::size_t batch_max = 256;
  static constexpr std::size_t cache_line_bytes = 64;

  // Each of them on cache lines of its own, since each is one thread's.
  struct alignas(cache_line_bytes) Reader {
    std::optional<engine::EngineCore::Feeder> feeder;  // until the end of its reading
    std::atomic<std::uint64_t> jobs_read{0};
  };
  struct alignas(cache_line_bytes) Group {
    std::array<OutcomeView, batch_max> decided{};
    bool is_due = false;   // something was taken, and write() has not come to its end
    bool is_last = false;  // there was no more to take
    bool is_held = false;  // it waits for room
  };

  void flush(Reader& reader);
  [[nodiscard]] Read submit(Consignment& consignment, JobSource::Pull pulled, std::size_t reader);
  [[nodiscard]] Result<Planner::Plan, RunTrouble> plan(Consignment& consignment,
                                                       JobSource::Pull pulled);
  [[nodiscard]] bool write(std::size_t group);
  void hold(Group& group, std::string_view why);
  void let_go(Group& group);
  [[nodiscard]] bool may_wait() const { return !given_up_.load() && core_.now() < deadline_; }
  void note_room(bool is_lacking, std::string_view why);
  void fail(std::string_view why);

  engine::EngineCore& core_;
  const RunParts parts_;
  const std::function<void()> wake_;
  const Instant deadline_;

  std::vector<std::unique_ptr<Reader>> readers_;
  std::atomic<std::size_t> readers_left_{0};
  std::atomic<bool> source_failed_{false};
  std::atomic<std::uint64_t> bytes_rehearsed_{0};  // of content
  std::atomic<bool> planner_failed_{false};

  std::vector<std::unique_ptr<Group>> groups_;
  RunTally tally_;

  std::atomic<std::size_t> groups_held_{0};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> failed_{false};
  std::mutex room_mutex_;    // guards the next one, and changes of groups_held_
  bool is_lacking_ = false;  // what was said last
};

}  // namespace ringpost::run
