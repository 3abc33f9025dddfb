#include "tools/sink/reply_queue.h"

#include <algorithm>

namespace ringpost::sink {

namespace {

constexpr std::size_t text_bytes_kept_max = 16u << 10;
constexpr std::size_t compact_behind_bytes = 64u << 10;

}  // namespace

void ReplyQueue::mark(Instant due) {
  const std::size_t marked = first_mark_ < marks_.size() ? marks_.back().end : begin_;
  if (marked == text_.size()) {
    return;
  }
  if (first_mark_ < marks_.size() && marks_.back().due >= due) {
    marks_.back().end = text_.size();
  } else {
    marks_.push_back({due, text_.size()});
  }
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
  if (text_.capacity() > text_bytes_kept_max) {
    text_.shrink_to_fit();
  }
  marks_.clear();
  begin_ = 0;
  first_mark_ = 0;
}

}  // namespace ringpost::sink
