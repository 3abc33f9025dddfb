// The problem: a run that is slower than hoped for has one cause out of many, and people turn the
// wrong screws. The idea: each route says at the end of each turn why it could not do more, and the
// time until the next turn counts for that. Limits: what a core computes is not seen here (the
// engine measures the time that its threads have run), and a server that is slow from its first
// reply on looks like a long way to it.
#include "engine/limiting_factor.h"

#include <algorithm>
#include <numeric>

namespace ringpost::engine {

namespace {

std::string_view name_of(LimitingFactor factor) {
  switch (factor) {
    case LimitingFactor::nothing:
      return "nothing";
    case LimitingFactor::input:
      return "input";
    case LimitingFactor::output:
      return "disk";
    case LimitingFactor::rate:
      return "rate";
    case LimitingFactor::connections:
      return "connections";
    case LimitingFactor::replies:
      return "server";
    case LimitingFactor::pause:
      return "pause";
    case LimitingFactor::retries:
      return "retries";
    case LimitingFactor::away:
      return "away";
  }
  return "";
}

// By how much more than the way there and back transactions take, where the server is quick.
bool is_quick(const std::vector<const RouteStats*>& of) {
  constexpr std::uint64_t tenths_max = 15;
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t least = 0;
  for (const RouteStats* const stats : of) {
    const std::uint64_t one = stats->transaction_ns_min.get();
    least = least == 0 || (one != 0 && one < least) ? one : least;
    count += stats->transactions.get();
    sum += stats->transaction_ns.get();
  }
  return count > 0 && sum / count * 10 <= least * tenths_max;
}

}  // namespace

void RouteStats::note_transaction(Duration taken) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(1, taken.count()));
  transactions.add(1);
  transaction_ns.add(ns);
  if (const std::uint64_t least = transaction_ns_min.get(); least == 0 || ns < least) {
    transaction_ns_min.set(ns);
  }
}

EndpointCounts endpoint_counts(const std::vector<const RouteStats*>& of, Instant now) {
  EndpointCounts counts;
  TimeSum reply_times;
  TimeSum opening_times;
  std::uint64_t next_ns = 0;
  for (const RouteStats* const stats : of) {
    counts.transactions += stats->transactions.get();
    counts.sessions += stats->sessions.get();
    counts.sessions_opened += stats->sessions_opened.get();
    counts.sessions_ready += stats->sessions_ready.get();
    counts.sessions_resumed += stats->sessions_resumed.get();
    counts.waiting += stats->waiting.get();
    reply_times.add(stats->reply_times);
    opening_times.add(stats->opening_times);
    const std::uint64_t ns = stats->next_attempt_at_ns.get();
    next_ns = next_ns == 0 || (ns != 0 && ns < next_ns) ? ns : next_ns;
  }
  counts.reply_times = reply_times.spread();
  counts.opening_times = opening_times.spread();
  if (counts.waiting > 0 && next_ns != 0) {
    const Instant due{std::chrono::nanoseconds(next_ns)};
    counts.next_attempt_in = std::max(due - now, Duration::zero());
  }
  return counts;
}

std::vector<FactorShare> limiting_factors(const std::vector<const RouteStats*>& of) {
  std::array<std::uint64_t, limiting_factor_count> ns{};
  for (const RouteStats* const stats : of) {
    for (std::size_t i = 1; i < limiting_factor_count; ++i) {
      ns[i] += stats->held_ns[i].get();
    }
  }
  const std::uint64_t total = std::accumulate(ns.begin(), ns.end(), std::uint64_t{0});
  std::vector<FactorShare> shares;
  for (std::size_t i = 1; i < limiting_factor_count; ++i) {
    const auto factor = static_cast<LimitingFactor>(i);
    const bool is_way = factor == LimitingFactor::replies && is_quick(of);
    if (ns[i] > 0) {
      shares.push_back({is_way ? "round trips" : name_of(factor),
                        static_cast<double>(ns[i]) / static_cast<double>(total)});
    }
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const FactorShare& a, const FactorShare& b) { return a.share > b.share; });
  return shares;
}

}  // namespace ringpost::engine
