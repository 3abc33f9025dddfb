// One life of `ringpost send`: the real run, workers, sessions, retries and journal, each stepped
// by chance, on the simulated machine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine_core.h"
#include "engine/run/file_sink.h"
#include "engine/run/journal_binding.h"
#include "engine/run/journal_planner.h"
#include "engine/run/line_source.h"
#include "engine/run/run.h"
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

// By the ordinal of their job, and their place in it.
using RecipientPlaces = std::set<std::pair<std::uint64_t, std::uint32_t>>;

// Hears what jobs there are on their way out of another source.
class ListeningSource : public run::JobSource {
 public:
  using Heard = std::function<void(Message& message)>;

  // `heard` is called for each job that can be sent.
  ListeningSource(run::JobSource& source, Heard heard)
      : source_(source), heard_(std::move(heard)) {}

  [[nodiscard]] std::size_t readers() const override { return source_.readers(); }
  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override;
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return source_.words(reader);
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override {
    return source_.may_wait(reader);
  }
  void await(std::size_t reader) override { source_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override {
    return source_.has_in_hand(reader);
  }
  void put_back(std::size_t reader) override { source_.put_back(reader); }
  [[nodiscard]] std::optional<run::UnreadJobs> unread(Instant give_up_at) override {
    return source_.unread(give_up_at);
  }

  // Of all messages that came.
  [[nodiscard]] const RecipientPlaces& read() const { return read_; }

 private:
  run::JobSource& source_;
  const Heard heard_;
  RecipientPlaces read_;
};

// Remembers what it was told on the way into another sink.
class TellingSink : public run::OutcomeSink {
 public:
  explicit TellingSink(run::OutcomeSink& sink) : sink_(sink) {}

  void take(std::span<const OutcomeView> decided, std::size_t group) override;
  [[nodiscard]] Result<void, run::RunTrouble> write(bool everything, std::size_t group) override {
    return sink_.write(everything, group);
  }
  [[nodiscard]] bool has_unwritten() const override { return sink_.has_unwritten(); }
  void give_up() override { sink_.give_up(); }
  [[nodiscard]] std::vector<std::string> finish() override { return sink_.finish(); }

  [[nodiscard]] const std::vector<Told>& told() const { return told_; }

 private:
  run::OutcomeSink& sink_;
  std::vector<Told> told_;
};

class Process : private run::RunListener {
 public:
  Process(const World& world, const LifePlan& life);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] LifeEnd run();

  // Without a journal: what was told, in order.
  [[nodiscard]] const std::vector<Told>& told() const { return sink_.told(); }
  // Contents by job, as they were to be sent.
  [[nodiscard]] const std::map<std::string, std::string>& contents() const { return contents_; }
  // Whose messages were read to the end of this life; one for a job that names nobody.
  [[nodiscard]] RecipientPlaces recipients_read() const {
    return source_ ? source_->read() : RecipientPlaces();
  }
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

  [[nodiscard]] bool open_files();
  [[nodiscard]] bool open_journal(std::int64_t now_us);
  void start_run();
  [[nodiscard]] EngineOptions engine_options() const;
  [[nodiscard]] engine::EngineCore::Parts parts();
  [[nodiscard]] LifeEnd end();
  void step();
  [[nodiscard]] bool let_time_pass();
  void read(std::size_t reader);
  void turn(WorkerOfIt& worker);
  [[nodiscard]] Waiting waiting_now() const;
  [[nodiscard]] bool has_unwritten() const;
  [[nodiscard]] bool has_outcomes_to_write(std::size_t group) const;
  void write_outcomes(std::size_t group);
  void note_outcomes();
  void obey_signals();
  void take_back_some();
  void wake_all();
  void take_apart();
  void on_notice(run::NoticeLevel level, std::string_view text,
                 const run::NoticeSubject& subject) override;

  const World world_;
  const LifePlan& life_;
  Lifetime lifetime_;
  const Instant begin_;
  std::uint64_t steps_ = 0;

  std::unique_ptr<run::JournalBinding> journal_;
  std::optional<run::JournalPlanner> planner_;
  run::FileSink files_sink_;
  TellingSink sink_;
  std::int64_t date_us_ = 0;
  std::string trouble_;

  // Once the files are there.
  std::optional<run::LineSource> lines_;
  std::optional<ListeningSource> source_;
  std::optional<engine::EngineCore> core_;
  std::optional<run::Run> run_;
  std::vector<std::unique_ptr<WorkerOfIt>> workers_;

  // Of those who hear a group of outcomes.
  struct Telling {
    bool may_wait = false;  // outcomes of it
    Instant again_at{};
    std::uint32_t failed_in_a_row = 0;
  };
  std::vector<Telling> tellings_;
  std::map<std::string, std::string> contents_;
  std::vector<std::shared_ptr<Cancellation>> cancellations_;  // nobody has cancelled them yet
  std::set<Consignment*> messages_known_;  // that ever left the source; the pool owns them
  Waiting waiting_;
};

}  // namespace ringpost::sim
