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

void ReplyQueue::insert(std::size_t offset, Bytes text) {
  RP_ASSERT(offset <= size() && begin_ + offset >= marked_end());
  text_.insert(begin_ + offset, text);
}

void ReplyQueue::cut(std::size_t offset) {
  RP_ASSERT(offset <= size() && begin_ + offset >= marked_end());
  text_.resize(begin_ + offset);
}

void ReplyQueue::slow_down(std::size_t offset, Duration delay, Duration octet_time) {
  RP_ASSERT(offset <= size() && begin_ + offset >= marked_end());
  slow_parts_.push_back({begin_ + offset, text_.size(), delay, octet_time});
}

Bytes ReplyQueue::due(Instant now) const {
  std::size_t end = begin_;
  for (std::size_t i = first_mark_; i < marks_.size() && marks_[i].due <= now; ++i) {
    end = marks_[i].end;
  }
  return Bytes(text_).substr(begin_, end - begin_);
}

void ReplyQueue::consume(std::size_t count) {
  RP_ASSERT(count <= size());
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
  begin_ = 0;
  first_mark_ = 0;
}

}  // namespace ringpost::server
