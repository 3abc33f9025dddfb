#include "tests/engine/quota/provider_model.h"

#include <algorithm>
#include <queue>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::engine::provider_model {

namespace {

enum class Kind : std::uint8_t { arrival, answer };

struct Event {
  Instant at;
  Kind kind = Kind::arrival;
  std::size_t flight = 0;
  bool operator>(const Event& other) const { return at > other.at; }
};

struct Flight {
  QuotaTicket ticket;
  bool is_accepted = false;
};

class Sender {
 public:
  Sender(Provider& provider, Quota& quota, RateControl& control, const SenderOptions& options)
      : provider_(provider),
        quota_(quota),
        control_(control),
        options_(options),
        random_(options.seed) {}

  void run(std::vector<Change> changes) {
    std::size_t changed = 0;
    for (now_ = begin; now_ < begin + options_.duration;) {
      while (changed < changes.size() && begin + changes[changed].at <= now_) {
        changes[changed++].happen(provider_);
      }
      while (!events_.empty() && events_.top().at <= now_) {
        const Event event = events_.top();
        events_.pop();
        happen(event);
      }
      Instant next = take_all();
      if (!events_.empty()) {
        next = std::min(next, events_.top().at);
      }
      if (changed < changes.size()) {
        next = std::min(next, begin + changes[changed].at);
      }
      now_ = std::max(now_ + 1us, std::min(next, now_ + 100ms));
    }
  }

 private:
  Duration late() {
    return options_.jitter == 0ms
               ? 0ns
               : Duration(static_cast<std::int64_t>(
                     random_() % static_cast<std::uint64_t>(options_.jitter.count())));
  }

  [[nodiscard]] Instant next_demand() const {
    if (!options_.demand) {
      return now_;
    }
    return begin +
           Duration(static_cast<std::int64_t>(static_cast<double>(sent_) * 1e9 / *options_.demand));
  }

  // Returns when to look again.
  Instant take_all() {
    while (busy_ < options_.sessions) {
      const RateNow rate = control_.rate(now_);
      quota_.set_found_rate(rate.window);
      if (rate.not_before > now_) {
        return std::min(rate.not_before, control_.changes_at());
      }
      if (next_demand() > now_) {
        return std::min(next_demand(), control_.changes_at());
      }
      const QuotaAnswer answer = quota_.take({.recipients = next_recipients_}, now_);
      if (!answer.is_taken) {
        REQUIRE(answer.next > now_);
        return std::min(answer.next, control_.changes_at());
      }
      control_.taken(next_recipients_, now_);
      next_recipients_ = 1 + random_() % options_.recipients_max;
      sent_ += 1;
      busy_ += 1;
      flights_.push_back({answer.ticket});
      events_.push({now_ + options_.until_counted + late(), Kind::arrival, flights_.size() - 1});
    }
    return never;
  }

  void happen(const Event& event) {
    Flight& flight = flights_[event.flight];
    if (event.kind == Kind::arrival) {
      flight.is_accepted = provider_.arrive(event.at, flight.ticket.amounts.recipients);
      // A refusal has one round trip less to come.
      const Duration back = options_.message_time - options_.until_counted;
      events_.push(
          {event.at + (flight.is_accepted ? back : back / 2) + late(), Kind::answer, event.flight});
      return;
    }
    busy_ -= 1;
    quota_.answered(flight.ticket, now_);
    const std::uint64_t units = flight.ticket.amounts.recipients;
    if (flight.is_accepted) {
      control_.accepted(units, flight.ticket.taken_at, now_);
    } else {
      control_.slowed_down(units, flight.ticket.taken_at, now_);
    }
  }

  Provider& provider_;
  Quota& quota_;
  RateControl& control_;
  const SenderOptions& options_;
  std::mt19937_64 random_;
  Instant now_;
  std::size_t busy_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t next_recipients_ = 1;
  std::vector<Flight> flights_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

std::uint64_t sum_of(const std::vector<Came>& came, Duration from, Duration to, bool is_accepted) {
  std::uint64_t units = 0;
  for (const Came& one : came) {
    const bool is_within = one.at >= begin + from && one.at < begin + to;
    units += is_within && one.is_accepted == is_accepted ? one.units : 0;
  }
  return units;
}

}  // namespace

bool Provider::arrive(Instant now, std::uint64_t units) {
  const bool is_accepted = allows(now, units);
  came_.push_back({now, units, is_accepted});
  return is_accepted;
}

bool Provider::allows(Instant now, std::uint64_t units) {
  switch (limiter_) {
    case Limiter::none:
      return true;
    case Limiter::sliding:
      return count_since(now - length_, false) + units <= amount_;
    case Limiter::sliding_strict:
      return count_since(now - length_, true) + units <= amount_;
    case Limiter::fixed: {
      const Duration since = (now - begin) % length_;
      return count_since(now - since - 1ns, false) + units <= amount_;
    }
    case Limiter::bucket:
      break;
  }
  const double seconds = std::chrono::duration<double>(now - filled_at_).count();
  const double per_second =
      static_cast<double>(amount_) / std::chrono::duration<double>(length_).count();
  tokens_ = std::min(depth_, tokens_ + seconds * per_second);
  filled_at_ = now;
  const auto wanted = static_cast<double>(units);
  if (tokens_ < wanted) {
    return false;
  }
  tokens_ -= wanted;
  return true;
}

std::uint64_t Provider::count_since(Instant first, bool with_refused) const {
  std::uint64_t count = 0;
  for (auto one = came_.rbegin(); one != came_.rend() && one->at > first; ++one) {
    count += one->is_accepted || with_refused ? one->units : 0;
  }
  return count;
}

std::uint64_t Provider::accepted(Duration from, Duration to) const {
  return sum_of(came_, from, to, true);
}

std::uint64_t Provider::refused(Duration from, Duration to) const {
  return sum_of(came_, from, to, false);
}

std::uint64_t Provider::peak(Duration from, Duration to) const {
  std::uint64_t most = 0;
  std::uint64_t units = 0;
  std::size_t last = 0;
  for (const Came& first : came_) {
    while (last < came_.size() && came_[last].at < first.at + length_) {
      units += came_[last++].units;
    }
    if (first.at >= begin + from && first.at < begin + to) {
      most = std::max(most, units);
    }
    units -= first.units;
  }
  return most;
}

void send(Provider& provider, Quota& quota, RateControl& control, const SenderOptions& options,
          std::vector<Change> changes) {
  Sender(provider, quota, control, options).run(std::move(changes));
}

}  // namespace ringpost::engine::provider_model
