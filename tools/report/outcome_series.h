// Outcomes over time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tools/report/outcome_record.h"
#include "tools/report/time_counts.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

// Lines by their times, in at most `stretches_max` stretches of the same length, however long the
// time between the first and the last: a chart has no room for more. Lines may come in any order.
// Thread: one.
class OutcomeSeries {
 public:
  static constexpr std::size_t stretches_max = 400;

  struct Stretch {
    std::array<std::uint64_t, status_count> counts{};
    TimeCounts submit_times;  // of those accepted
  };

  // One that has no time, or none that can be read, is passed over.
  void add(const OutcomeRecord& record);

  // By the number of the stretch: it begins at number times width, Unix time.
  [[nodiscard]] const std::map<std::int64_t, Stretch>& stretches() const { return stretches_; }
  [[nodiscard]] std::int64_t width_s() const { return width_s_; }

 private:
  void widen();

  std::map<std::int64_t, Stretch> stretches_;
  std::int64_t width_s_ = 1;
};

}  // namespace ringpost::cli
