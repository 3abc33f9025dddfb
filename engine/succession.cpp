// The problem: a server takes so many messages a session, and opening one takes as many round trips
// as some messages do: connections stand idle as long as their sessions are replaced. The idea: the
// time that a session has left is known, by its messages and their pace or by its age, and so is
// the time that opening one takes. Limits: both are averages of one worker's sessions; where a
// server is sometimes slow a successor comes late by as much.
#include "engine/succession.h"

#include <algorithm>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

// Successors of successors; more only where opening takes ages.
constexpr std::int64_t generations_max = 40;

Duration smoothed(Duration before, Duration now) {
  return before == Duration::zero() ? now : before + (now - before) / 8;
}

}  // namespace

void Succession::opened(Duration took) { opening_ = smoothed(opening_, took); }

void Succession::given(Duration after) { pace_ = smoothed(pace_, std::max<Duration>(after, 1us)); }

std::uint32_t Succession::successors(const SessionOutlook& outlook) const {
  const auto time_of = [this](std::uint64_t messages) {
    constexpr std::uint64_t foreseen_max = 1'000'000;
    return messages > foreseen_max ? Duration::max() : pace_ * static_cast<std::int64_t>(messages);
  };
  // A quarter more, because openings differ, and the message that is under way.
  const Duration lead = opening_ + opening_ / 4 + pace_;
  const Duration left = std::min(time_of(outlook.messages_left), outlook.time_left);
  if (left > lead) {
    return 0;
  }
  const Duration life = std::max<Duration>(time_of(outlook.messages_max), 1us);
  const std::int64_t further = (lead - std::max(left, Duration::zero())) / life;
  return 1 + static_cast<std::uint32_t>(std::min(further, generations_max));
}

Duration ended_before(Duration server_ends_at) {
  const Duration margin =
      std::min<Duration>(std::max<Duration>(2s, server_ends_at / 5), server_ends_at / 2);
  return server_ends_at - margin;
}

}  // namespace ringpost::engine
