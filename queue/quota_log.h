// What was given to an endpoint within one window of time, as it stands in memory and in a state
// file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ringpost::queue {

// Units that were taken one after the other, with the moment of the last one.
struct QuotaGroup {
  std::int64_t last_ns = 0;  // of the monotonic clock
  std::uint64_t units = 0;   // none: the group is free
  std::uint32_t unanswered = 0;
  std::uint32_t stamp = 0;  // changes whenever the group is used anew
};

// A window has as many groups at most, so that a log of any limit has the same size. Units of one
// group become free together: a limit of more units than that is used up to a 512th less.
inline constexpr std::size_t quota_groups = 512;

// Plain octets, as they stand in a file that several processes share. Every change goes through the
// functions below, which keep the sums.
struct QuotaLog {
  std::uint64_t units = 0;        // of all groups
  std::uint64_t check = 0;        // over all groups, but for what is unanswered
  std::int64_t next_even_ns = 0;  // when the next unit is due at an even pace
  std::int64_t last_ns = 0;       // the last one that was taken
  std::uint32_t newest = 0;       // the group that takes further units
  std::uint32_t stamps = 0;
  std::array<QuotaGroup, quota_groups> groups{};
};
static_assert(std::is_trivially_copyable_v<QuotaLog>);

// Gives the group other contents. Zero units: it is free.
void set_group(QuotaLog& log, std::size_t index, std::int64_t last_ns, std::uint64_t units);

// Whether the sums are those of the groups.
[[nodiscard]] bool is_sound(const QuotaLog& log);
// Makes the sums those of the groups: for a log whose writer died between two stores. Each store
// is whole, so what stands in the groups is what was before it, or behind it.
void repair(QuotaLog& log);
// The same for a log that anything may have happened to. Never makes room: units that the sums tell
// of and no group has count as taken at `now_ns`, and no group has more than may be added up.
void mend(QuotaLog& log, std::int64_t now_ns);

// The log as it is for another monotonic clock: all times are moved by `shift_ns`, and what would
// be in the future then, or overflow, is now.
void move_times(QuotaLog& log, std::int64_t shift_ns, std::int64_t now_ns);
// Nobody waits for an answer any more.
void forget_unanswered(QuotaLog& log);

}  // namespace ringpost::queue
