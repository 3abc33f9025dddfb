// What reports say in words, whatever they are written in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/report/outcome_tally.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

// What was read, beside what it said.
struct ReportInput {
  std::vector<std::string> files;
  std::vector<std::string> remarks;  // what was passed over, and why
  std::size_t groups_shown = 20;
};

// In the order in which they are told.
inline constexpr std::array report_statuses = {Status::accepted, Status::rejected, Status::deferred,
                                               Status::unsent,   Status::unknown,  Status::invalid,
                                               Status::expired,  Status::skipped};

struct ShownGroups {
  std::vector<FailureGroup> groups;
  std::size_t others = 0;          // that are not among them
  std::uint64_t others_count = 0;  // recipients
};
[[nodiscard]] ShownGroups shown_groups(const ReportInput& input, const OutcomeTally& tally);

// "96.2 %"
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);
// "1,204 recipients"
[[nodiscard]] std::string recipients_text(std::uint64_t count);
// Between the first line and the last; nothing where no line has a time.
[[nodiscard]] std::optional<Duration> report_span(const OutcomeTally& tally);
[[nodiscard]] double seconds_of(Duration duration);
// "from ... to ... (14 min 19 s, 340 a second)", or empty.
[[nodiscard]] std::string when_text(const OutcomeTally& tally);
[[nodiscard]] std::string times_text(const TimeSpread& times);
// What to do about those who have no message, a sentence each; none where nothing helps.
[[nodiscard]] std::vector<std::string> advice(const ReportInput& input, const OutcomeTally& tally);
// "rejected at rcpt"
[[nodiscard]] std::string group_head(const FailureGroup& group);
// The job's id and the recipient.
[[nodiscard]] std::string sample_text(const FailureGroup& group);

}  // namespace ringpost::cli
