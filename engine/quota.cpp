// The problem: an account has limits of several lengths for several things at once, which all
// workers and perhaps several processes use up together. The idea: one log each, in one memory
// under one lock; a transaction is written into all of them or into none. The pace is that of the
// shortest limit, so that an hour's worth does not leave in its first minute. Limits: nobody
// queues, so those who ask at the same time have no turns.
#include "engine/quota.h"

#include <algorithm>
#include <mutex>

namespace ringpost::engine {

namespace {

constexpr Duration shortest_reply_age = std::chrono::seconds(5);
// A day's limit alone is there for those who send little: nobody wants a minute between two
// messages because there may be 1440 of them.
constexpr Duration paced_length_max = std::chrono::hours(1);
// A message may go so much before its turn: a rate of many thousands would wake a worker for each.
// The log bounds what a window gets, whatever the pace. Not where a rate is being found out: what
// is read off a second of it is right as far as that second was even.
constexpr Duration pace_slack = std::chrono::milliseconds(1);

std::uint64_t units_of(QuotaUnit unit, const QuotaAmounts& amounts) {
  switch (unit) {
    case QuotaUnit::messages:
      return amounts.messages;
    case QuotaUnit::recipients:
      return amounts.recipients;
    case QuotaUnit::octets:
      return amounts.octets;
  }
  return 0;
}

}  // namespace

void ShortestReply::note(Duration reply, Instant now) {
  if (begun_ == Instant::min() || now - begun_ > shortest_reply_age) {
    previous_ = begun_ == Instant::min() || now - begun_ > 2 * shortest_reply_age ? Duration::max()
                                                                                  : current_;
    current_ = Duration::max();
    begun_ = now;
  }
  current_ = std::min(current_, reply);
}

Duration ShortestReply::get() const {
  const Duration shortest = std::min(current_, previous_);
  return shortest == Duration::max() ? Duration::zero() : shortest;
}

Quota::Quota(const std::vector<QuotaLimit>& limits, queue::QuotaMemory& memory,
             QuotaUnit found_rate_unit)
    : memory_(memory), counts_(!limits.empty()) {
  for (const QuotaLimit& limit : limits) {
    const std::size_t log = queue::log_index(limit.unit, limit.period);
    std::erase_if(limits_, [log](const Limit& other) { return other.log == log; });
    limits_.push_back({limit, log});
  }
  std::stable_sort(limits_.begin(), limits_.end(), [](const Limit& one, const Limit& other) {
    return one.limit.window.length < other.limit.window.length;
  });
  found_rate_ = {{.unit = found_rate_unit}, queue::found_rate_log};
}

QuotaAnswer Quota::take(const QuotaAmounts& amounts, Instant now) {
  QuotaAnswer answer{.is_taken = true, .ticket = {.taken_at = now, .amounts = amounts}};
  if (unlimited()) {
    return answer;
  }
  const std::lock_guard lock(memory_);
  Instant next = now;
  for_each([&](const Limit& limit) { next = std::max(next, free_at(limit, amounts, now)); });
  const Limit* const pace = paced();
  if (pace != nullptr) {
    const Duration slack = pace == &found_rate_ ? Duration::zero() : pace_slack;
    next = std::max(next, window_of(*pace).even_at() - slack);
  }
  if (next > now) {
    return {.next = next};
  }
  for_each([&](const Limit& limit) {
    const std::uint64_t units = units_of(limit.limit.unit, amounts);
    if (units > 0) {
      answer.ticket.places[limit.log] = window_of(limit).take(units, now, shortest_reply_.get());
    }
  });
  if (pace != nullptr) {
    window_of(*pace).take_evenly(units_of(pace->limit.unit, amounts), now);
  }
  return answer;
}

// The first message of a session takes round trips that later ones do without, and one that goes
// behind others waits for them. Until another one is answered nothing is known, and each counts
// from when its answer came: too late, so never too much.
void Quota::answered(const QuotaTicket& ticket, Instant now, bool in_warm_session) {
  if (unlimited()) {
    return;
  }
  const std::lock_guard lock(memory_);
  if (in_warm_session) {
    shortest_reply_.note(now - ticket.taken_at, now);
  }
  const Instant counted_by = std::max(ticket.taken_at, now - shortest_reply_.get());
  for_each(
      [&](const Limit& limit) { window_of(limit).answered(ticket.places[limit.log], counted_by); });
}

void Quota::give_back(const QuotaTicket& ticket) {
  if (unlimited()) {
    return;
  }
  const std::lock_guard lock(memory_);
  for_each([&](const Limit& limit) {
    window_of(limit).give_back(ticket.places[limit.log],
                               units_of(limit.limit.unit, ticket.amounts));
  });
}

void Quota::set_found_rate(std::optional<RateWindow> rate) {
  const std::lock_guard lock(memory_);
  const RateWindow before = found_rate_.limit.window;
  const bool had_one = has_found_rate_;
  has_found_rate_ = rate.has_value();
  found_rate_.limit.window = rate.value_or(RateWindow());
  if (had_one && has_found_rate_) {
    window_of(found_rate_).change_pace(before);
  }
  counts_ = has_found_rate_ || !limits_.empty();
}

std::uint64_t Quota::recipients_max() const {
  std::uint64_t most = UINT64_MAX;
  for (const Limit& limit : limits_) {
    if (limit.limit.unit == QuotaUnit::recipients) {
      most = std::min(most, limit.limit.window.amount);
    }
  }
  return most;
}

std::uint64_t Quota::used(const QuotaLimit& limit, Instant now) {
  const std::lock_guard lock(memory_);
  return QuotaWindow(memory_.log(queue::log_index(limit.unit, limit.period)), limit.window)
      .used(now);
}

QuotaWindow Quota::window_of(const Limit& limit) const {
  return {memory_.log(limit.log), limit.limit.window};
}

Instant Quota::free_at(const Limit& limit, const QuotaAmounts& amounts, Instant now) const {
  const std::uint64_t units = units_of(limit.limit.unit, amounts);
  return units == 0 ? now : window_of(limit).free_at(units, now, shortest_reply_.get());
}

// The rate that was found out, where it is slower than the shortest of the configuration.
const Quota::Limit* Quota::paced() const {
  const Limit* pace = nullptr;
  if (!limits_.empty() && limits_.front().limit.window.length <= paced_length_max) {
    pace = &limits_.front();
  }
  if (has_found_rate_ && (pace == nullptr || found_rate_.limit.window.per_second() <
                                                 pace->limit.window.per_second())) {
    pace = &found_rate_;
  }
  return pace;
}

template <typename Function>
void Quota::for_each(Function&& function) const {
  for (const Limit& limit : limits_) {
    function(limit);
  }
  if (has_found_rate_) {
    function(found_rate_);
  }
}

}  // namespace ringpost::engine
