// The problem: providers count in sliding windows, and a bucket of tokens with any depth gives more
// than the limit in the window behind a pause. The server counts when the message arrives, which we
// do not see. The idea: the log of what was taken is the limit itself; a unit is free again when it
// has left the window. When its answer has come, it was counted at the answer's moment less the
// shortest time that an answer took, at the latest: a unit that was late on its way there is moved
// to that moment, and the next one in its place cannot arrive within the window, however much
// answers differ. Until its answer has come a unit keeps its place, for some seconds. Limits: units
// of one group become free together; a server that changes how long it thinks before it counts by
// more than the guard may see one unit too many.
#include "engine/quota_window.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ringpost::engine {

namespace {

using queue::quota_groups;
using queue::QuotaGroup;

// Two clocks that are slewed against each other differ by a two-thousandth at most.
constexpr int guard_share = 500;
constexpr Duration guard_max = std::chrono::milliseconds(20);
// A message whose answer is not there by then may be with the server for minutes, and one whose
// process was killed is answered never.
constexpr Duration unanswered_hold = std::chrono::seconds(10);
// How often somebody who waits for an unanswered unit looks again: answers of other processes wake
// nobody here.
constexpr Duration look_again_min = std::chrono::milliseconds(1);
constexpr Duration look_again_max = std::chrono::milliseconds(50);

std::int64_t nanoseconds_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ns) { return Instant(Duration(ns)); }

}  // namespace

Instant QuotaWindow::free_at(std::uint64_t units, Instant now, Duration shortest_reply) const {
  const std::uint64_t wanted = std::min(units, limit_.amount);
  if (log_.units + wanted <= limit_.amount) {
    return now;
  }
  const std::uint64_t needed = log_.units + wanted - limit_.amount;
  std::uint64_t free_now = 0;
  Instant first = never;
  std::uint64_t first_units = 0;
  for (const QuotaGroup& group : log_.groups) {
    if (group.units == 0) {
      continue;
    }
    const Instant at = free_at(group, now, shortest_reply);
    if (at <= now) {
      free_now += group.units;
    } else if (at < first) {
      first = at;
      first_units = group.units;
    }
  }
  if (free_now >= needed) {
    return now;
  }
  return free_now + first_units >= needed ? first : free_at_many(needed, now, shortest_reply);
}

QuotaPlace QuotaWindow::take(std::uint64_t units, Instant now, Duration shortest_reply) {
  const std::uint64_t wanted = std::min(units, limit_.amount);
  if (log_.units + wanted > limit_.amount || free_group() == quota_groups) {
    release(now, shortest_reply);
  }
  std::size_t index = log_.newest % quota_groups;
  if (log_.groups[index].units == 0 || log_.groups[index].units >= group_units()) {
    const std::size_t other = free_group();
    // None is free where many small groups of a lower limit fill the log: the newest takes more.
    if (other < quota_groups) {
      index = other;
      log_.newest = static_cast<std::uint32_t>(index);
      log_.groups[index].stamp = ++log_.stamps;
      log_.groups[index].unanswered = 0;
      log_.groups[index].last_ns = nanoseconds_of(now);
    }
  }
  QuotaGroup& group = log_.groups[index];
  set_group(log_, index, std::max(group.last_ns, nanoseconds_of(now)), group.units + wanted);
  group.unanswered += 1;
  return {.stamp = group.stamp, .group = static_cast<std::uint16_t>(index)};
}

void QuotaWindow::answered(QuotaPlace place, Instant counted_by) {
  if (place.group >= quota_groups) {
    return;
  }
  QuotaGroup& group = log_.groups[place.group];
  if (group.stamp == place.stamp && group.unanswered > 0) {
    group.unanswered -= 1;
  }
  const std::int64_t counted_ns = nanoseconds_of(counted_by);
  // Where answers take longer than the window is long, the place may have another unit by now,
  // which the server counts together with this one.
  if (group.units > 0 && counted_ns > group.last_ns) {
    set_group(log_, place.group, counted_ns, group.units);
  }
}

