// The problem: an engine is judged by what it does when threads, clocks and networks do their
// worst, and no test can try that on threads. The idea: what is decided about messages and
// endpoints as a whole (who gets which share, which endpoint a message goes to, when a delivery has
// been told of and goes back) is decided here, by calls that return at once. Engine adds threads
// and waiting to it, and the simulation a clock and chance. The limits: what workers do stands in
// worker and route, and whether one sleeps is between it and whoever wakes it.
#include "engine/engine_core.h"

#include <algorithm>
#include <string>
#include <utility>

#include "codec/job/delivery_prefetch.h"
#include "engine/division.h"
#include "engine/endpoint_check.h"
#include "engine/session_options.h"
#include "engine/submission.h"
#include "tls/context.h"
#include "tls/sasl_crypto.h"

namespace ringpost::engine {

namespace {

// So many deliveries a wake-up: few enough to begin early, and as many as make a wake-up cheap.
constexpr std::size_t submit_batch = 32;
// What a feeder holds back from the bound on bytes: this part of it.
constexpr std::size_t uncharged_part = 64;

Result<std::unique_ptr<tls::Context>, EngineError> tls_context(const EndpointOptions& endpoint) {
  auto created = tls::Context::create(tls_options(endpoint));
  if (!created) {
    return Failure(EngineError{"endpoint \"" + endpoint.name + "\": " + created.error().message()});
  }
  return std::move(*created);
}

// A worker's steps, for EngineOptions::on_step.
class StepsOfWorker : public protocol::StepListener {
 public:
  StepsOfWorker(const EngineOptions& options, std::uint32_t worker)
      : options_(options), worker_(worker) {}

  void on_step(Stage stage, Duration taken) override { options_.on_step(worker_, stage, taken); }

 private:
  const EngineOptions& options_;
  const std::uint32_t worker_;
};

}  // namespace

EngineLimits engine_limits(const EngineOptions& options) {
  // Half of what may be in flight, over all routes.
  const std::size_t routes = std::max<std::size_t>(1, options.endpoints.size() * options.cores);
  EngineLimits limits;
  limits.deliveries_active_max = jobs_active_max(options);
  limits.deliveries_per_push_max = submit_batch;
  limits.retry_messages_max = std::max<std::size_t>(1, options.jobs_in_flight_max / 2 / routes);
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
             limits_.deliveries_active_max}) {
  for (std::uint32_t i = 0; options_.on_step && i < options_.cores; ++i) {
    steps_.push_back(std::make_unique<StepsOfWorker>(options_, i));
  }
  for (std::uint32_t i = 0; i < std::max(1u, options_.outcome_threads); ++i) {
    groups_.push_back(std::make_unique<OutcomeGroup>());
  }
  for (std::size_t i = 0; i < options_.endpoints.size(); ++i) {
    const EndpointOptions& endpoint = options_.endpoints[i];
    EndpointGate::ReadToken read_token;
    if (endpoint.read_token) {
      read_token = [this, i](auto done) { parts_.read_token(i, std::move(done)); };
    }
    Endpoint& added = endpoints_.emplace_back();
    added.gate = std::make_unique<EndpointGate>(
        endpoint, parts_.resolve, parts_.wake, parts_.clock, std::move(read_token),
        i < parts_.quota_memories.size() ? parts_.quota_memories[i] : nullptr);
    added.deliveries = std::make_unique<queue::DeliveryQueue>();
    for (std::uint32_t worker = 0; worker < options_.cores; ++worker) {
      added.stats.push_back(std::make_unique<RouteStats>());
    }
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
    added.deliveries = endpoints_[i].deliveries.get();
    added.session = session_options(endpoint);
    added.session.steps = steps_.empty() ? nullptr : steps_[worker].get();
    added.scram_cache = std::make_unique<codec::ScramCache>();
    added.session.sasl = {&tls::sasl_crypto(), added.scram_cache.get()};
    added.limits = share_of(endpoint, worker);
    added.stats = endpoints_[i].stats[worker].get();
    if (has_port_with_tls(endpoint)) {
      auto context = tls_context(endpoint);
      if (!context) {
        return Failure(std::move(context.error()));
      }
      added.tls_context = std::move(*context);
    }
  }
  return result;
}

std::uint32_t EngineCore::share_of_worker(std::uint32_t number, std::uint32_t worker) const {
  return number / options_.cores + (worker < number % options_.cores ? 1 : 0);
}

