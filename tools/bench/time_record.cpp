// The problem: a mean hides what people ask a benchmark for, and a sample of the slowest is gone
// when it is wanted; workers count on their threads while somebody else looks. The idea:
// HdrHistogram's interval recorders, which hand over what was counted without stopping who counts,
// summed up here and written to a log in the format that other tools read. Limits: 190 KB a
// histogram, three for each series; longer than an hour counts as an hour.
#include "tools/bench/time_record.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <hdr/hdr_histogram.h>
#include <hdr/hdr_histogram_log.h>
#include <hdr/hdr_interval_recorder.h>
#include <utility>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

constexpr std::int64_t longest_us = 3'600'000'000;
constexpr int digits = 3;

constexpr std::int64_t us_per_second = 1'000'000;

hdr_timespec timespec_of(std::int64_t us) {
  hdr_timespec time{};
  time.tv_sec = static_cast<std::time_t>(us / us_per_second);
  time.tv_nsec = static_cast<long>(us % us_per_second * 1000);
  return time;
}

constexpr const char* log_prefix = "ringpost bench: microseconds";

// Of a file that is there and has content.
bool holds_something_else(const std::string& path) {
  const std::string begin = fmt::format("#[{}]", log_prefix);
  std::ifstream file(path, std::ios::binary);
  std::string found(begin.size(), '\0');
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  found.resize(static_cast<std::size_t>(file.gcount()));
  return !found.empty() && found != begin;
}

bool opens_session(Series series) { return series >= Series::connect && series <= Series::auth; }

TimeSummary summary_of(const hdr_histogram* histogram) {
  TimeSummary summary;
  summary.count = static_cast<std::uint64_t>(histogram->total_count);
  if (summary.count == 0) {
    return summary;
  }
  summary.min = hdr_min(histogram);
  summary.mean = hdr_mean(histogram);
  summary.max = hdr_max(histogram);
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    summary.at[i] = hdr_value_at_percentile(histogram, percentiles[i].percent);
  }
  return summary;
}

}  // namespace

struct HistogramLog::State {
  std::FILE* file = nullptr;
  std::string path;
  std::int64_t began_at_us = 0;
  hdr_log_writer writer{};
  bool has_failed = false;
};

HistogramLog::HistogramLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

HistogramLog::~HistogramLog() {
  if (state_->file != nullptr) {
    static_cast<void>(std::fclose(state_->file));
  }
}

Result<std::unique_ptr<HistogramLog>, std::string> HistogramLog::open(const std::string& path,
                                                                      std::int64_t began_at_us) {
  if (holds_something_else(path)) {
    return Failure(
        fmt::format("--hdr: {} holds something else than such a log, and is left as it "
                    "is: name another file",
                    path));
  }
  auto state = std::make_unique<State>();
  state->path = path;
  state->began_at_us = began_at_us;
  state->file = std::fopen(path.c_str(), "we");
  if (state->file == nullptr) {
    return Failure(fmt::format("--hdr: {}: {}", path, std::strerror(errno)));
  }
  hdr_log_writer_init(&state->writer);
  hdr_timespec began_at = timespec_of(began_at_us);
  state->has_failed = hdr_log_write_header(&state->writer, state->file, log_prefix, &began_at) != 0;
  return std::unique_ptr<HistogramLog>(new HistogramLog(std::move(state)));
}

Result<void, std::string> HistogramLog::close() {
  std::FILE* const file = std::exchange(state_->file, nullptr);
  const bool is_written = std::ferror(file) == 0 && !state_->has_failed;
  if (std::fclose(file) != 0 || !is_written) {
    return Failure(
        fmt::format("--hdr: {} could not be written: {}", state_->path, std::strerror(errno)));
  }
  return {};
}

struct TimeRecord::State {
  struct Recorded {
    hdr_interval_recorder recorder{};
    hdr_histogram* sampled = nullptr;  // of the last interval, to be used again
    hdr_histogram* sum = nullptr;
  };

  HistogramLog* log = nullptr;
  std::string tag;
  std::int64_t collected_at_us = 0;
  std::array<Recorded, series_names.size()> series;

  void write(std::size_t index, std::int64_t now_us);
};

TimeRecord::TimeRecord(HistogramLog* log, std::string tag) : state_(std::make_unique<State>()) {
  state_->log = log;
  state_->tag = std::move(tag);
  for (State::Recorded& each : state_->series) {
    const bool is_there =
        hdr_interval_recorder_init_all(&each.recorder, 1, longest_us, digits) == 0 &&
        hdr_init(1, longest_us, digits, &each.sum) == 0;
    RP_ASSERT(is_there);
  }
}

TimeRecord::~TimeRecord() {
  for (State::Recorded& each : state_->series) {
    hdr_interval_recorder_destroy(&each.recorder);
    hdr_close(each.sum);
    if (each.sampled != nullptr) {
      hdr_close(each.sampled);
    }
  }
}

void TimeRecord::note(Series series, Duration taken) {
  if (!is_measuring_.load(std::memory_order_relaxed) && !opens_session(series)) {
    return;
  }
  const std::int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
  hdr_interval_recorder_record_value_atomic(
      &state_->series[static_cast<std::size_t>(series)].recorder,
      std::clamp<std::int64_t>(us, 0, longest_us));
}

void TimeRecord::collect(std::int64_t now_us) {
  for (std::size_t i = 0; i < series_names.size(); ++i) {
    State::Recorded& each = state_->series[i];
    each.sampled = hdr_interval_recorder_sample_and_recycle(&each.recorder, each.sampled);
    hdr_add(each.sum, each.sampled);
    if (state_->log != nullptr && each.sampled->total_count > 0) {
      state_->write(i, now_us);
    }
  }
  state_->collected_at_us = now_us;
}

void TimeRecord::State::write(std::size_t index, std::int64_t now_us) {
  HistogramLog::State& out = *log->state_;
  std::string name = tag + std::string(series_names[index]);
  const std::int64_t since = std::max(collected_at_us, out.began_at_us);
  hdr_log_entry entry{};
  entry.start_timestamp = timespec_of(since - out.began_at_us);
  entry.interval = timespec_of(std::max<std::int64_t>(now_us - since, 0));
  entry.tag = name.data();
  entry.tag_len = name.size();
  const int error = hdr_log_write_entry(&out.writer, out.file, &entry, series[index].sampled);
  out.has_failed = out.has_failed || error != 0;
}

std::array<TimeSummary, series_names.size()> TimeRecord::summaries() const {
  std::array<TimeSummary, series_names.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = summary_of(state_->series[i].sum);
  }
  return all;
}

}  // namespace ringpost::cli
