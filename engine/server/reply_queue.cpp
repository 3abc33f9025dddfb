// The problem: replies leave in order, and yet some leave later than others, some are not known yet
// while others stand behind them, and a fault slows down single octets. The idea: one text with
// offsets into it: marks say until where it may leave and when, gaps say where it has to stop. What
// may leave is then one piece, for one send. Limits: filling a gap moves the text behind it, and
// text that has left is cut off only when 64 KiB of it have come together, or nothing is left.
#include "engine/server/reply_queue.h"

#include <algorithm>
#include <utility>

namespace ringpost::server {

namespace {

constexpr std::size_t reply_text_bytes_kept_max = 16u << 10;
constexpr std::size_t compact_behind_bytes = 64u << 10;

}  // namespace

void ReplyQueue::mark(Instant due) {
  for (const SlowPart& part : std::exchange(slow_parts_, {})) {
    mark_until(part.begin, due);
    due += part.delay;
    if (part.octet_time > Duration::zero()) {
      for (std::size_t end = part.begin + 1; end < part.end; ++end) {
        mark_until(end, due);
        due += part.octet_time;
      }
    }
    mark_until(part.end, due);
  }
  mark_until(text_.size(), due);
}

void ReplyQueue::mark_until(std::size_t end, Instant due) {
  if (end <= marked_end()) {
    return;
  }
  if (first_mark_ < marks_.size() && marks_.back().due >= due) {
    marks_.back().end = end;
  } else {
    marks_.push_back({due, end});
  }
}

std::size_t ReplyQueue::marked_end() const {
  return first_mark_ < marks_.size() ? marks_.back().end : begin_;
}

// What stands there is marked, or in front of a gap.
bool ReplyQueue::is_fixed(std::size_t offset) const {
  const std::size_t at = begin_ + offset;
  return offset > size() || at < marked_end() || (!gaps_.empty() && at < gaps_.back().at);
}

// All offsets behind it move. A mark that ends at the gap is of what stands in front of it.
void ReplyQueue::fill(std::uint64_t key, Bytes text) {
  const auto gap =
      std::find_if(gaps_.begin(), gaps_.end(), [key](const Gap& one) { return one.key == key; });
  if (gap == gaps_.end()) {
    return;
  }
  const std::size_t at = gap->at;
  text_.insert(at, text);
  for (auto later = gaps_.erase(gap); later != gaps_.end(); ++later) {
    later->at += text.size();
  }
  for (std::size_t i = first_mark_; i < marks_.size(); ++i) {
    marks_[i].end += marks_[i].end > at ? text.size() : 0;
  }
  for (SlowPart& part : slow_parts_) {
    const bool is_behind = part.begin >= at;
    part.begin += is_behind ? text.size() : 0;
    part.end += is_behind ? text.size() : 0;
  }
}

void ReplyQueue::insert(std::size_t offset, Bytes text) {
  RP_ASSERT(!is_fixed(offset));
  text_.insert(begin_ + offset, text);
}

void ReplyQueue::cut(std::size_t offset) {
  RP_ASSERT(!is_fixed(offset));
  text_.resize(begin_ + offset);
}

void ReplyQueue::slow_down(std::size_t offset, Duration delay, Duration octet_time) {
  RP_ASSERT(!is_fixed(offset));
  slow_parts_.push_back({begin_ + offset, text_.size(), delay, octet_time});
}

Bytes ReplyQueue::due(Instant now) const {
  std::size_t end = begin_;
  for (std::size_t i = first_mark_; i < marks_.size() && marks_[i].due <= now; ++i) {
    end = marks_[i].end;
  }
  if (!gaps_.empty()) {
    end = std::min(end, gaps_.front().at);
  }
  return Bytes(text_).substr(begin_, end - begin_);
}

void ReplyQueue::consume(std::size_t count) {
  RP_ASSERT(count <= size() && (gaps_.empty() || begin_ + count <= gaps_.front().at));
  begin_ += count;
  while (first_mark_ < marks_.size() && marks_[first_mark_].end <= begin_) {
    ++first_mark_;
  }
  if (empty()) {
    clear();
  } else if (begin_ >= compact_behind_bytes) {
    text_.erase(0, begin_);
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(first_mark_));
    for (Mark& mark : marks_) {
      mark.end -= begin_;
    }
    for (Gap& gap : gaps_) {
      gap.at -= begin_;
    }
    for (SlowPart& part : slow_parts_) {
      part.begin -= begin_;
      part.end -= begin_;
    }
    first_mark_ = 0;
    begin_ = 0;
  }
}

void ReplyQueue::clear() {
  text_.clear();
  if (text_.capacity() > reply_text_bytes_kept_max) {
    text_.shrink_to_fit();
  }
  marks_.clear();
  slow_parts_.clear();
  gaps_.clear();
  begin_ = 0;
  first_mark_ = 0;
}

}  // namespace ringpost::server
