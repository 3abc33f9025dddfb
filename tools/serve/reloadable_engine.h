// An Engine whose endpoints may become others while messages are under way: what Engine has, as far
// as a service needs it, and replace_endpoints().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tools/serve/endpoint_names.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::serve {

// Behind it is an engine for each set of endpoints that there was: the last one has all that is
// submitted from then on, those before finish what they have with the sessions that they have, and
// end. Thread-safe, but for what a Submitter does. Lifetime: outlives its submitters.
class ReloadableEngine {
 public:
  class Submitter;

  // The callback is called as that of an engine with one outcome thread: one call at a time,
  // whichever engine it is of. Outcome::endpoint is a number of `names`.
  [[nodiscard]] static Result<std::unique_ptr<ReloadableEngine>, EngineError> start(
      EngineOptions options, std::shared_ptr<EndpointNames> names, OutcomeCallback callback);
  ~ReloadableEngine();
  ReloadableEngine(const ReloadableEngine&) = delete;
  ReloadableEngine& operator=(const ReloadableEngine&) = delete;

  // All else stays as it was at the start. Where something is wrong nothing has changed. One call
  // at a time.
  [[nodiscard]] Result<void, EngineError> replace_endpoints(std::vector<EndpointOptions> endpoints);
  [[nodiscard]] const EndpointNames& endpoint_names() const { return *names_; }

  [[nodiscard]] Submitter submitter();
  [[nodiscard]] bool drain(Instant deadline);
  void stop_sending();
  void abort();
  void cancel(Cancellation& cancellation);
  [[nodiscard]] bool take_pulse();

  // Counts are those of all engines so far, what is so now is the last one's.
  [[nodiscard]] EngineStatistics statistics() const;
  // Of an endpoint that is no longer there as long as anything is under way by it.
  [[nodiscard]] std::vector<EndpointReport> endpoint_reports() const;
  [[nodiscard]] std::vector<EndpointFailure> endpoint_failures() const;
  // One that is not given up.
  [[nodiscard]] bool has_endpoint() const;

 private:
  struct Generation;
  struct Seat;

  ReloadableEngine(EngineOptions options, std::shared_ptr<EndpointNames> names,
                   OutcomeCallback callback);
  [[nodiscard]] Result<std::shared_ptr<Generation>, EngineError> make(
      std::vector<EndpointOptions> endpoints);
  [[nodiscard]] std::shared_ptr<Generation> current() const;
  [[nodiscard]] std::vector<std::shared_ptr<Generation>> all() const;
  void tell(const Generation& generation, std::span<const OutcomeView> decided);
  void retire(Generation& generation);
  [[nodiscard]] bool has_moved_all(const Generation& from);

  const EngineOptions options_;  // without endpoints
  const OutcomeCallback callback_;
  const std::shared_ptr<EndpointNames> names_;

  std::mutex tell_mutex_;  // held for each call of the callback
  std::vector<Outcome> told_;
  std::vector<OutcomeView> views_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable ending_;
  bool is_ending_ = false;
  std::vector<std::shared_ptr<Generation>> generations_;  // the last one is the current one
  std::vector<std::weak_ptr<Seat>> seats_;                // of submitters
  std::vector<std::thread> retiring_;
};

// As Engine::Submitter.
class ReloadableEngine::Submitter {
 public:
  Submitter(Submitter&&) noexcept = default;
  Submitter& operator=(Submitter&&) = delete;
  ~Submitter();

  [[nodiscard]] Message* next();
  [[nodiscard]] Message* try_next();
  [[nodiscard]] std::vector<PriorFate>& fates();
  Result<void, SubmissionError> submit();
  void refuse(std::string_view reason);
  void flush();

 private:
  friend class ReloadableEngine;
  explicit Submitter(std::shared_ptr<Seat> seat) : seat_(std::move(seat)) {}
  std::shared_ptr<Seat> seat_;
};

}  // namespace ringpost::serve
