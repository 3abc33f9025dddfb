// What a probe's findings mean and what to do about them, in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/probe/probe_finding.h"

namespace ringpost::cli {

// Sentences; whatever a server said in them has been made safe to print.
struct FaultWords {
  std::string what;
  std::vector<std::string> next;  // what to do, the best first
};

// Why this port is not usable. Precondition: !port.usable().
[[nodiscard]] FaultWords explain_fault(const PortFinding& port, const ProbeFinding& finding);
// Why the name is of no use. Precondition: it did not resolve.
[[nodiscard]] FaultWords explain_name(const ProbeFinding& finding);

// What is wrong with the certificate, all of it: names, dates, trust. Empty: nothing.
[[nodiscard]] std::vector<std::string> certificate_problems(const TlsFinding& tls,
                                                            const std::string& host,
                                                            std::int64_t unix_seconds);
// Whole days, rounded down; below zero when it is over.
[[nodiscard]] std::int64_t days_left(const tls::PeerCertificate& certificate,
                                     std::int64_t unix_seconds);
// "2027-01-18".
[[nodiscard]] std::string date_text(std::int64_t unix_seconds);

// "250 2.0.0 Ok", on one line and safe to print.
[[nodiscard]] std::string answer_text(const SmtpAnswer& answer);
// Those for submission that this probe has not looked at, as "587, 465 or 2525"; empty: none is
// left.
[[nodiscard]] std::string untried_ports(const ProbeFinding& finding);
// "STARTTLS", "TLS from the first octet", "no TLS".
[[nodiscard]] std::string_view words_of(TransportSecurity security);

}  // namespace ringpost::cli
