// What came in the last stretch of a length, exactly: each moment is kept until it is older.
//
// Written apart from the engine's own counting, which it judges. 24 octets a moment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include <ringpost/base.h>

namespace ringpost::sink {

class SlidingLog {
 public:
  explicit SlidingLog(Duration length) : length_(length) {}

  // Those of (now - length, now]; asked with an earlier time, those of the latest.
  [[nodiscard]] std::uint64_t sum(Instant now) {
    forget(now);
    return sum_;
  }
  // One that lies back a little is put where it belongs.
  void add(Instant when, std::uint64_t amount) {
    forget(when);
    if (now_ - when >= length_) {
      return;
    }
    const auto behind =
        std::upper_bound(moments_.begin(), moments_.end(), when,
                         [](Instant time, const Moment& moment) { return time < moment.time; });
    moments_.insert(behind, {when, amount});
    sum_ += amount;
  }
  // What it has goes on counting in stretches of another length.
  void resize(Duration length) { length_ = length; }

 private:
  struct Moment {
    Instant time;
    std::uint64_t amount;
  };

  void forget(Instant now) {
    now_ = std::max(now, now_);
    while (!moments_.empty() && now_ - moments_.front().time >= length_) {
      sum_ -= moments_.front().amount;
      moments_.pop_front();
    }
  }

  Duration length_;
  Instant now_ = Instant::min();
  std::deque<Moment> moments_;
  std::uint64_t sum_ = 0;
};

}  // namespace ringpost::sink
