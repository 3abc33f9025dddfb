// One life of `ringpost send`: the real worker, route, sessions, retries and journal between a
// reader and an outcome writer that are stepped by chance, on the simulated machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/job/job_reader.h"
#include "codec/job/outcome_writer.h"
#include "engine/engine_core.h"
#include "engine/run/job_input.h"
#include "engine/run/run_journal.h"
#include "engine/worker.h"
#include "tests/sim/lifetime.h"
#include "tests/sim/network.h"
#include "tests/sim/plan.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_io.h"

namespace ringpost::sim {

// What was told of a recipient: by its line in the job file and its index in the job.
struct Told {
  std::uint64_t ordinal = 0;
  std::uint32_t recipient_index = 0;
  Status status = Status::unsent;
  bool operator==(const Told&) const = default;
};

struct Files {
  std::string jobs;
  std::string journal;
  std::string outcomes;
};

// What the lives of one plan have in common.
struct World {
  const Plan& plan;
  const Files& files;
  Random& random;
  Network& network;
  SimDisk& disk;
};

enum class LifeEnd : std::uint8_t {
  over,        // it came to its end: every job that was read has its outcomes
  died,        // it was killed, or the power went
  gave_up,     // the journal could not be written, or nothing could be resumed
  never_ends,  // something waits for something that never comes: a mistake of ours
};

class Process {
 public:
  Process(const World& world, const LifePlan& life);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] LifeEnd run();

  // Without a journal: what was told, in order.
  [[nodiscard]] const std::vector<Told>& told() const { return told_; }
  // Contents by job, as they were to be sent.
  [[nodiscard]] const std::map<std::string, std::string>& contents() const { return contents_; }
  // Lines of the job file that were read to the end of this life.
  [[nodiscard]] std::uint64_t lines_read() const { return ordinal_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  // Recipients, by ordinal and index, who waited for an attempt when this life ended, and so
  // did when the last turn before had come to its end: the journal does not have them in flight.
  using Waiting = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
  [[nodiscard]] const Waiting& waiting() const { return waiting_; }
  // Why it gave up, in words.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct WorkerOfIt {
    std::unique_ptr<SimIo> io;
    std::unique_ptr<engine::Worker> worker;
    engine::WorkerStats stats;
    bool over = false;
  };

  [[nodiscard]] bool open_journal();
  void start_workers();
  [[nodiscard]] EngineOptions engine_options() const;
  [[nodiscard]] engine::EngineCore::Parts parts();
  void step();
  [[nodiscard]] bool let_time_pass();
  [[nodiscard]] bool reader_can_go_on();
  void read_line();
  void went(engine::EngineCore::Feeder::Way way);
  void turn(WorkerOfIt& worker);
  [[nodiscard]] Waiting waiting_now() const;
  [[nodiscard]] bool has_unwritten() const;
  [[nodiscard]] bool has_outcomes_to_write() const;
  void write_outcomes();
  void take_outcomes();
  void obey_signals();
  void wake_all();
  [[nodiscard]] bool everything_is_told() const;
  void take_apart();

  const World world_;
  const LifePlan& life_;
  Lifetime lifetime_;
  const Instant begin_;
  std::uint64_t steps_ = 0;

  std::unique_ptr<run::RunJournal> journal_;
  std::optional<run::JobInput> input_;
  codec::JobReader reader_;
  codec::OutcomeWriter writer_;
  std::int64_t date_us_ = 0;
  std::string trouble_;

  // Once the journal is there.
  std::optional<engine::EngineCore> core_;
  std::optional<engine::EngineCore::Feeder> feeder_;
  std::vector<std::unique_ptr<WorkerOfIt>> workers_;

  std::uint64_t ordinal_ = 0;
  bool input_ended_ = false;
  bool outcomes_may_wait_ = false;
  Instant write_again_at_{};
  std::uint32_t writes_failed_in_a_row_ = 0;
  bool output_lost_ = false;
  std::string line_;
  std::string unwritten_;  // for the outcomes file
  std::vector<Told> told_;
  std::map<std::string, std::string> contents_;
  std::set<const Job*> jobs_known_;  // that were ever submitted; the pool owns them
  Waiting waiting_;
};

}  // namespace ringpost::sim
