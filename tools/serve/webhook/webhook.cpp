// The problem: a receiver is away for seconds or for days, says no for a while or for good, and
// outcomes come on all the while. The idea: lines gather in a batch, batches wait in a row, and a
// few of them are tried at a time; after a failure all of this receiver rests, twice as long each
// time. What may not wait any longer, or has no room, goes to a file, in the order in which it
// came. Limits: a batch whose answer was lost is posted again under the same id, so a receiver may
// see it twice.
#include "tools/serve/webhook/webhook.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

constexpr auto shortest_pause = std::chrono::seconds(1);
constexpr auto longest_pause = std::chrono::minutes(5);

}  // namespace

Webhook::Webhook(const WebhookLimits& limits, Instant now)
    : limits_(limits), rests_until_(now), chance_(limits.seed) {}

// ---- Lines in -----------------------------------------------------------------------------------

bool Webhook::add(Bytes line, Instant now) {
  const std::lock_guard lock(mutex_);
  bool is_new = false;
  if (bytes_ + line.size() > limits_.queue_bytes) {
    bury_oldest();
    is_new = true;
  }
  if (open_.count > 0 && open_.lines.size() + line.size() > limits_.batch_bytes_max) {
    close_open();
    is_new = true;
  }
  if (open_.count == 0) {
    open_since_ = now;
    is_new = true;
  }
  open_.lines += line;
  ++open_.count;
  bytes_ += line.size();
  ++counts_.waiting;
  if (open_.count >= limits_.batch_max) {
    close_open();
    is_new = true;
  }
  return is_new;
}

bool Webhook::has_room_for(Bytes line) const {
  const std::lock_guard lock(mutex_);
  return bytes_ + line.size() <= limits_.queue_bytes && dead_bytes_ <= limits_.queue_bytes;
}

void Webhook::close_open() {
  open_.number = next_number_++;
  open_.id = fmt::format("msg_{:016x}{:016x}", chance_(), chance_());
  ready_.push_back(std::exchange(open_, {}));
  open_since_ = never;
}

// All that nobody has tried yet: one write into the file for as many lines as fit into the queue.
void Webhook::bury_oldest() {
  if (ready_.empty() && open_.count > 0) {
    close_open();
  }
  for (Batch& batch : ready_) {
    move_to_dead(std::move(batch), true);
  }
  ready_.clear();
}

void Webhook::move_to_dead(Batch batch, bool had_no_room) {
  bytes_ -= batch.lines.size();
  dead_bytes_ += batch.lines.size();
  dead_.push_back({std::move(batch.lines), batch.count, had_no_room});
}

bool Webhook::is_stuck() const {
  const std::lock_guard lock(mutex_);
  return dead_bytes_ > limits_.queue_bytes;
}

WebhookCounts Webhook::counts() const {
  const std::lock_guard lock(mutex_);
  WebhookCounts counts = counts_;
  counts.bytes_waiting = bytes_ + dead_bytes_;
  return counts;
}

// ---- Requests -----------------------------------------------------------------------------------

const Webhook::Batch* Webhook::begin(Instant now) {
  const std::lock_guard lock(mutex_);
  if (now < rests_until_ && !ends_soon_) {
    return nullptr;
  }
  if (open_.count > 0 && ready_.empty() && (ends_soon_ || now >= open_since_ + limits_.delay)) {
    close_open();
  }
  if (!may_begin()) {
    return nullptr;
  }
  auto next = std::find_if(trying_.begin(), trying_.end(),
                           [](const Trying& one) { return !one.is_under_way; });
  if (next == trying_.end()) {
    if (ready_.empty()) {
      return nullptr;
    }
    trying_.push_back({std::move(ready_.front()), now, false});
    ready_.pop_front();
    next = std::prev(trying_.end());
  }
  next->is_under_way = true;
  return &next->batch;
}

// While it fails one request tries it.
bool Webhook::may_begin() const {
  const auto under_way = std::count_if(trying_.begin(), trying_.end(),
                                       [](const Trying& one) { return one.is_under_way; });
  const std::size_t requests_max = failures_in_row_ > 0 ? 1 : limits_.requests_max;
  return static_cast<std::size_t>(under_way) < requests_max;
}

