// The problem: an engine is judged by what it does when threads, clocks and networks do their
// worst, and no test can try that on threads. The idea: what is decided about jobs and endpoints as
// a whole (who gets which share, which endpoint a job goes to, when a job has been told of and goes
// back) is decided here, by calls that return at once. Engine adds threads and waiting to it, and
// the simulation a clock and chance. The limits: what workers do stands in worker and route, and
// whether one sleeps is between it and whoever wakes it.
#include "engine/engine_core.h"

#include <algorithm>
#include <string>
#include <utility>

#include "codec/job/job_prefetch.h"
#include "engine/session_options.h"
#include "engine/submission.h"
#include "tls/context.h"
#include "tls/sasl_crypto.h"

namespace ringpost::engine {

namespace {

// So many jobs a wake-up: few enough to begin early, and as many as make a wake-up cheap.
constexpr std::size_t submit_batch = 32;

Result<std::unique_ptr<tls::Context>, EngineError> tls_context(const EndpointOptions& endpoint) {
  auto created = tls::Context::create(tls_options(endpoint));
  if (!created) {
    return Failure(EngineError{"endpoint \"" + endpoint.name + "\": " + created.error().message()});
  }
  return std::move(*created);
}

}  // namespace

EngineLimits engine_limits(const EngineOptions& options) {
  // Half of what may be in flight, over all routes.
  const std::size_t routes = std::max<std::size_t>(1, options.endpoints.size() * options.cores);
  EngineLimits limits;
  limits.jobs_active_max = jobs_active_max(options);
  limits.jobs_per_push_max = submit_batch;
  limits.retry_jobs_max = std::max<std::size_t>(1, options.jobs_in_flight_max / 2 / routes);
  limits.retry_bytes_max = options.job_bytes_in_flight_max / 2 / routes;
  return limits;
}

EngineCore::EngineCore(EngineOptions options, Parts parts)
    : EngineCore(options, std::move(parts), engine_limits(options)) {}

EngineCore::EngineCore(EngineOptions options, Parts parts, const EngineLimits& limits)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      limits_(limits),
      pool_({options_.jobs_in_flight_max, options_.job_bytes_in_flight_max,
             limits_.jobs_active_max}) {
  for (std::size_t i = 0; i < options_.endpoints.size(); ++i) {
    const EndpointOptions& endpoint = options_.endpoints[i];
    EndpointGate::ReadToken read_token;
    if (endpoint.read_token) {
      read_token = [this, i](auto done) { parts_.read_token(i, std::move(done)); };
    }
    Endpoint& added = endpoints_.emplace_back();
    added.gate = std::make_unique<EndpointGate>(endpoint, parts_.resolve, parts_.wake, parts_.clock,
                                                std::move(read_token));
    added.jobs = std::make_unique<queue::JobQueue>();
    added.gate->on_notice(options_.on_notice);
  }
}

// ---- Workers ------------------------------------------------------------------------------------

Result<std::vector<WorkerEndpoint>, EngineError> EngineCore::worker_endpoints(
    std::uint32_t worker) {
  std::vector<WorkerEndpoint> result;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const EndpointOptions& endpoint = options_.endpoints[i];
    WorkerEndpoint& added = result.emplace_back();
    added.gate = endpoints_[i].gate.get();
    added.jobs = endpoints_[i].jobs.get();
    added.session = session_options(endpoint);
    added.scram_cache = std::make_unique<codec::ScramCache>();
    added.session.sasl = {&tls::sasl_crypto(), added.scram_cache.get()};
    added.limits = share_of(endpoint, worker);
    if (endpoint.security != TransportSecurity::none) {
      auto context = tls_context(endpoint);
      if (!context) {
        return Failure(std::move(context.error()));
      }
      added.tls_context = std::move(*context);
    }
  }
  return result;
}

RouteLimits EngineCore::share_of(const EndpointOptions& endpoint, std::uint32_t worker) const {
  RouteLimits share;
  const bool has_one_more = worker < endpoint.connections_max % options_.cores;
  share.connections_max = endpoint.connections_max / options_.cores + (has_one_more ? 1 : 0);
  share.retry_jobs_max = limits_.retry_jobs_max;
  share.retry_bytes_max = limits_.retry_bytes_max;
  return share;
}

WorkerOptions EngineCore::worker_options(Instant start) {
  const bool has_deadline = options_.deadline < never - start;
  const Instant deadline = has_deadline ? start + options_.deadline : never;
  return {deadline, options_.journal, &pool_, options_.deadline_drain};
}

void EngineCore::give(WorkerOrder wanted) {
  WorkerOrder current = order_.load();
  while (current < wanted && !order_.compare_exchange_weak(current, wanted)) {
  }
  if (current < wanted) {
    parts_.wake();
  }
}

void EngineCore::hold_sending(bool held) {
  for (const Endpoint& endpoint : endpoints_) {
    endpoint.gate->hold(held);
  }
}

// ---- Outcomes -----------------------------------------------------------------------------------

std::size_t EngineCore::take_decided(std::span<DecidedRecipientView> views) {
  constexpr std::size_t near = 8;  // so far behind its hint a job has come
  count_told();
  lent_count_ = outcomes_.take({lent_.data(), std::min(lent_.size(), views.size())});
  if (lent_count_ > 0) {
    give_back_told_jobs();
  }
  for (std::size_t i = 0; i < lent_count_; ++i) {
    views[i] = {lent_[i].job, lent_[i].recipient};
    codec::prefetch_job(*lent_[i].job);
    if (i >= near) {
      codec::prefetch_parts(*lent_[i - near].job);
    }
  }
  return lent_count_;
}

