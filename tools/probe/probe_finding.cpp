// These names stand in the output of `probe --json`, where programs compare them: one that was
// given stays. They have the order of the enumerations.
#include "tools/probe/probe_finding.h"

#include <fmt/format.h>

namespace ringpost::cli {

SmtpAnswer answer_of(std::uint16_t code, const EnhancedStatus& enhanced, std::string_view text) {
  const std::string status = enhanced.present() ? fmt::format("{}.{}.{}", enhanced.status_class,
                                                              enhanced.subject, enhanced.detail)
                                                : std::string();
  return {code, status, std::string(text)};
}

std::string_view name_of(ProbeFault fault) {
  constexpr std::array<std::string_view, probe_fault_count> names = {"none",
                                                                     "refused",
                                                                     "no_answer",
                                                                     "unreachable",
                                                                     "connect_failed",
                                                                     "silent",
                                                                     "tls_expected",
                                                                     "closed",
                                                                     "greeting_refused",
                                                                     "not_smtp",
                                                                     "ehlo_refused",
                                                                     "starttls_missing",
                                                                     "starttls_refused",
                                                                     "starttls_injected",
                                                                     "not_tls",
                                                                     "certificate",
                                                                     "tls_version",
                                                                     "tls_failed",
                                                                     "auth_missing",
                                                                     "auth_refused",
                                                                     "auth_deferred",
                                                                     "timed_out",
                                                                     "broken",
                                                                     "mechanism_refused"};
  return names[static_cast<std::size_t>(fault)];
}

std::string_view name_of(ProbeStep step) {
  constexpr std::array<std::string_view, probe_step_count> names = {
      "connect", "greeting", "ehlo", "starttls", "tls", "ehlo_tls", "auth"};
  return names[static_cast<std::size_t>(step)];
}

}  // namespace ringpost::cli
