// Outcome lines on their way to one receiver: in batches, tried again, within a bound of memory.
// No socket, no file, no clock: whoever has these asks what is to be done.
//
//   hook.add(line, now);                               // any thread
//   while (auto batch = hook.begin(now)) { post it }   // one thread from here on
//   hook.answered(batch->number, answer, now);
//   append hook.dead() to the file, and hook.buried() when it is there
//   wait until hook.due()
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::serve {

struct WebhookLimits {
  std::size_t batch_max = 100;  // lines
  // Of a batch's lines, but for one that is longer by itself: nginx takes a body of 1 MB.
  std::size_t batch_bytes_max = 900'000;
  // Requests under way. One keeps the order of outcomes.
  std::size_t requests_max = 1;
  Duration delay = std::chrono::seconds(1);
  Duration retry_for = std::chrono::hours(1);
  // Of lines that wait or are under way; beyond, the oldest that wait are dead letters.
  std::uint64_t queue_bytes = 16'000'000;
  std::uint64_t seed = 0;  // of the jitter
};

// What became of a request.
struct WebhookAnswer {
  int code = 0;       // of HTTP; 0: there was no answer
  std::string words;  // why there was none, or the beginning of what was answered; for people
  std::optional<Duration> retry_after = std::nullopt;
};

struct WebhookCounts {
  std::uint64_t delivered = 0;     // outcomes
  std::uint64_t dead_letters = 0;  // outcomes that are in the file
  // Requests that were taken, that are to be made again, and that never will be.
  std::uint64_t requests_taken = 0;
  std::uint64_t requests_put_off = 0;
  std::uint64_t requests_refused = 0;
  std::uint64_t waiting = 0;  // outcomes, those under way and those on their way to the file
  std::uint64_t bytes_waiting = 0;
};

class Webhook {
 public:
  struct Batch {
    std::uint64_t number = 0;
    std::string id;     // the same at each try
    std::string lines;  // one outcome each, with its newline
    std::size_t count = 0;
  };
  struct Dead {
    std::string lines;
    std::size_t count = 0;
    bool had_no_room = false;  // and was not tried for that
  };
  // What became of a batch, for whoever says so to people.
  enum class Fate : std::uint8_t { delivered, put_off, dead };

  Webhook(const WebhookLimits& limits, Instant now);

  // A line with its newline. Never waits. Any thread; true: whoever has this has to look again.
  bool add(Bytes line, Instant now);
  // The same, unless that made a dead letter of another one.
  [[nodiscard]] bool has_room_for(Bytes line) const;
  // More waits for the file than may wait for the receiver. Any thread.
  [[nodiscard]] bool is_stuck() const;
  [[nodiscard]] WebhookCounts counts() const;

  // The next request that is to be made, until it is answered(); lent until the next call.
  [[nodiscard]] const Batch* begin(Instant now);
  Fate answered(std::uint64_t number, const WebhookAnswer& answer, Instant now);
  // Lines for the file, or none; lent until buried(), which says that they are there.
  [[nodiscard]] const Dead* dead();
  void buried();
  // When begin() may have something that it has not now; never: when something is added or
  // answered.
  [[nodiscard]] Instant due() const;

  // From now on nothing waits for others or for its next turn: each batch is tried once more.
  void end_soon();
  // All that is left is dead, what is under way included.
  void give_up();
  // Nothing waits and nothing is under way; dead letters may still wait for the file.
  [[nodiscard]] bool is_idle() const;

 private:
  struct Trying {
    Batch batch;
    Instant first_try = never;
    bool is_under_way = false;
  };

  [[nodiscard]] bool may_begin() const;
  void close_open();
  void move_to_dead(Batch batch, bool had_no_room);
  void bury_oldest();
  [[nodiscard]] Duration pause_after_failure(const WebhookAnswer& answer);

  const WebhookLimits limits_;
  mutable std::mutex mutex_;  // guards the rest
  Batch open_;                // not full yet
  Instant open_since_ = never;
  std::deque<Batch> ready_;
  std::vector<Trying> trying_;  // as many as requests_max
  std::deque<Dead> dead_;
  std::uint64_t bytes_ = 0;       // of open_, ready_ and trying_
  std::uint64_t dead_bytes_ = 0;  // of dead_
  std::uint64_t next_number_ = 1;
  Instant rests_until_;
  int failures_in_row_ = 0;
  bool ends_soon_ = false;
  std::mt19937_64 chance_;
  WebhookCounts counts_;
};

// Whether the same request may succeed later.
[[nodiscard]] bool is_worth_another_try(const WebhookAnswer& answer);

}  // namespace ringpost::serve