void EngineCore::give_back_told() {
  count_told();
  give_back_told_jobs();
}

void EngineCore::count_told() {
  for (const queue::DecidedRecipient& recipient : std::span(lent_).first(lent_count_)) {
    RP_ASSERT(recipient.job->outcomes_left > 0);
    if (--recipient.job->outcomes_left == 0) {
      told_.push_back(recipient.job);
    }
  }
  lent_count_ = 0;
}

void EngineCore::give_back_told_jobs() {
  pool_.give_back(told_);
  told_.clear();
}

// ---- Endpoints ----------------------------------------------------------------------------------

std::vector<EndpointFailure> EngineCore::endpoint_failures() const {
  std::vector<EndpointFailure> failures;
  for (const Endpoint& endpoint : endpoints_) {
    const EndpointGate& gate = *endpoint.gate;
    if (gate.failed()) {
      const protocol::CloseReason& reason = gate.failure();
      failures.push_back({gate.options().name, std::string(name_of(reason.stage)),
                          gate.place() + ": " + reason.message() + gate.effort()});
    }
  }
  return failures;
}

std::vector<EndpointReport> EngineCore::endpoint_reports(Instant now) const {
  std::vector<EndpointReport> reports;
  for (const Endpoint& endpoint : endpoints_) {
    const EndpointGate& gate = *endpoint.gate;
    const auto pipelining = gate.pipelining();
    EndpointReport& report = reports.emplace_back();
    report.endpoint = gate.options().name;
    report.pipelining = pipelining ? protocol::name_of(*pipelining) : std::string_view();
    report.fall_backs = gate.fall_backs();
    if (const auto away = gate.away_for(now)) {
      report.away_for = *away;
      if (const auto trouble = gate.trouble()) {
        report.trouble = gate.place() + ": " + trouble->message();
      }
    }
  }
  return reports;
}

// ---- Feeder -------------------------------------------------------------------------------------

EngineCore::Feeder::Feeder(EngineCore& core) : core_(core), outcomes_(core.outcomes_) {
  for (const Endpoint& endpoint : core.endpoints_) {
    lanes_.push_back(std::make_unique<Lane>(*endpoint.jobs));
  }
}

EngineCore::Feeder::~Feeder() { close(); }

Job* EngineCore::Feeder::try_next() {
  if (job_ == nullptr) {
    job_ = core_.pool_.try_acquire();
  }
  return job_;
}

EngineCore::Feeder::Way EngineCore::Feeder::submit(Instant now) {
  Job& job = *job_;
  if (const std::string offence = submission_offence(job); !offence.empty()) {
    return refuse(offence);
  }
  job.submitted_at = now;
  Lane* lane = nullptr;
  if (begin_submission(job)) {
    lane = lane_of(job);
    if (lane == nullptr) {
      return refuse("endpoint: no endpoint is named \"" + job.endpoint + "\"");
    }
  }
  job_ = nullptr;
  core_.pool_.charge(job);
  if (lane == nullptr) {
    return report(job);  // everybody is decided: no endpoint is asked
  }
  lane->batch.push_back(&job);
  if (++gathered_ < core_.limits_.jobs_per_push_max) {
    return Way::gathered;
  }
  static_cast<void>(flush());
  return Way::to_workers;
}

EngineCore::Feeder::Way EngineCore::Feeder::refuse(std::string_view reason) {
  Job& job = *job_;
  job_ = nullptr;
  refuse_submission(job, reason, core_.parts_.unix_time_us());
  core_.pool_.charge(job);
  return report(job);
}

// Everybody who is not yet: nothing of the job is sent any more.
EngineCore::Feeder::Way EngineCore::Feeder::report(Job& job) {
  outcomes_.push(report_submission(job));
  return Way::to_outcomes;
}

// The endpoint for a job: the one it names, or the next by weight. Null: there is none of that
// name.
EngineCore::Feeder::Lane* EngineCore::Feeder::lane_of(const Job& job) {
  const std::vector<EndpointOptions>& endpoints = core_.options_.endpoints;
  if (!job.endpoint.empty()) {
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      if (endpoints[i].name == job.endpoint) {
        return lanes_[i].get();
      }
    }
    return nullptr;
  }
  std::int64_t total = 0;
  Lane* best = nullptr;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (core_.endpoints_[i].gate->failed() && lanes_.size() > 1) {
      continue;  // others may still work
    }
    lanes_[i]->credit += endpoints[i].weight;
    total += endpoints[i].weight;
    if (best == nullptr || lanes_[i]->credit > best->credit) {
      best = lanes_[i].get();
    }
  }
  if (best == nullptr) {
    return lanes_.front().get();
  }
  best->credit -= total;
  return best;
}

bool EngineCore::Feeder::flush() {
  if (gathered_ == 0) {
    return false;
  }
  gathered_ = 0;
  for (const auto& lane : lanes_) {
    if (!lane->batch.empty()) {
      lane->producer.push(lane->batch);
      lane->batch.clear();
    }
  }
  return true;
}

bool EngineCore::Feeder::close() {
  const bool pushed = flush();
  if (job_ != nullptr) {
    core_.pool_.give_back({&job_, 1});
    job_ = nullptr;
  }
  return pushed;
}

}  // namespace ringpost::engine
