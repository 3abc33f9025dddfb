// One run of a benchmark: an engine, and messages into it by a schedule or as fast as they are
// taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "tools/bench/bench_finding.h"
#include "tools/bench/bench_settings.h"
#include "tools/bench/message_supply.h"
#include "tools/bench/time_record.h"
#include "tools/process/log.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::cli {

struct BenchRunParts {
  const EndpointOptions& endpoint;
  const LoadSettings& load;
  std::uint32_t cores = 1;
  IoChoice io = IoChoice::automatic;
  Log& log;
  HistogramLog* histogram_log = nullptr;  // null: none is written
  std::string tag = {};                   // of its lines there
};

// Thread: run() is one's; stop_soon(), stop_now() and tick() are another's, from the end of
// start() on.
class BenchRun {
 public:
  explicit BenchRun(const BenchRunParts& parts);
  ~BenchRun();
  BenchRun(const BenchRun&) = delete;
  BenchRun& operator=(const BenchRun&) = delete;

  // Makes the messages and starts the engine; an error is a sentence.
  [[nodiscard]] Result<void, std::string> start();
  [[nodiscard]] BenchFinding run();

  void stop_soon();
  void stop_now();
  // Once a second.
  void tick();
  [[nodiscard]] std::uint64_t messages_done() const { return done_.load(); }
  [[nodiscard]] bool was_stopped() const { return is_stopping_.load(); }

 private:
  void submit_all();
  bool submit(Engine::Submitter& submitter, std::uint64_t number, Instant due);
  bool wait_until(Engine::Submitter& submitter, Instant due);
  void hear(std::span<const OutcomeView> decided);
  [[nodiscard]] BenchFinding finding();
  [[nodiscard]] bool is_open() const { return load_.rate > 0; }

  const BenchRunParts parts_;
  const LoadSettings load_;
  TimeRecord times_;
  std::unique_ptr<MessageSupply> supply_;
  std::mutex mutex_;  // guards engine_ against whoever stops or ticks, and times_.collect()
  std::unique_ptr<Engine> engine_;
  double cpu_us_at_start_ = 0;

  std::atomic<bool> is_stopping_{false};
  // When the last message is due, with the drain behind it.
  std::atomic<Instant> give_up_at_{never};
  std::atomic<std::uint64_t> done_{0};

  // Of whoever submits.
  std::uint64_t submitted_ = 0;
  std::uint64_t due_ = 0;
  std::uint64_t warmup_messages_ = 0;
  Duration late_max_{};
  Instant measured_from_{};
  std::int64_t measured_from_us_ = 0;

  // Of the outcome thread, until the engine is gone.
  std::array<std::uint64_t, status_count> recipients_{};
  std::uint64_t messages_answered_ = 0;
  std::uint64_t bytes_ = 0;
  Instant last_at_{};
};

}  // namespace ringpost::cli
