// The times of a run: counted on any thread, looked at once a second, and written down as a log.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "tools/bench/bench_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// A log of histograms (HdrHistogram's format, one line a second and series, microseconds), which
// HistogramLogAnalyzer and others draw. Several runs may go into one: tags say which.
class HistogramLog {
 public:
  // Makes the file anew, unless something else than such a log of ours stands in it.
  [[nodiscard]] static Result<std::unique_ptr<HistogramLog>, std::string> open(
      const std::string& path, std::int64_t began_at_us);
  ~HistogramLog();
  HistogramLog(const HistogramLog&) = delete;
  HistogramLog& operator=(const HistogramLog&) = delete;

  // The error, if something was not written. The last call.
  [[nodiscard]] Result<void, std::string> close();

 private:
  friend class TimeRecord;
  struct State;
  explicit HistogramLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Three digits of everything from a microsecond to an hour. Thread: note() is any's, the others are
// one's.
class TimeRecord {
 public:
  // `log` may be null; `tag` stands in front of the names of series there.
  TimeRecord(HistogramLog* log, std::string tag);
  ~TimeRecord();
  TimeRecord(const TimeRecord&) = delete;
  TimeRecord& operator=(const TimeRecord&) = delete;

  // From now on all counts; before, what opens a session does.
  void begin_measuring() { is_measuring_.store(true); }
  void note(Series series, Duration taken);
  // Takes what was counted since the last call into the sum, and into the log.
  void collect(std::int64_t now_us);
  [[nodiscard]] std::array<TimeSummary, series_names.size()> summaries() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::atomic<bool> is_measuring_{false};
};

}  // namespace ringpost::cli
