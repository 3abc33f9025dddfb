// The problem: a limit that nobody has told must be found and followed by all workers together,
// and an endpoint that has none must not pay for that. The idea: Quota counts and RateControl says
// how much; between them stands one lock, which is taken where a limit is looked for from the
// start, was learnt, or has made itself felt. Whoever is refused in the middle of a run without a
// limit knows nothing of the second before: the server is left alone for as long, and the search
// begins from below. Limits: processes that search at the same time count together, but each reads
// its own share off.
#include "engine/endpoint_rate.h"

#include <algorithm>

namespace ringpost::engine {

namespace {

// A limit of hours or of a day says nothing of what goes in a second.
constexpr Duration followed_length_max = std::chrono::minutes(1);
// As long as the windows that are looked for, and the answers of what is under way.
constexpr Duration pause_before_search = std::chrono::milliseconds(1250);

// The shortest, which sets the pace.
std::optional<QuotaLimit> shortest_limit(const std::vector<QuotaLimit>& limits) {
  std::optional<QuotaLimit> shortest;
  for (const QuotaLimit& limit : limits) {
    const bool is_followed =
        limit.unit != QuotaUnit::octets && limit.window.length <= followed_length_max;
    if (is_followed && (!shortest || limit.window.length < shortest->window.length)) {
      shortest = limit;
    }
  }
  return shortest;
}

QuotaUnit unit_of(const EndpointOptions& options, const std::optional<QuotaLimit>& configured) {
  return configured ? configured->unit : options.unknown_rate.value_or(QuotaUnit::messages);
}

std::optional<RateWindow> learnt_rate(const queue::LearntLimits& learnt, QuotaUnit unit) {
  const bool is_there = learnt.rate_amount > 0 && learnt.rate_length_ns > 0 &&
                        learnt.rate_unit == static_cast<std::uint64_t>(unit);
  return is_there ? std::optional(RateWindow{learnt.rate_amount, Duration(learnt.rate_length_ns)})
                  : std::nullopt;
}

}  // namespace

EndpointRate::EndpointRate(const EndpointOptions& options, queue::QuotaMemory& memory)
    : configured_(shortest_limit(options.rates)),
      unit_(unit_of(options, configured_)),
      memory_(memory),
      quota_(options.rates, memory, unit_),
      follows_(!configured_ && options.unknown_rate) {
  if (configured_) {
    options_.configured = configured_->window;
  } else if (follows_) {
    noted_ = learnt_rate(memory.learnt(), unit_);
    options_.learnt = noted_;
    options_.searches = !noted_;
  }
}

QuotaAnswer EndpointRate::take(const QuotaAmounts& amounts, Instant now) {
  if (!follows_.load(std::memory_order_relaxed)) {
    return quota_.take(amounts, now);
  }
  const std::lock_guard lock(mutex_);
  if (!follows_) {
    return quota_.take(amounts, now);  // another worker has seen that there is no limit
  }
  const Instant allowed_at = ask_control(now);
  const Instant changes_at = control_ ? control_->changes_at() : never;
  if (allowed_at > now) {
    return {.next = std::min(allowed_at, std::max(changes_at, now))};
  }
  QuotaAnswer answer = quota_.take(amounts, now);
  if (!answer.is_taken) {
    answer.next = std::min(answer.next, changes_at);
  } else if (control_) {
    control_->taken(units_of(amounts), now);
  }
  return answer;
}

// When something may be taken, as far as that is the control's matter.
Instant EndpointRate::ask_control(Instant now) {
  if (now < begins_at_) {
    return begins_at_;
  }
  if (!control_) {
    control_ = std::make_unique<RateControl>(options_, now);
  }
  const RateNow rate = control_->rate(now);
  if (rate.window != said_) {
    said_ = rate.window;
    quota_.set_found_rate(said_);
  }
  if (!rate.window && !configured_) {
    // As much as there is: what is not counted costs nothing.
    follows_ = false;
    control_.reset();
  }
  return rate.not_before;
}

bool EndpointRate::answered(const QuotaTicket& ticket, Instant now, const RateAnswer& answer) {
  quota_.answered(ticket, now, answer.in_warm_session);
  if (!follows_.load(std::memory_order_relaxed)) {
    if (answer.too_fast > 0) {
      begin_to_follow(now);
    }
    return false;
  }
  std::optional<RateWindow> found;
  {
    const std::lock_guard lock(mutex_);
    if (!control_) {
      return false;
    }
    tell_control(ticket, now, answer);
    found = control_->found();
    if (!found || found == noted_) {
      return false;
    }
    noted_ = found;
  }
  queue::LearntLimits learnt = memory_.learnt();
  learnt.rate_amount = found->amount;
  learnt.rate_length_ns = found->length.count();
  learnt.rate_unit = static_cast<std::uint64_t>(unit_);
  learnt.learnt_at_unix_ns = 0;  // now
  memory_.set_learnt(learnt);
  return true;
}

void EndpointRate::tell_control(const QuotaTicket& ticket, Instant now, const RateAnswer& answer) {
  refused_since_ = answer.too_fast == 0 ? never : std::min(refused_since_, now);
  const bool counts_recipients = unit_ == QuotaUnit::recipients;
  if (answer.too_fast > 0) {
    control_->slowed_down(counts_recipients ? answer.too_fast : 1, ticket.taken_at, now);
  }
  if (answer.taken > 0 && (counts_recipients || answer.too_fast == 0)) {
    control_->accepted(counts_recipients ? answer.taken : 1, ticket.taken_at, now);
  }
}

void EndpointRate::begin_to_follow(Instant now) {
  const std::lock_guard lock(mutex_);
  if (follows_) {
    return;
  }
  if (!configured_) {
    options_ = {.searches = true};
    begins_at_ = now + pause_before_search;
  }
  refused_since_ = never;
  follows_ = true;
}

Duration EndpointRate::refused_for(Instant now) const {
  const std::lock_guard lock(mutex_);
  return now <= refused_since_ ? Duration::zero() : now - refused_since_;
}

std::optional<RateWindow> EndpointRate::found() const {
  const std::lock_guard lock(mutex_);
  return control_ ? control_->found() : std::nullopt;
}

std::uint64_t EndpointRate::units_of(const QuotaAmounts& amounts) const {
  return unit_ == QuotaUnit::recipients ? amounts.recipients : amounts.messages;
}

}  // namespace ringpost::engine
