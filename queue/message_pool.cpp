// The problem: reading is faster than sending, and what is read has to stay within bounds without
// an allocation for each message. The idea: one lock over a few counters and a stack of free
// messages, so that the next is the one whose memory is still in the cache; clearing is done
// outside of the lock. Limits: deliveries that are taken up again are not held back, so the bound
// on active ones is soft; of the memory that free messages keep only the long buffers are counted.
#include "queue/message_pool.h"

#include <algorithm>

namespace ringpost::queue {

namespace {

// Outside of the lock, and by whoever fills it next.
Consignment* cleared(Consignment* consignment) {
  if (consignment != nullptr) {
    codec::prefetch_texts(consignment->first);
    consignment->clear();
  }
  return consignment;
}

// What a delivery keeps of its recipients, once it is open.
std::size_t recipient_bytes(const Delivery& delivery) {
  const std::size_t count = delivery.shares_outcome ? shared_outcome_count : delivery.size();
  return std::max(count, delivery.recipients.capacity()) * sizeof(Recipient);
}

}  // namespace

Consignment* MessagePool::take() {
  ++messages_out_;
  ++deliveries_out_;
  if (next_.empty()) {
    constexpr std::ptrdiff_t at_once = 16;  // few: behind them stands what came back last
    const std::ptrdiff_t count = std::min(std::ssize(free_), at_once);
    next_.assign(free_.end() - count, free_.end());
    free_.erase(free_.end() - count, free_.end());
  }
  if (next_.empty()) {
    return messages_.emplace_back(std::make_unique<Consignment>()).get();
  }
  const FreeMessage taken = next_.back();
  next_.pop_back();
  bytes_free_ -= taken.bytes;
  if (!next_.empty()) {
    prefetch_to_fill(*next_.back().consignment);
  }
  return taken.consignment;
}

Consignment* MessagePool::acquire() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  room_.wait(lock, [this] { return closed_ || has_room(); });
  --waiting_;
  Consignment* const taken = closed_ ? nullptr : take();
  lock.unlock();
  return cleared(taken);
}

Consignment* MessagePool::try_acquire() {
  std::unique_lock lock(mutex_);
  Consignment* const taken = closed_ || !has_room() ? nullptr : take();
  lock.unlock();
  return cleared(taken);
}

std::size_t MessagePool::try_acquire(std::span<Consignment*> consignments) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    while (count < consignments.size() && !closed_ && has_room()) {
      consignments[count++] = take();
    }
  }
  for (Consignment* const taken : consignments.first(count)) {
    static_cast<void>(cleared(taken));
  }
  return count;
}

std::size_t MessagePool::measure(Consignment& consignment) {
  Delivery& first = consignment.first;
  // A small message in the buffers of a large one counts for these.
  first.budget_bytes = sizeof(Consignment) + consignment.buffer_bytes() +
                       consignment.message.id.size() + recipient_bytes(first) -
                       first.recipients.capacity() * sizeof(Recipient);
  consignment.is_light = consignment.keeps_memory();
  std::size_t bytes = first.budget_bytes;
  for (Delivery& delivery : consignment.further) {
    delivery.budget_bytes = sizeof(Delivery) + recipient_bytes(delivery);
    bytes += delivery.budget_bytes;
  }
  consignment.deliveries_left = static_cast<std::uint32_t>(consignment.delivery_count());
  return bytes;
}

void MessagePool::charge(std::span<Consignment* const> consignments) {
  std::size_t bytes = 0;
  std::size_t further = 0;
  bool is_any_shared = false;
  for (const Consignment* const consignment : consignments) {
    bytes += consignment->first.budget_bytes;
    for (const Delivery& delivery : consignment->further) {
      bytes += delivery.budget_bytes;
    }
    further += consignment->further.size();
    is_any_shared = is_any_shared || consignment->message.content.shared() != nullptr;
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; is_any_shared && i < consignments.size(); ++i) {
    const SegmentStore* const shared = consignments[i]->message.content.shared();
    if (shared != nullptr && shared->messages_out_++ == 0) {
      bytes += shared->bytes();
    }
  }
  bytes_out_ += bytes;
  deliveries_out_ += further;
}

void MessagePool::set_aside() {
  const std::lock_guard lock(mutex_);
  ++deliveries_aside_;
  RP_ASSERT(deliveries_aside_ <= deliveries_out_);
  if (waiting_ > 0 && has_room()) {
    room_.notify_all();
  }
}

void MessagePool::take_up() {
  const std::lock_guard lock(mutex_);
  RP_ASSERT(deliveries_aside_ > 0);
  --deliveries_aside_;
}

void MessagePool::give_back(std::span<Delivery* const> deliveries) {
  for (Delivery* const delivery : deliveries) {
    Consignment& consignment = *delivery->consignment;
    delivery->end = delivery->begin;  // it is for nobody any more
    delivery->is_open = false;
    if (delivery != &consignment.first) {
      std::vector<Recipient>().swap(delivery->recipients);
    } else if (!consignment.is_light && consignment.further.empty() &&
               consignment.message.content.shared() == nullptr) {
      consignment.give_up_memory();  // outside of the lock
    }
  }
  const std::lock_guard lock(mutex_);
  RP_ASSERT(deliveries_out_ - deliveries_aside_ >= deliveries.size());
  deliveries_out_ -= deliveries.size();
  for (Delivery* const delivery : deliveries) {
    Consignment& consignment = *delivery->consignment;
    if (delivery != &consignment.first) {
      RP_ASSERT(bytes_out_ >= delivery->budget_bytes);
      bytes_out_ -= delivery->budget_bytes;
    }
    RP_ASSERT(consignment.deliveries_left > 0);
    if (--consignment.deliveries_left == 0) {
      take_back(consignment);
    }
  }
  if (waiting_ > 0 && has_room()) {
    room_.notify_all();
  }
  if (messages_out_ == 0) {
    idle_.notify_all();
  }
}

// With its last delivery.
void MessagePool::take_back(Consignment& consignment) {
  const std::size_t charged = consignment.first.budget_bytes;
  std::size_t bytes = charged;
  std::size_t kept = 0;
  if (consignment.is_light) {
    kept = charged - sizeof(Consignment);  // without another look at its buffers
  } else {
    const SegmentStore* const shared = consignment.message.content.shared();
    if (shared != nullptr && charged > 0 && --shared->messages_out_ == 0) {
      bytes += shared->bytes();
    }
    consignment.give_up_memory();
    kept = consignment.buffer_bytes();
  }
  if (bytes_free_ + kept > options_.bytes_max) {
    // Made anew, since an assignment of empty strings would keep the buffers.
    std::destroy_at(&consignment);
    std::construct_at(&consignment);
    kept = consignment.buffer_bytes();
  }
  bytes_free_ += kept;
  free_.push_back({&consignment, kept});
  RP_ASSERT(messages_out_ > 0 && bytes_out_ >= bytes);
  --messages_out_;
  bytes_out_ -= bytes;
}

void MessagePool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

bool MessagePool::wait_until_idle(Instant deadline) {
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return messages_out_ == 0; };
  if (deadline == never) {
    idle_.wait(lock, idle);
    return true;
  }
  return idle_.wait_until(lock, deadline, idle);
}

std::size_t MessagePool::messages_out() const {
  const std::lock_guard lock(mutex_);
  return messages_out_;
}

}  // namespace ringpost::queue