bool is_worth_another_try(const WebhookAnswer& answer) {
  constexpr int request_timeout = 408;
  constexpr int too_early = 425;
  constexpr int too_many_requests = 429;
  constexpr int server_error = 500;
  return answer.code == 0 || answer.code == request_timeout || answer.code == too_early ||
         answer.code == too_many_requests || answer.code >= server_error;
}

Webhook::Fate Webhook::answered(std::uint64_t number, const WebhookAnswer& answer, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(trying_.begin(), trying_.end(),
                               [number](const Trying& one) { return one.batch.number == number; });
  RP_ASSERT(at != trying_.end());
  constexpr int success = 200;
  constexpr int redirection = 300;
  if (answer.code >= success && answer.code < redirection) {
    failures_in_row_ = 0;
    rests_until_ = now;
    ++counts_.requests_taken;
    counts_.delivered += at->batch.count;
    counts_.waiting -= at->batch.count;
    bytes_ -= at->batch.lines.size();
    trying_.erase(at);
    return Fate::delivered;
  }
  const bool is_retried = is_worth_another_try(answer);
  ++(is_retried ? counts_.requests_put_off : counts_.requests_refused);
  if (is_retried) {
    rests_until_ = now + pause_after_failure(answer);
    if (!ends_soon_ && rests_until_ - at->first_try <= limits_.retry_for) {
      at->is_under_way = false;
      return Fate::put_off;
    }
  }
  move_to_dead(std::move(at->batch), false);
  trying_.erase(at);
  return Fate::dead;
}

// Half of it is chance, so that those whom one failure has hit do not come back together.
Duration Webhook::pause_after_failure(const WebhookAnswer& answer) {
  constexpr int doublings_max = 9;
  const int doublings = std::min(failures_in_row_++, doublings_max);
  const Duration full = std::min<Duration>(shortest_pause * (1 << doublings), longest_pause);
  std::uniform_int_distribution<Duration::rep> part(full.count() / 2, full.count());
  const Duration pause(part(chance_));
  // Who asks for more than a batch is tried for is asked again at the end of that.
  return std::max(pause,
                  std::min(answer.retry_after.value_or(Duration::zero()), limits_.retry_for));
}

const Webhook::Dead* Webhook::dead() {
  const std::lock_guard lock(mutex_);
  return dead_.empty() ? nullptr : &dead_.front();  // a deque leaves it where it is
}

void Webhook::buried() {
  const std::lock_guard lock(mutex_);
  const Dead& first = dead_.front();
  dead_bytes_ -= first.lines.size();
  counts_.dead_letters += first.count;
  counts_.waiting -= first.count;
  dead_.pop_front();
}

Instant Webhook::due() const {
  const std::lock_guard lock(mutex_);
  if (!may_begin()) {
    return never;
  }
  const bool is_retry_due = std::any_of(trying_.begin(), trying_.end(),
                                        [](const Trying& one) { return !one.is_under_way; });
  if (is_retry_due || !ready_.empty()) {
    return ends_soon_ ? Instant::min() : rests_until_;
  }
  if (open_.count > 0) {
    return ends_soon_ ? Instant::min() : std::max(rests_until_, open_since_ + limits_.delay);
  }
  return never;
}

// ---- The end ------------------------------------------------------------------------------------

void Webhook::end_soon() {
  const std::lock_guard lock(mutex_);
  ends_soon_ = true;
  if (open_.count > 0) {
    close_open();
  }
}

void Webhook::give_up() {
  const std::lock_guard lock(mutex_);
  if (open_.count > 0) {
    close_open();
  }
  for (Trying& one : trying_) {
    move_to_dead(std::move(one.batch), false);
  }
  for (Batch& batch : ready_) {
    move_to_dead(std::move(batch), false);
  }
  trying_.clear();
  ready_.clear();
}

bool Webhook::is_idle() const {
  const std::lock_guard lock(mutex_);
  return open_.count == 0 && ready_.empty() && trying_.empty();
}

}  // namespace ringpost::serve
