// So many units in any stretch of time of one length, and never more.
#pragma once

#include <cstdint>

#include "queue/quota_log.h"
#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::engine {

// Where units were written, for whoever hears later when the server had them.
struct QuotaPlace {
  std::uint32_t stamp = 0;
  std::uint16_t group = UINT16_MAX;  // none
};

// A sliding log over memory that somebody else owns and locks. Several windows with other limits
// may work on one log, one after the other: what stands there are times, which no limit changes.
// Told the time, which may go back a little between threads.
class QuotaWindow {
 public:
  QuotaWindow(queue::QuotaLog& log, RateWindow limit) : log_(log), limit_(limit) {}

  // When so many units may be taken, at the earliest; `now` if they may be taken now. More units
  // than the limit has count as all of it. Changes nothing. `shortest_reply`: see answered(); zero
  // while nothing was answered yet.
  [[nodiscard]] Instant free_at(std::uint64_t units, Instant now, Duration shortest_reply) const;
  // Behind a free_at() that said `now`.
  QuotaPlace take(std::uint64_t units, Instant now, Duration shortest_reply);
  // The server has counted the units at this moment at the latest: their answer's moment less the
  // shortest time that any answer took. From an old place nothing but the time is taken.
  void answered(QuotaPlace place, Instant counted_by);
  // The units never left.
  void give_back(QuotaPlace place, std::uint64_t units);

  // What stands in the window now.
  [[nodiscard]] std::uint64_t used(Instant now) const;

  // The moment that an even pace gives to the next unit, with all that was missed made up for at
  // twice the pace; and the units that were taken now, entered there.
  [[nodiscard]] Instant even_at() const;
  void take_evenly(std::uint64_t units, Instant now);
  // The limit is another one than before: what is due next was so at the pace of that one.
  void change_pace(RateWindow before);

 private:
  [[nodiscard]] Duration free_after() const;
  [[nodiscard]] std::uint64_t group_units() const;
  [[nodiscard]] Duration pause_of(std::uint64_t units) const;
  [[nodiscard]] Instant free_at(const queue::QuotaGroup& group, Instant now,
                                Duration shortest_reply) const;
  [[nodiscard]] Instant free_at_many(std::uint64_t needed, Instant now,
                                     Duration shortest_reply) const;
  void release(Instant now, Duration shortest_reply);
  [[nodiscard]] std::size_t free_group() const;

  queue::QuotaLog& log_;
  RateWindow limit_;
};

}  // namespace ringpost::engine