RouteLimits EngineCore::share_of(const EndpointOptions& endpoint, std::uint32_t worker) const {
  RouteLimits share;
  share.connections_max = share_of_worker(endpoint.connections_max, worker);
  // Each of its own account: those of other workers are not known here.
  constexpr std::uint32_t spares_max = 256;
  constexpr std::uint32_t spares_of_one = 40;
  share.sockets_max =
      endpoint.connections_allowed != 0
          ? std::max(share.connections_max, share_of_worker(endpoint.connections_allowed, worker))
          : share.connections_max + std::min(spares_max, share.connections_max * spares_of_one);
  share.retry_messages_max = limits_.retry_messages_max;
  share.retry_bytes_max = limits_.retry_bytes_max;
  return share;
}

WorkerOptions EngineCore::worker_options(Instant start) {
  const bool has_deadline = options_.deadline < never - start;
  const Instant deadline = has_deadline ? start + options_.deadline : never;
  return {deadline, options_.journal, &pool_, options_.deadline_drain, &cancellations_};
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

void EngineCore::look_for_cancelled() {
  cancellations_.fetch_add(1);
  parts_.wake();
}

// ---- Outcomes -----------------------------------------------------------------------------------

std::size_t EngineCore::take_decided(std::span<OutcomeView> views, std::size_t group) {
  OutcomeGroup& self = *groups_[group];
  self.count_told();
  const auto room = views.first(std::min(lent_max, views.size()));
  if (self.taken_next == self.taken_count) {
    self.take_more(room.size());
  }
  if (self.taken_next < self.taken_count) {
    self.give_back(pool_);
  }
  std::size_t shown = 0;
  while (shown < room.size() && self.taken_next < self.taken_count) {
    queue::DecidedRecipients& next = self.taken[self.taken_next];
    const std::size_t count = std::min<std::size_t>(next.end - next.begin, room.size() - shown);
    self.lent[self.lent_count++] = {next.delivery, count};
    for (std::size_t i = 0; i < count; ++i, ++next.begin) {
      const Outcome& outcome = outcome_of(*next.delivery, next.begin);
      room[shown++] = {next.delivery->message, next.delivery->begin + next.begin, &outcome};
      self.by_status[static_cast<std::size_t>(outcome.status)].add(1);
    }
    self.taken_next += next.begin == next.end ? 1 : 0;
  }
  return shown;
}

void EngineCore::give_back_told(std::size_t group) {
  groups_[group]->count_told();
  groups_[group]->give_back(pool_);
}

std::array<std::uint64_t, status_count> EngineCore::outcomes_told() const {
  std::array<std::uint64_t, status_count> told{};
  for (const auto& group : groups_) {
    for (std::size_t i = 0; i < status_count; ++i) {
      told[i] += group->by_status[i].get();
    }
  }
  return told;
}

void EngineCore::OutcomeGroup::take_more(std::size_t most) {
  constexpr std::size_t near = 8;  // so far behind its hint a delivery has come
  taken_next = 0;
  taken_count = outcomes.take(std::span(taken).first(most));
  for (std::size_t i = 0; i < taken_count + 2 * near; ++i) {
    if (i < taken_count) {
      prefetch_to_tell(*taken[i].delivery);
    }
    if (i >= near && i - near < taken_count) {
      const Delivery& delivery = *taken[i - near].delivery;
      codec::prefetch_fate(delivery);
      codec::prefetch(delivery.message->recipients.data(), 1);
    }
    if (i >= 2 * near) {
      const queue::DecidedRecipients& next = taken[i - 2 * near];
      codec::prefetch(outcome_of(*next.delivery, next.begin).text.data(), 1);
    }
  }
}

void EngineCore::OutcomeGroup::count_told() {
  for (const Lent& each : std::span(lent).first(lent_count)) {
    Delivery& delivery = *each.delivery;
    RP_ASSERT(delivery.outcomes_left >= each.recipients);
    delivery.outcomes_left -= each.recipients;
    if (delivery.outcomes_left == 0) {
      told.push_back(&delivery);
    }
  }
  lent_count = 0;
}

void EngineCore::OutcomeGroup::give_back(queue::MessagePool& pool) {
  pool.give_back(told);
  told.clear();
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

namespace {

void report_refusals(const protocol::UnmatchedReplies& replies, EndpointReport& report) {
  constexpr std::size_t kinds_told = 5;
  report.refusals_unruled = replies.total();
  for (protocol::UnmatchedReply& one : replies.most_frequent(kinds_told)) {
    report.unruled.push_back({one.stage, one.code, one.enhanced, std::move(one.words),
                              protocol::name_of(one.scope), protocol::name_of(one.action),
                              one.count});
  }
}

}  // namespace

std::vector<EndpointReport> EngineCore::endpoint_reports(Instant now) const {
  std::vector<EndpointReport> reports;
  for (const Endpoint& endpoint : endpoints_) {
    const EndpointGate& gate = *endpoint.gate;
    const auto pipelining = gate.pipelining();
    EndpointReport& report = reports.emplace_back();
    report.endpoint = gate.options().name;
    report.port = gate.port();
    const PortChoice ports = gate.ports();
    for (const PortChoice::PassedOver& other : ports.passed_over()) {
      report.ports_passed_over.push_back({other.port, text_of(other.end)});
    }
    report.why_port = report.ports_passed_over.empty() ? std::string() : ports.explanation();
    report.pipelining = pipelining ? protocol::name_of(*pipelining) : std::string_view();
    report.fall_backs = gate.fall_backs();
    std::vector<const RouteStats*> stats;
    for (const auto& of_worker : endpoint.stats) {
      stats.push_back(of_worker.get());
    }
    report.held_back_by = limiting_factors(stats);
    report.counts = endpoint_counts(stats, now);
    report.handed_over = gate.circuit().handed_over();
    report_refusals(gate.refusals().replies(), report);
    if (const auto away = gate.away_for(now)) {
      report.away_for = *away;
      if (const auto trouble = gate.trouble()) {
        report.trouble = gate.place() + ": " + trouble->message();
      }
    }
  }
  return reports;
}

EndpointCounts EngineCore::counts_of_endpoints(Instant now) const {
  std::vector<const RouteStats*> stats;
  for (const Endpoint& endpoint : endpoints_) {
    for (const auto& of_worker : endpoint.stats) {
      stats.push_back(of_worker.get());
    }
  }
  return endpoint_counts(stats, now);
}

// ---- Feeder -------------------------------------------------------------------------------------

EngineCore::Feeder::Feeder(EngineCore& core, const Options& options)
    : core_(core), options_(options), outcomes_(core.outcomes(options.number)) {
  for (std::size_t i = 0; i < core.endpoints_.size(); ++i) {
    lanes_.push_back(std::make_unique<Lane>(*core.endpoints_[i].deliveries));
    // A transaction with more recipients than a rate has would wait for ever.
    lanes_.back()->recipients_max = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(core.options_.endpoints[i].recipients_max,
                                core.endpoints_[i].gate->rate().recipients_max()));
    turns_.add(core.options_.endpoints[i].weight);
  }
}

EngineCore::Feeder::~Feeder() { close(); }

Consignment* EngineCore::Feeder::try_next() {
  if (at_hand_ != nullptr) {
    return at_hand_;
  }
  if (options_.taken_at_once <= 1) {
    return at_hand_ = core_.pool_.try_acquire();
  }
  if (empty_.empty()) {
    empty_.resize(options_.taken_at_once);
    empty_.resize(core_.pool_.try_acquire(empty_));
  }
  if (!empty_.empty()) {
    at_hand_ = empty_.back();
    empty_.pop_back();
  }
  return at_hand_;
}

EngineCore::Feeder::Way EngineCore::Feeder::submit(Instant now) {
  Consignment& consignment = *at_hand_;
  offence_ = submission_offence(consignment);
  if (!offence_.empty()) {
    return refuse(offence_);
  }
  Lane* lane = nullptr;
  const std::size_t count = consignment.message.recipients.size();
  std::size_t group_max = count;
  if (sends_to_any(consignment, 0, count)) {
    lane = lane_of(consignment.message, now);
    if (lane == nullptr) {
      offence_ = "endpoint: no endpoint is named \"" + consignment.message.endpoint + "\"";
    } else if (!consignment.message.content.is_sealed()) {
      offence_ = "content: no ContentMaker has sealed it";
    }
    if (!offence_.empty()) {
      return refuse(offence_);
    }
    group_max = lane->recipients_max;
  }
  const Cancellation* const cancellation = consignment.message.cancellation.get();
  if (lane != nullptr && cancellation != nullptr && cancellation->is_cancelled()) {
    return tell(protocol::verdict_of_cancellation(cancellation->reason()));
  }
  at_hand_ = nullptr;
  const std::int64_t now_us = consignment.fates.empty() ? 0 : core_.unix_time_us();
  divide(consignment, group_max);
  consignment.first.submitted_at = now;
  for (Delivery& delivery : consignment.further) {
    delivery.submitted_at = now;
  }
  // What is told of at once may be back at once.
  charge(consignment, lane == nullptr || !consignment.fates.empty());
  push(consignment, lane, now_us);
  if (lane == nullptr) {
    return Way::to_outcomes;  // of everybody all is known: no endpoint is asked
  }
  if (gathered_ < core_.limits_.deliveries_per_push_max) {
    return Way::gathered;
  }
  static_cast<void>(flush());
  return Way::to_workers;
}

// Into the batch, but for deliveries to people of whom all is known. The message may be gone with
// the last of these.
void EngineCore::Feeder::push(Consignment& consignment, Lane* lane, std::int64_t now_us) {
  const std::size_t count = consignment.delivery_count();
  for (std::size_t i = 0; i < count; ++i) {
    Delivery& delivery = consignment.delivery(i);
    if (sends_to_any(consignment, delivery.begin, delivery.end)) {
      lane->batch.push_back(&delivery);
      ++gathered_;
      continue;
    }
    if (!delivery.is_open) {
      open(delivery, now_us);
    }
    report(delivery);
  }
}

EngineCore::Feeder::Way EngineCore::Feeder::refuse(std::string_view reason) {
  return tell(protocol::verdict_of_local_refusal(reason));
}

EngineCore::Feeder::Way EngineCore::Feeder::rehearse(const protocol::Verdict& verdict) {
  const std::string offence = submission_offence(*at_hand_);
  return offence.empty() ? tell(verdict) : refuse(offence);
}

EngineCore::Feeder::Way EngineCore::Feeder::tell(const protocol::Verdict& verdict) {
  Consignment& consignment = *at_hand_;
  at_hand_ = nullptr;
  decide_submission(consignment, verdict, core_.unix_time_us());
  charge(consignment, true);
  report(consignment.first);
  return Way::to_outcomes;
}

// One lock for a batch of small messages; large ones count as they come, and so does what is shared
// by many, which may be large: with the first of them.
void EngineCore::Feeder::charge(Consignment& consignment, bool at_once) {
  const SegmentStore* const shared = consignment.message.content.shared();
  const bool shares_anew = shared != nullptr && shared != shared_last_;
  shared_last_ = shared;
  uncharged_.push_back(&consignment);
  uncharged_bytes_ += queue::MessagePool::measure(consignment);
  if (at_once || shares_anew ||
      uncharged_bytes_ > core_.options_.job_bytes_in_flight_max / uncharged_part) {
    charge_all();
  }
}

void EngineCore::Feeder::charge_all() {
  core_.pool_.charge(uncharged_);
  uncharged_.clear();
  uncharged_bytes_ = 0;
}

void EngineCore::Feeder::report(Delivery& delivery) { outcomes_.push(report_submission(delivery)); }

// The endpoint for a message: the one it names, or one that has its turn. Null: there is none of
// that name.
EngineCore::Feeder::Lane* EngineCore::Feeder::lane_of(const Message& message, Instant now) {
  const std::vector<EndpointOptions>& endpoints = core_.options_.endpoints;
  if (!message.endpoint.empty()) {
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      if (endpoints[i].name == message.endpoint) {
        return lanes_[i].get();
      }
    }
    return nullptr;
  }
  return lanes_[next_endpoint(now)].get();
}

