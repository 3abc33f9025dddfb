// Providers with limits, and a sender that has Quota and RateControl and nothing else, in virtual
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "engine/quota.h"
#include "engine/rate_control.h"

namespace ringpost::engine::provider_model {

using namespace std::chrono_literals;

inline const Instant begin = Instant(1000h);

// What came to a provider, and whether it took it.
struct Came {
  Instant at;
  std::uint64_t units = 1;
  bool is_accepted = false;
};

enum class Limiter : std::uint8_t {
  none,
  sliding,         // counts what it accepted
  sliding_strict,  // counts what it refused, too
  bucket,          // tokens, of which `depth` are there at first
  fixed,           // by seconds of the clock
};

// Keeps a list of all that came, and judges each arrival by it. No code of the engine's is in it.
class Provider {
 public:
  Provider(Limiter limiter, std::uint64_t amount, Duration length = 1s, double depth = 0)
      : limiter_(limiter), amount_(amount), length_(length), depth_(depth), tokens_(depth) {}

  // Called in the order of time.
  bool arrive(Instant now, std::uint64_t units = 1);
  void set_amount(std::uint64_t amount) { amount_ = amount; }

  [[nodiscard]] const std::vector<Came>& came() const { return came_; }
  [[nodiscard]] std::uint64_t accepted(Duration from, Duration to) const;
  [[nodiscard]] std::uint64_t refused(Duration from, Duration to) const;
  // The most that came, accepted or not, in any window that begins in [from, to).
  [[nodiscard]] std::uint64_t peak(Duration from, Duration to) const;

 private:
  [[nodiscard]] bool allows(Instant now, std::uint64_t units);
  [[nodiscard]] std::uint64_t count_since(Instant first, bool with_refused) const;

  Limiter limiter_;
  std::uint64_t amount_;
  Duration length_;
  double depth_;
  double tokens_;
  Instant filled_at_ = begin;
  std::vector<Came> came_;
};

// Something that happens to the provider at its time.
struct Change {
  Duration at;
  std::function<void(Provider&)> happen;
};

struct SenderOptions {
  std::size_t sessions = 1000;
  Duration message_time = 200ms;  // four round trips of 50 ms
  // Of it, so much before the server counts and says no.
  Duration until_counted = 150ms;
  // At most so much more, evenly, on each of both ways.
  Duration jitter = 0ms;
  Duration duration = 60s;
  // Messages a second that there are to send; none: always more.
  std::optional<double> demand = {};
  // Recipients of one, at random from 1 on, which are what the provider counts.
  std::uint64_t recipients_max = 1;
  unsigned seed = 1;
};

// Sends as much as both allow; what is refused is sent again, which is as good as another.
void send(Provider& provider, Quota& quota, RateControl& control, const SenderOptions& options,
          std::vector<Change> changes = {});

}  // namespace ringpost::engine::provider_model
