// The problem: a log that several processes write, and that a power cut may leave half written, has
// to be known as sound or not without being read as a whole at each change. The idea: the check is
// a sum over all groups, each mixed with its place, so that a change takes the old term out and
// puts the new one in. Limits: it tells damage, not malice.
#include "queue/quota_log.h"

#include <algorithm>

namespace ringpost::queue {

namespace {

constexpr std::uint64_t group_units_max = std::uint64_t{1} << 48;

std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccdull;
  bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return bits ^ (bits >> 33);
}

std::uint64_t check_of(std::size_t index, const QuotaGroup& group) {
  if (group.units == 0) {
    return 0;  // so that octets of zero are a sound log
  }
  return mixed(mixed(static_cast<std::uint64_t>(group.last_ns) + index) + group.units);
}

}  // namespace

void set_group(QuotaLog& log, std::size_t index, std::int64_t last_ns, std::uint64_t units) {
  QuotaGroup& group = log.groups[index];
  log.check -= check_of(index, group);
  log.units -= group.units;
  group.last_ns = last_ns;
  group.units = units;
  log.units += group.units;
  log.check += check_of(index, group);
}

bool is_sound(const QuotaLog& log) {
  QuotaLog sums = log;
  repair(sums);
  return sums.units == log.units && sums.check == log.check && sums.newest == log.newest;
}

void repair(QuotaLog& log) {
  log.units = 0;
  log.check = 0;
  for (std::size_t index = 0; index < log.groups.size(); ++index) {
    log.units += log.groups[index].units;
    log.check += check_of(index, log.groups[index]);
  }
  log.newest = log.newest % quota_groups;
}

void mend(QuotaLog& log, std::int64_t now_ns) {
  for (QuotaGroup& group : log.groups) {
    group.units = std::min(group.units, group_units_max);
  }
  const std::uint64_t told = std::min(log.units, group_units_max);
  repair(log);
  if (told > log.units) {
    const std::uint64_t lost = told - log.units;
    set_group(log, log.newest, now_ns, log.groups[log.newest].units + lost);
  }
}

void move_times(QuotaLog& log, std::int64_t shift_ns, std::int64_t now_ns) {
  const auto moved = [shift_ns, now_ns](std::int64_t time_ns) {
    std::int64_t sum = 0;
    const bool overflows = __builtin_add_overflow(time_ns, shift_ns, &sum);
    return overflows ? now_ns : std::min(sum, now_ns);
  };
  for (std::size_t index = 0; index < log.groups.size(); ++index) {
    if (log.groups[index].units > 0) {
      set_group(log, index, moved(log.groups[index].last_ns), log.groups[index].units);
    }
  }
  log.next_even_ns = moved(log.next_even_ns);
  log.last_ns = moved(log.last_ns);
}

void forget_unanswered(QuotaLog& log) {
  for (QuotaGroup& group : log.groups) {
    group.unanswered = 0;
  }
}

}  // namespace ringpost::queue
