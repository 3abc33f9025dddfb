// What each awaited reply belongs to: servers answer in the order of the commands (RFC 2920 3.1).
#pragma once

#include <cstdint>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::protocol {

enum class Expected : std::uint8_t {
  greeting,
  ehlo,
  helo,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  chunk,  // a BDAT that is not the last
  end_of_data,
  rset,
  quit,
  trial_mail,   // of a transaction that is taken back at once
  trial_other,  // and what stands in it
};

struct Expectation {
  Expected kind = Expected::greeting;
  std::uint32_t recipient = 0;    // rcpt: index into the job's recipients
  std::uint64_t transaction = 0;  // mail, rcpt, data, end_of_data: its sequence number
  // The command's last octet in the output stream. A reply that comes before it was handed out
  // answers something else.
  std::uint64_t sent_offset = 0;
};

// The stage that a wait for this reply counts as.
[[nodiscard]] Stage stage_of(Expected kind);

// Thread and lifetime: its session's. Grows to the deepest pipeline and stays there.
class ReplyFifo {
 public:
  [[nodiscard]] bool empty() const { return first_ == expectations_.size(); }
  [[nodiscard]] std::size_t size() const { return expectations_.size() - first_; }
  [[nodiscard]] const Expectation& front() const {
    RP_ASSERT(!empty());
    return expectations_[first_];
  }
  // The n-th from the front. Precondition: index < size().
  [[nodiscard]] const Expectation& at(std::size_t index) const {
    RP_ASSERT(index < size());
    return expectations_[first_ + index];
  }
  [[nodiscard]] Expectation& back() {
    RP_ASSERT(!empty());
    return expectations_.back();
  }
  void push(const Expectation& expectation) {
    // The dead front is dropped when it makes up half of the store: amortised constant time.
    if (first_ > 16 && first_ * 2 >= expectations_.size()) {
      expectations_.erase(expectations_.begin(),
                          expectations_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    expectations_.push_back(expectation);
  }
  void pop() {
    RP_ASSERT(!empty());
    ++first_;
    if (empty()) {
      expectations_.clear();
      first_ = 0;
    }
  }
  // The stage of the first reply awaited for a transaction; `none` when there is none.
  [[nodiscard]] Stage stage_of_transaction(std::uint64_t transaction, Stage none) const;

 private:
  std::vector<Expectation> expectations_;
  std::size_t first_ = 0;
};

}  // namespace ringpost::protocol
