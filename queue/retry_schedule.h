// Jobs that wait for another attempt, by the time at which it is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/base.h"
#include "codec/job.h"

namespace ringpost::queue {

// The pause in front of attempt `attempts_made + 1`: `first`, four times as long each time, at most
// limits::retry_pause_max, and up to a quarter more or less by chance, so that messages that were
// put off together do not come back together. The chance is in `salt`: the same message always
// waits equally long. Precondition: attempts_made > 0.
[[nodiscard]] Duration retry_pause(Duration first, std::uint32_t attempts_made,
                                   std::string_view salt);

// Thread: its worker's. Bounded by whoever adds: a job in here is one of the JobPool's.
class RetrySchedule {
 public:
  void add(Job& job, Instant due);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  // `never` when it is empty.
  [[nodiscard]] Instant next_due() const;
  // A job that is due by `now`, taken out; null when there is none. `never` takes them all.
  [[nodiscard]] Job* take_due(Instant now);

 private:
  struct Waiting {
    Instant due;
    Job* job;
  };

  std::vector<Waiting> waiting_;  // a heap: the earliest in front
};

}  // namespace ringpost::queue
