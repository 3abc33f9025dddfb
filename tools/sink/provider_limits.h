// The account that a provider has of its client, over all connections and threads of a sink: what
// it takes, and how much came over its limits.
//
// It is the judge of how the engine keeps limits, and shares no code with engine/quota. Two counts
// of each rate are kept apart: what came, refused or not, and what was accepted; only the latter is
// what a provider counts when it refuses.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "tools/sink/provider_profile.h"
#include "tools/sink/sliding_log.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// A rate, from when it was in force until it was not.
struct RateReport {
  QuotaLimit limit;
  double from_s = 0;  // since the first connection
  std::uint64_t came = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;        // of the units that came
  std::uint64_t peak = 0;           // the most that came in any window of its length
  std::uint64_t peak_accepted = 0;  // and that were accepted

  // How much more came in the worst window than the rate allows: 0.07 is 7 in a hundred.
  [[nodiscard]] double over() const {
    const auto allowed = static_cast<double>(limit.window.amount);
    return peak > limit.window.amount ? static_cast<double>(peak) / allowed - 1 : 0;
  }
};

struct LimitsReport {
  std::string name;                  // of the profile
  ProviderCaps caps;                 // as they were at the end
  std::vector<RateReport> rates;     // in order of time
  std::size_t connections_peak = 0;  // the most at a time, those that were refused not among them
  std::array<std::uint64_t, provider_limit_count> refused{};  // of times
  std::uint64_t logins_refused = 0;  // for a wrong secret, or for being too many
  // Of each second since the first connection, as long as there were any.
  std::vector<std::uint32_t> came_by_second;
  std::vector<std::uint32_t> accepted_by_second;
  std::vector<std::uint32_t> refused_by_second;  // whatever it was, and for whatever limit
};

// As reports have times.
[[nodiscard]] inline double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// What a message is to the rates.
struct MessageSize {
  std::uint64_t recipients = 0;
  std::uint64_t bytes = 0;
  Instant mail{};  // when its MAIL came, of which a rate knows that is refused there
};

// Any thread. Whoever asks gets nothing, or the reply that refuses, which lives as long as this.
class ProviderLimits {
 public:
  explicit ProviderLimits(ProviderProfile profile);

  [[nodiscard]] const ProviderProfile& profile() const { return profile_; }

  // A connection, by its number, which grows. It counts until it is over, unless it was refused.
  [[nodiscard]] const ProviderReply* on_greeting(std::uint64_t session, Instant now);
  void on_over(std::uint64_t session);
  // A name and its secret, which were right or not.
  [[nodiscard]] const ProviderReply* on_login(std::uint64_t session, bool is_right, Instant now);
  // `messages`: those that the connection has had; `since`: its greeting; `bytes`: as SIZE says.
  struct Mail {
    std::uint64_t session = 0;
    std::uint64_t messages = 0;
    Instant since{};
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] const ProviderReply* on_mail(const Mail& mail, Instant now);
  // One more, behind so many of the message.
  [[nodiscard]] const ProviderReply* on_recipient(std::uint64_t recipients, Instant now);
  [[nodiscard]] const ProviderReply* on_end(std::uint64_t session, const MessageSize& message,
                                            Instant now);

  // How long a connection may be silent or live, now; 0: for ever.
  [[nodiscard]] Duration idle(Instant now);
  [[nodiscard]] Duration age(Instant now);
  [[nodiscard]] const ProviderReply* on_ended(ProviderLimit limit);

  [[nodiscard]] LimitsReport report() const;

 private:
  struct RateInForce {
    RateReport report;
    SlidingLog came;      // since it is in force
    SlidingLog accepted;  // and before, as far as it was counted
    ProviderLimit limit;
  };

  void advance(Instant now);
  void change(const ProviderChange& change);
  void put_in_force(Duration from, const std::optional<QuotaLimit>& set_anew);
  [[nodiscard]] RateInForce rate_in_force(const QuotaLimit& limit, Duration from, bool is_set_anew);
  [[nodiscard]] const ProviderReply* refuse(ProviderLimit limit);
  [[nodiscard]] bool is_one_too_many(std::uint64_t session) const;
  [[nodiscard]] const ProviderReply* outage_at(server::Stage stage);
  [[nodiscard]] const ProviderReply* refuse_early(server::Stage stage, std::uint64_t units,
                                                  Instant now);
  [[nodiscard]] Instant counted_at(const RateInForce& rate, const MessageSize& message,
                                   Instant now) const;
  [[nodiscard]] const ProviderReply* take(const MessageSize& message, Instant now);
  void come(RateInForce& rate, std::uint64_t units, Instant now);
  void note(std::vector<std::uint32_t>& by_second, Instant now);

  const ProviderProfile profile_;

  mutable std::mutex mutex_;  // guards what follows
  ProviderCaps caps_;
  Instant begin_ = never;  // the first connection
  Instant now_{};
  std::size_t changes_made_ = 0;
  const ProviderReply* outage_ = nullptr;
  Instant outage_ends_ = never;
  std::vector<RateInForce> rates_;
  std::set<std::uint64_t> open_;  // connections
  LimitsReport report_;
};

}  // namespace ringpost::sink
