// Whoever is told how a run goes: never of outcomes, which go to an OutcomeSink.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringpost::run {

enum class NoticeLevel : std::uint8_t { error, warn, info };

// What a notice is about, as in file=jobs.jsonl. Without a name: nothing that has one.
struct NoticeSubject {
  std::string_view name;
  std::string_view value;
};

// Called on whatever thread steps the run. What it is given lives as long as the call.
class RunListener {
 public:
  virtual ~RunListener() = default;

  virtual void on_notice(NoticeLevel level, std::string_view text,
                         const NoticeSubject& subject) = 0;
  // Outcomes are lost, and no more messages are sent: whoever feeds the run may as well stop. May
  // be said several times.
  virtual void on_outcomes_lost() {}
};

}  // namespace ringpost::run
