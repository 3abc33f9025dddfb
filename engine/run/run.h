// A run: jobs from a source into an engine, outcomes from there into a sink.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine_core.h"
#include "engine/run/job_source.h"
#include "engine/run/outcome_sink.h"
#include "engine/run/planner.h"
#include "engine/run/run_listener.h"
#include "engine/run/run_tally.h"
#include <ringpost/base.h>

namespace ringpost::run {

// All of it outlives the run.
struct RunParts {
  JobSource& source;
  Planner* planner = nullptr;  // null: everything is to be sent
  OutcomeSink& sink;
  RunListener& listener;
};

// Jobs that stay unread, of a run that was stopped before the end of its source.
struct UnreadJobs {
  std::optional<std::uint64_t> count;  // nothing: nobody knows how many
  std::string from;                    // where the first one stands; empty: nobody can say
};

// Stepped: it has no thread, no clock but the core's, and waits for nothing but what its source and
// its sink wait for. Whoever steps it decides when, and waits where it says so.
//
// Thread: read(), may_read(), take_over(), end_reading() and unread() are one thread's; deliver()
// is one thread's, which may be another; the others are any's, but finish(), which comes behind the
// last call of deliver(). Lifetime: the core outlives end_reading().
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
    failed,   // the planner could not go on, which was said: the end of the reading
  };
  [[nodiscard]] Read read();
  // Whether there is room for another job. Where there is none, what has gathered leaves.
  [[nodiscard]] bool may_read();
  // Room was waited for: the next message to fill (MessagePool::acquire).
  void take_over(Consignment& consignment) { static_cast<void>(feeder_->take_over(&consignment)); }
  // What has gathered leaves, and nothing more is read.
  void end_reading();
  [[nodiscard]] bool reading_ended() const { return !feeder_.has_value(); }
  // Of a reading that was ended before its source; nothing: no job is left. The source's last call.
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at);

  [[nodiscard]] std::uint64_t jobs_read() const { return jobs_read_.load(relaxed); }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_.load(relaxed); }
  [[nodiscard]] bool source_failed() const { return source_failed_; }
  [[nodiscard]] bool planner_failed() const { return planner_failed_; }

  // ---- Outcomes back ----

  enum class Told : std::uint8_t {
    all,          // that there is by now
    again_later,  // there is no room: no message begins until a later call finds some
  };
  // Takes what was decided, has it written, and gives back what was told of. What cannot be written
  // holds everything up behind it, until there is room, give_up(), or the deadline; then, and when
  // it is no matter of room, outcomes are lost: see failed().
  [[nodiscard]] Told deliver();
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

  void flush();
  [[nodiscard]] Read submit(Consignment& consignment, JobSource::Pull pulled);
  [[nodiscard]] bool write();
  [[nodiscard]] bool may_wait() const { return !given_up_.load() && core_.now() < deadline_; }
  void note_room(bool is_lacking, std::string_view why);
  void fail(std::string_view why);

  engine::EngineCore& core_;
  const RunParts parts_;
  const std::function<void()> wake_;
  const Instant deadline_;

  // Of whoever reads.
  std::optional<engine::EngineCore::Feeder> feeder_;  // until the end of the reading
  bool source_failed_ = false;
  bool planner_failed_ = false;
  std::string held_from_;  // where the job stands that the planner could not judge
  std::atomic<std::uint64_t> jobs_read_{0};
  std::atomic<std::uint64_t> bytes_read_{0};

  // Of whoever hears outcomes.
  std::array<OutcomeView, batch_max> decided_{};
  bool is_due_ = false;   // something was taken, and write() has not come to its end
  bool is_last_ = false;  // there was no more to take
  RunTally tally_;

  std::atomic<bool> waits_for_room_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> failed_{false};
  std::mutex room_mutex_;    // guards the next one
  bool is_lacking_ = false;  // what was said last
};

}  // namespace ringpost::run
