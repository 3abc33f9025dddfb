// Replies on their way out: text in order, each part with the time before which it may not leave.
#pragma once

#include <string>
#include <vector>

#include "codec/base.h"

namespace ringpost::sink {

// Thread: its connection's. Keeps its memory, up to a bound, for the next replies.
class ReplyQueue {
 public:
  void append(Bytes text) { text_.append(text); }

  // Everything appended since the last mark leaves at `due` or later, and never before what stands
  // in front of it. Text without a mark does not leave at all.
  void mark(Instant due);

  // What may leave now; dies with the next call that is not const.
  [[nodiscard]] Bytes due(Instant now) const;
  void consume(std::size_t count);
  // When the first of what waits may leave. Precondition: something marked waits.
  [[nodiscard]] Instant next_due() const {
    RP_ASSERT(first_mark_ < marks_.size());
    return marks_[first_mark_].due;
  }

  [[nodiscard]] bool empty() const { return begin_ == text_.size(); }
  [[nodiscard]] std::size_t size() const { return text_.size() - begin_; }
  void clear();

 private:
  struct Mark {
    Instant due;
    std::size_t end;  // offset in text_
  };

  std::string text_;
  std::size_t begin_ = 0;  // of what has not left
  std::vector<Mark> marks_;
  std::size_t first_mark_ = 0;
};

}  // namespace ringpost::sink
