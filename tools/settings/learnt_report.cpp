// The problem: a limit that one run has found out should be known to all that come, on other
// machines, too. The idea: what stands in the account's state file, in the words of ringpost.toml.
// Limits: a file that is not there says the same as one that knows nothing.
#include "tools/settings/learnt_report.h"

#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "queue/quota_file.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"
#include "tools/settings/config_report.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/state_folder.h"

namespace ringpost::cli {

namespace {

std::string day_of(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string rate_text(const queue::LearntLimits& learnt) {
  const bool is_unit = learnt.rate_unit < quota_units;
  return quota_limit_text({.unit = static_cast<QuotaUnit>(is_unit ? learnt.rate_unit : 0),
                           .period = QuotaPeriod::second,
                           .window = {learnt.rate_amount, Duration(learnt.rate_length_ns)}});
}

std::string section_of(const std::string& name, const queue::LearntLimits& learnt) {
  std::string lines;
  if (learnt.rate_amount > 0 && learnt.rate_length_ns > 0) {
    lines += fmt::format("rate = {}\n", in_quotes(rate_text(learnt)));
  }
  const auto number = [&lines](std::string_view key, std::uint64_t value) {
    lines += value > 0 ? fmt::format("{} = {}\n", key, value) : std::string();
  };
  number("max_connections", learnt.sessions_max);
  number("messages_per_connection", learnt.session_messages_max);
  number("recipients_per_message", learnt.transaction_recipients_max);
  if (lines.empty()) {
    return fmt::format("# Nothing was found out about {} by sending.\n", name);
  }
  return fmt::format("# Found out by sending, last on {}.\n[endpoint.{}]\n{}",
                     day_of(learnt.learnt_at_unix_ns), in_quotes(name), lines);
}

Result<queue::LearntLimits, UsageError> learnt_in(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return queue::LearntLimits();
  }
  auto opened = queue::QuotaFile::open(path, queue::read_quota_clocks());
  if (!opened) {
    return Failure(UsageError{std::move(opened.error())});
  }
  return opened->file->learnt();
}

}  // namespace

Result<std::string, UsageError> learnt_report(const LearntQuestion& question) {
  auto effective = load_effective_settings(question.config);
  if (!effective) {
    return Failure(std::move(effective.error()));
  }
  auto draft = make_send_draft(effective->send);
  if (!draft) {
    return Failure(UsageError{std::move(draft.error())});
  }
  draft->endpoints = {question.endpoint};
  const auto chosen =
      choose_endpoints(*draft, effective->send, effective->configuration, EndpointPlace::argument);
  if (!chosen) {
    return Failure(chosen.error());
  }
  const std::string folder =
      !question.state.empty() ? question.state : draft->state_folder.value_or(usual_state_folder());
  const EndpointOptions& options = chosen->front().draft.options;
  const auto learnt =
      learnt_in(folder + "/" + queue::quota_file_name(options.host, options.username));
  if (!learnt) {
    return Failure(learnt.error());
  }
  return section_of(options.name, *learnt);
}

}  // namespace ringpost::cli
