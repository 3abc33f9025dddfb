// Replies on their way out: text in order, each part with the time before which it may not leave.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::server {

// Thread: its connection's. Keeps its memory, up to a bound, for the next replies.
class ReplyQueue {
 public:
  void append(Bytes text) { text_.append(text); }

  // Everything appended since the last mark leaves at `due` or later, and never before what stands
  // in front of it. Text without a mark does not leave at all.
  void mark(Instant due);

  // Leaves a place for a reply that is not known yet; nothing behind it leaves before it was
  // filled. Keys differ from each other. What is filled in has the due time of what follows it, or
  // wants a mark if nothing does. A key that is not held (any more) is passed over.
  void hold(std::uint64_t key) { gaps_.push_back({text_.size(), key}); }
  void fill(std::uint64_t key, Bytes text);

  // These are about text behind the last mark and the last gap, from `offset` in all of what waits
  // (see size()) on.
  void insert(std::size_t offset, Bytes text);
  void cut(std::size_t offset);
  // It leaves so much later than its mark will say, with octets in their turn where `octet_time` is
  // not 0; what is appended later does not pass it.
  void slow_down(std::size_t offset, Duration delay, Duration octet_time);
  // Whether the next mark() needs a real time.
  [[nodiscard]] bool is_slowed_down() const { return !slow_parts_.empty(); }

  // What may leave now; dies with the next call that is not const.
  [[nodiscard]] Bytes due(Instant now) const;
  void consume(std::size_t count);
  // When the first of what waits may leave; `never` while a gap is in front of it. Precondition:
  // something marked waits, or a gap.
  [[nodiscard]] Instant next_due() const {
    if (!gaps_.empty() && gaps_.front().at == begin_) {
      return never;
    }
    RP_ASSERT(first_mark_ < marks_.size());
    return marks_[first_mark_].due;
  }

  // Nothing waits, and no gap does. Whereas size() is of text alone.
  [[nodiscard]] bool empty() const { return begin_ == text_.size() && gaps_.empty(); }
  [[nodiscard]] std::size_t size() const { return text_.size() - begin_; }
  void clear();

 private:
  struct Mark {
    Instant due;
    std::size_t end;  // offset in text_
  };

  struct Gap {
    std::size_t at;  // offset in text_
    std::uint64_t key;
  };

  // Of text without a mark.
  struct SlowPart {
    std::size_t begin;  // offsets in text_
    std::size_t end;
    Duration delay;
    Duration octet_time;
  };

  [[nodiscard]] std::size_t marked_end() const;
  [[nodiscard]] bool is_fixed(std::size_t offset) const;
  void mark_until(std::size_t end, Instant due);

  std::string text_;
  std::size_t begin_ = 0;  // of what has not left
  std::vector<Mark> marks_;
  std::size_t first_mark_ = 0;
  std::vector<SlowPart> slow_parts_;
  std::vector<Gap> gaps_;  // in order
};

}  // namespace ringpost::server