// Of those that answer; when none does, of those that were not given up. One without a weight has
// what names it, and nothing else, whatever became of the others.
std::size_t EngineCore::Feeder::next_endpoint(Instant now) {
  if (lanes_.size() == 1) {
    return 0;
  }
  const auto gate = [this](std::size_t i) -> EndpointGate& { return *core_.endpoints_[i].gate; };
  const auto takes_any = [this](std::size_t i) { return core_.options_.endpoints[i].weight > 0; };
  std::size_t last_resort = 0;
  for (std::size_t i = lanes_.size(); i > 0; --i) {
    last_resort = takes_any(i - 1) ? i - 1 : last_resort;
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (takes_any(i) && gate(i).circuit().take_trial(now)) {
      return i;
    }
  }
  auto next = turns_.next([&](std::size_t i) { return takes_any(i) && gate(i).takes_work(now); });
  if (!next) {
    next = turns_.next([&](std::size_t i) { return takes_any(i) && !gate(i).failed(); });
  }
  return next.value_or(last_resort);
}

bool EngineCore::Feeder::flush() {
  if (gathered_ == 0) {
    return false;
  }
  gathered_ = 0;
  if (!uncharged_.empty()) {
    charge_all();
  }
  for (const auto& lane : lanes_) {
    if (!lane->batch.empty()) {
      lane->producer.push(lane->batch);
      lane->batch.clear();
    }
  }
  return true;
}

void EngineCore::Feeder::give_back_empty() {
  if (at_hand_ != nullptr) {
    empty_.push_back(std::exchange(at_hand_, nullptr));
  }
  if (empty_.empty()) {
    return;
  }
  std::vector<Delivery*> deliveries;
  for (Consignment* const consignment : empty_) {
    deliveries.push_back(&consignment->first);
  }
  core_.pool_.give_back(deliveries);
  empty_.clear();
}

bool EngineCore::Feeder::close() {
  const bool pushed = flush();
  give_back_empty();
  return pushed;
}

}  // namespace ringpost::engine