void QuotaWindow::give_back(QuotaPlace place, std::uint64_t units) {
  if (place.group >= quota_groups || log_.groups[place.group].stamp != place.stamp) {
    return;
  }
  QuotaGroup& group = log_.groups[place.group];
  group.unanswered -= group.unanswered > 0 ? 1 : 0;
  const std::uint64_t wanted = std::min({units, limit_.amount, group.units});
  set_group(log_, place.group, group.last_ns, group.units - wanted);
}

std::uint64_t QuotaWindow::used(Instant now) const {
  std::uint64_t units = 0;
  for (const QuotaGroup& group : log_.groups) {
    units += instant_of(group.last_ns) + limit_.length > now ? group.units : 0;
  }
  return units;
}

// Even, so that the first minute of a run is like its last, and connections have steady work.
Instant QuotaWindow::even_at() const {
  return std::max(instant_of(log_.next_even_ns), instant_of(log_.last_ns) + pause_of(1) / 2);
}

void QuotaWindow::take_evenly(std::uint64_t units, Instant now) {
  // More than a quarter of a window is not made up for: behind a longer silence the log would give
  // a window's worth in half of its length, and then nothing.
  const Instant earliest = log_.last_ns == 0 ? now : now - limit_.length / 4;
  const Instant due = std::max(instant_of(log_.next_even_ns), earliest);
  log_.next_even_ns = nanoseconds_of(due + pause_of(std::min(units, limit_.amount)));
  log_.last_ns = std::max(log_.last_ns, nanoseconds_of(now));
}

void QuotaWindow::change_pace(RateWindow before) {
  const std::int64_t wait_ns = log_.next_even_ns - log_.last_ns;
  if (wait_ns > 0 && limit_.per_second() > before.per_second()) {
    const double share = before.per_second() / limit_.per_second();
    log_.next_even_ns =
        log_.last_ns + static_cast<std::int64_t>(static_cast<double>(wait_ns) * share);
  }
}

Duration QuotaWindow::free_after() const {
  return limit_.length + std::min(limit_.length / guard_share, guard_max);
}

std::uint64_t QuotaWindow::group_units() const {
  return limit_.amount / quota_groups + (limit_.amount % quota_groups != 0 ? 1 : 0);
}

Duration QuotaWindow::pause_of(std::uint64_t units) const {
  const double share = static_cast<double>(units) / static_cast<double>(limit_.amount);
  return Duration(static_cast<std::int64_t>(static_cast<double>(free_after().count()) * share));
}

Instant QuotaWindow::free_at(const QuotaGroup& group, Instant now, Duration shortest_reply) const {
  const Instant at = instant_of(group.last_ns) + free_after();
  // Where answers take longer than the window is long, waiting for them would be a limit of its
  // own, and the units have left the window when they come.
  const bool waits = group.unanswered > 0 && at <= now && shortest_reply < limit_.length &&
                     now < at + unanswered_hold;
  return waits ? now + std::clamp(limit_.length / 64, look_again_min, look_again_max) : at;
}

Instant QuotaWindow::free_at_many(std::uint64_t needed, Instant now,
                                  Duration shortest_reply) const {
  std::array<std::pair<Instant, std::uint64_t>, quota_groups> moments;
  std::size_t count = 0;
  for (const QuotaGroup& group : log_.groups) {
    if (group.units > 0) {
      moments[count++] = {free_at(group, now, shortest_reply), group.units};
    }
  }
  std::sort(moments.begin(), moments.begin() + static_cast<std::ptrdiff_t>(count));
  std::uint64_t freed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    freed += moments[i].second;
    if (freed >= needed) {
      return moments[i].first;
    }
  }
  return now;
}

void QuotaWindow::release(Instant now, Duration shortest_reply) {
  for (std::size_t index = 0; index < quota_groups; ++index) {
    const QuotaGroup& group = log_.groups[index];
    if (group.units > 0 && free_at(group, now, shortest_reply) <= now) {
      set_group(log_, index, group.last_ns, 0);
    }
  }
}

std::size_t QuotaWindow::free_group() const {
  for (std::size_t step = 1; step <= quota_groups; ++step) {
    const std::size_t index = (log_.newest + step) % quota_groups;
    if (log_.groups[index].units == 0) {
      return index;
    }
  }
  return quota_groups;
}

}  // namespace ringpost::engine
