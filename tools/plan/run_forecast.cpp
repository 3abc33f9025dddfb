// The problem: several limits of several lengths and sessions that end and open anew make no
// formula. The idea: the very Quota that a run asks, told a time that jumps to the next moment at
// which anything can change: a reply, or a unit that is free. Limits: a reply always takes the same
// time, processor, line and disk none; refusals, retries and what a server is learnt to take are
// not foreseen, so that what comes out is the least that the run takes.
#include "tools/plan/run_forecast.h"

#include <algorithm>

namespace ringpost::cli {

namespace {

// The session in whose place another opens has said QUIT, and waits for the answer.
constexpr std::int64_t quit_replies = 1;
// Waiting that is shorter in all tells of nothing that binds.
constexpr double share_told_min = 0.05;

std::uint64_t units_in(const engine::QuotaAmounts& amounts, QuotaUnit unit) {
  switch (unit) {
    case QuotaUnit::messages:
      return amounts.messages;
    case QuotaUnit::recipients:
      return amounts.recipients;
    case QuotaUnit::octets:
      return amounts.octets;
  }
  RP_ASSERT(false);
}

double forecast_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string_view name_of(ForecastWay way) {
  constexpr std::string_view names[] = {"lock-step", "command groups", "DATA groups",
                                        "BDAT flights"};
  return names[static_cast<std::size_t>(way)];
}

std::string_view name_of(ForecastBound bound) {
  constexpr std::string_view names[] = {"nothing", "rate", "connections"};
  return names[static_cast<std::size_t>(bound)];
}

RunForecast::RunForecast(const ForecastOptions& options, queue::QuotaMemory& memory)
    : options_(options),
      quota_(options.rates, memory),
      slots_(std::size_t{std::max(options.sessions, 1u)} *
             (options.way == ForecastWay::flights ? std::max(options.flight_messages, 1u) : 1u)),
      now_(options.start),
      last_reply_(options.start) {
  for (const QuotaLimit& limit : options.rates) {
    result_.uses.push_back({limit, quota_.used(limit, options.start), 0});
  }
  // One session tries the endpoint, the others open behind it.
  const Duration opening = options.reply_time * options.opening_replies;
  const std::size_t first = slots_.size() / std::max(options.sessions, 1u);
  for (std::size_t index = 0; index < slots_.size(); ++index) {
    slots_[index].free_at = options.start + (index < first ? opening : 2 * opening);
    busy_.push_back(index);
  }
  const auto later = [this](std::size_t one, std::size_t other) {
    return slots_[one].free_at > slots_[other].free_at;
  };
  std::make_heap(busy_.begin(), busy_.end(), later);
}

void RunForecast::add(const engine::QuotaAmounts& amounts) {
  ++result_.transactions;
  for (ForecastUse& use : result_.uses) {
    use.units += units_in(amounts, use.limit.unit);
  }
  for (;;) {
    free_slots();
    if (idle_.empty()) {
      const Instant next = slots_[busy_.front()].free_at;
      waited_for_slot_ += next - now_;
      now_ = next;
      continue;
    }
    const engine::QuotaAnswer answer = quota_.take(amounts, now_);
    if (answer.is_taken) {
      begin(now_, amounts, answer.ticket);
      return;
    }
    // An answer in between makes a unit free at another moment than it seems, and is taken note of
    // on the way; asking costs more than that, and waits until then.
    const Instant next = std::max(answer.next, now_ + Duration(1));
    waited_for_rate_ += next - now_;
    now_ = next;
  }
}

ForecastResult RunForecast::result() const {
  ForecastResult result = result_;
  result.duration = last_reply_ - options_.start;
  const Duration longer = std::max(waited_for_rate_, waited_for_slot_);
  result.bound_share =
      result.duration > Duration::zero()
          ? std::min(1.0, forecast_seconds(longer) / forecast_seconds(result.duration))
          : 0;
  if (result.bound_share >= share_told_min) {
    result.bound =
        waited_for_rate_ > waited_for_slot_ ? ForecastBound::rate : ForecastBound::connections;
  }
  if (result.bound == ForecastBound::rate) {
    result.binding = binding_limit();
  }
  return result;
}

// The first message of a session has no other in front of it to go along with.
Duration RunForecast::hold_of(const engine::QuotaAmounts& amounts, bool is_first) const {
  switch (options_.way) {
    case ForecastWay::lock_step:
      return options_.reply_time * static_cast<std::int64_t>(3 + amounts.recipients);
    case ForecastWay::within:
      return options_.reply_time * 2;
    case ForecastWay::across:
    case ForecastWay::flights:
      return options_.reply_time * (is_first ? 2 : 1);
  }
  RP_ASSERT(false);
}

// Those whose replies have come by now.
void RunForecast::free_slots() {
  const auto later = [this](std::size_t one, std::size_t other) {
    return slots_[one].free_at > slots_[other].free_at;
  };
  while (!busy_.empty() && slots_[busy_.front()].free_at <= now_) {
    std::pop_heap(busy_.begin(), busy_.end(), later);
    const std::size_t index = busy_.back();
    Slot& slot = slots_[index];
    const bool ends = slot.is_waiting && options_.session_messages_max > 0 &&
                      slot.messages >= options_.session_messages_max;
    if (slot.is_waiting) {
      quota_.answered(slot.ticket, slot.free_at, slot.messages > 1);
      slot.is_waiting = false;
    }
    if (ends) {
      slot.messages = 0;
    }
    if (ends && !options_.has_successors) {
      slot.free_at += options_.reply_time * (quit_replies + options_.opening_replies);
      std::push_heap(busy_.begin(), busy_.end(), later);
      continue;
    }
    busy_.pop_back();
    idle_.push_back(index);
  }
}

void RunForecast::begin(Instant at, const engine::QuotaAmounts& amounts,
                        const engine::QuotaTicket& ticket) {
  const std::size_t index = idle_.back();
  idle_.pop_back();
  Slot& slot = slots_[index];
  slot.free_at = at + hold_of(amounts, slot.messages == 0);
  slot.messages += options_.way == ForecastWay::flights ? options_.flight_messages : 1;
  slot.is_waiting = true;
  slot.ticket = ticket;
  last_reply_ = std::max(last_reply_, slot.free_at);
  busy_.push_back(index);
  std::push_heap(busy_.begin(), busy_.end(), [this](std::size_t one, std::size_t other) {
    return slots_[one].free_at > slots_[other].free_at;
  });
}

// The one that would take longest by itself.
std::size_t RunForecast::binding_limit() const {
  std::size_t binding = SIZE_MAX;
  double longest = -1;
  for (std::size_t index = 0; index < result_.uses.size(); ++index) {
    const ForecastUse& use = result_.uses[index];
    const double windows = static_cast<double>(use.units + use.used_before) /
                           static_cast<double>(use.limit.window.amount);
    // What fits into one window at once is no wait at all, but for the pace within it.
    const double seconds = windows * forecast_seconds(use.limit.window.length);
    const bool fits = use.limit.period == QuotaPeriod::day && windows <= 1;
    if (!fits && seconds > longest) {
      longest = seconds;
      binding = index;
    }
  }
  return binding;
}

}  // namespace ringpost::cli
