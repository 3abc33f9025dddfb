// The problem: several ports with a dozen facts each have to fit on a screen, and end in one thing
// to do. The idea: a page that wraps between words and remembers the advice that it has given;
// ports first, and the verdict last, where a terminal shows it. Limits: columns are counted in
// octets, so that lines with other scripts, or with colours, are wrapped early.
#include "tools/probe/probe_report.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tools/probe/domain_report.h"
#include "tools/probe/page.h"
#include "tools/probe/probe_advice.h"
#include "tools/probe/probe_verdict.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t keywords_shown = 40;
constexpr std::size_t keyword_bytes_shown = 60;
constexpr std::size_t last_lines_shown = 6;
constexpr std::int64_t days_left_warning = 14;

std::string shortened(Bytes text, std::size_t bytes_max) {
  return printable(text.size() > bytes_max ? std::string(text.substr(0, bytes_max)) + "..."
                                           : std::string(text));
}

// ---- Parts of a port ---------------------------------------------------------------------------

std::string keyword_list(const EhloReply& reply) {
  if (reply.keywords.empty()) {
    return "no extensions";
  }
  std::vector<std::string> shown;
  for (const std::string& keyword : reply.keywords) {
    if (shown.size() == keywords_shown) {
      break;
    }
    shown.push_back(shortened(keyword, keyword_bytes_shown));
  }
  std::string text = joined(shown, ", ");
  if (reply.keywords.size() > shown.size()) {
    text += fmt::format(" and {} more", reply.keywords.size() - shown.size());
  }
  return text;
}

// "50 MiB", "9.5 MiB", "500 octets".
std::string octets_text(std::uint64_t octets) {
  constexpr std::uint64_t mebibyte = 1u << 20;
  constexpr std::uint64_t kibibyte = 1u << 10;
  const auto in = [octets](std::uint64_t unit, std::string_view name) {
    const double count = static_cast<double>(octets) / static_cast<double>(unit);
    return octets % unit == 0 ? fmt::format("{} {}", octets / unit, name)
                              : fmt::format("{:.1f} {}", count, name);
  };
  return octets >= mebibyte   ? in(mebibyte, "MiB")
         : octets >= kibibyte ? in(kibibyte, "KiB")
                              : fmt::format("{} octets", octets);
}

std::string limits_text(const EhloReply& offer) {
  std::vector<std::string> limits;
  if (offer.capabilities.message_bytes_max > 0) {
    limits.push_back("messages up to " + octets_text(offer.capabilities.message_bytes_max));
  } else {
    limits.emplace_back(offer.capabilities.size ? "no limit of size is named"
                                                : "SIZE is not announced");
  }
  const codec::AnnouncedLimits& announced = offer.capabilities.announced_limits;
  const auto add = [&limits](std::optional<std::uint64_t> number, std::string_view of_what) {
    if (number) {
      limits.push_back(fmt::format("{} {}", *number, of_what));
    }
  };
  add(announced.recipients, "recipients a message");
  add(announced.session_messages, "messages a connection");
  add(announced.recipient_domains, "recipient domains a message");
  return joined(limits, ", ");
}

void append_certificate(Page& page, const TlsFinding& found, std::int64_t unix_seconds) {
  if (found.certificates.empty()) {
    return;
  }
  const tls::PeerCertificate& own = found.certificates.front();
  const std::string subject =
      own.subject_common_name.empty() ? own.subject : own.subject_common_name;
  page.row(
      "certificate", -1,
      fmt::format("{}, {}", subject.empty() ? "without a name" : printable(subject),
                  own.self_issued ? "signed by itself" : "issued by " + printable(own.issuer)));
  const std::int64_t days = days_left(own, unix_seconds);
  page.row(
      "", -1,
      fmt::format("valid from {} to {}: {}", date_text(own.not_before), date_text(own.not_after),
                  days < 0                   ? page.bad("expired")
                  : days == 1                ? page.bad("1 day left")
                  : days < days_left_warning ? page.bad(fmt::format("only {} days left", days))
                                             : fmt::format("{} days left", days)));
  const std::string names = tls::describe(own.names);
  page.row("", -1, names.empty() ? "for no host: it has no alternative names" : "for " + names);
  page.row(
      "", -1,
      fmt::format("{}, chain of {}, serial {}", own.key, found.certificates.size(), own.serial));
  page.row("", -1, "SHA-256 " + own.sha256);
}

std::string version_text(const std::string& version) {
  return version.starts_with("TLSv") ? "TLS " + version.substr(4) : version;
}

void append_tls(Page& page, const PortFinding& port, const ProbeFinding& finding) {
  if (!port.tls) {
    return;
  }
  const TlsFinding& found = *port.tls;
  if (!found.version.empty()) {
    page.row("TLS", port.ms_of(ProbeStep::tls),
             fmt::format(
                 "{}, {}, {}{}", version_text(found.version), found.cipher,
                 found.resumed ? "resumed, " : "",
                 found.verified ? "certificate verified" : page.bad("certificate not verified")));
  }
  append_certificate(page, found, finding.unix_seconds);
}

void append_auth(Page& page, const PortFinding& port, const ProbeFinding& finding) {
  const std::string username =
      finding.username_is_password ? "the password's owner" : finding.endpoint.username;
  if (port.auth.accepted) {
    page.row("AUTH", port.ms_of(ProbeStep::auth),
             fmt::format("{} as {}: {}", printable(port.auth.mechanism), printable(username),
                         answer_text(port.auth.answer)));
  } else if (port.usable()) {
    page.row("AUTH", -1,
             username.empty()          ? "not tried: no user name is given"
             : !finding.password_known ? "not tried: there is no password (RINGPOST_PASSWORD, "
                                         "password_file, password_command)"
                                       : "not tried on this port");
  }
}

void append_offer(Page& page, const PortFinding& port) {
  if (port.hello) {
    page.row("EHLO", port.ms_of(ProbeStep::hello), keyword_list(*port.hello));
  }
}

std::string transcript_line(const TranscriptLine& line) {
  switch (line.side) {
    case TranscriptLine::Side::client:
      return "C: " + printable(line.text);
    case TranscriptLine::Side::server:
      return "S: " + printable(line.text);
    case TranscriptLine::Side::note:
      return "-- " + printable(line.text);
  }
  RP_ASSERT(false);
}

void append_transcript(Page& page, const PortFinding& port, bool whole) {
  const auto& lines = port.transcript;
  std::size_t begin = 0;
  if (!whole && lines.size() > last_lines_shown) {
    begin = lines.size() - last_lines_shown;
  }
  const std::size_t words_max =
      page.columns() == page_columns ? page_columns : page.columns() - page_text_column;
  for (std::size_t index = begin; index < lines.size(); ++index) {
    const TranscriptLine& line = lines[index];
    const std::string head = index == begin ? (whole ? "dialogue" : "at the end") : "";
    // Shortened rather than wrapped, so that a line of the dialogue is a line.
    const std::string text = transcript_line(line);
    page.line(fmt::format("  {:<11}{:>9} ms  {}", head, ms_text(line.at_ms),
                          whole ? text : shortened(text, words_max)));
  }
  if (whole && port.transcript_cut) {
    page.row("", -1, "(cut)");
  }
}

// What a port above has been told already is not said again.
void append_advice(Page& page, const std::vector<std::string>& advice) {
  bool is_first = true;
  for (const std::string& next : advice) {
    if (page.is_new(next)) {
      page.wrapped(fmt::format("  {:<11}- ", is_first ? "what to do" : ""), std::string(15, ' '),
                   next);
      is_first = false;
    }
  }
  if (is_first) {
    page.line("  what to do as above");
  }
}

void append_fault(Page& page, const PortFinding& port, const ProbeFinding& finding) {
  const FaultWords words = explain_fault(port, finding);
  page.wrapped(fmt::format("  {:<11}", "problem"), std::string(13, ' '), words.what);
  append_advice(page, words.next);
}

void append_port(Page& page, const PortFinding& port, const ProbeFinding& finding,
                 const ProbeReportOptions& options) {
  page.line("");
  page.line(fmt::format("{} {}", page.bold(fmt::format("port {:<5}", port.port)),
                        fmt::format("{}: {}", words_of(port.security),
                                    port.usable() ? page.good("usable") : page.bad("not usable"))));
  for (const std::string& failed : port.failed_addresses) {
    if (failed.find(port.address) == std::string::npos) {
      page.row("", -1, printable(failed));
    }
  }
  const double connect_ms = port.ms_of(ProbeStep::connect);
  page.row("connect", connect_ms, port.address);
  const bool tls_first = port.security == TransportSecurity::implicit;
  if (tls_first) {
    append_tls(page, port, finding);
  }
  if (port.greeting.code != 0) {
    page.row("greeting", port.ms_of(ProbeStep::greeting), answer_text(port.greeting));
  }
  append_offer(page, port);
  if (port.ms_of(ProbeStep::starttls) >= 0) {
    page.row("STARTTLS", port.ms_of(ProbeStep::starttls), "accepted");
  }
  if (!tls_first) {
    append_tls(page, port, finding);
  }
  if (port.hello_tls) {
    page.row("EHLO", port.ms_of(ProbeStep::hello_tls), keyword_list(*port.hello_tls));
  }
  if (port.offer() != nullptr) {
    page.row("limits", -1, limits_text(*port.offer()));
  }
  append_auth(page, port, finding);
  if (!port.usable()) {
    append_fault(page, port, finding);
  }
  const bool server_spoke = std::any_of(
      port.transcript.begin(), port.transcript.end(),
      [](const TranscriptLine& line) { return line.side == TranscriptLine::Side::server; });
  if (options.transcript || (!port.usable() && server_spoke)) {
    append_transcript(page, port, options.transcript);
  }
}

// ---- Head and foot -----------------------------------------------------------------------------

void append_head(Page& page, const ProbeFinding& finding) {
  const EndpointOptions& endpoint = finding.endpoint;
  std::string head = page.bold(printable(finding.name));
  if (finding.name != endpoint.host) {
    head += fmt::format(" ({})", printable(endpoint.host));
  }
  if (!endpoint.username.empty()) {
    head += fmt::format(" as {}", printable(endpoint.username));
  }
  page.line(head);
  page.row("DNS", finding.dns.ms,
           finding.dns.error.empty() ? joined(finding.dns.addresses, ", ") : "no address");
}

std::string mode_text(const ProbeVerdict& verdict) {
  switch (verdict.mode) {
    case SubmissionMode::flights:
      return "flights: PIPELINING and CHUNKING let many messages be under way at once";
    case SubmissionMode::groups:
      return "groups: PIPELINING makes it one message a round trip";
    case SubmissionMode::lock_step:
      return "lock-step: without PIPELINING every command waits for its reply; many connections "
             "make up for it";
  }
  RP_ASSERT(false);
}

// Only from what was measured, and only as the bound that it is.
std::string rate_text_of(const ProbeVerdict& verdict) {
  const double ms = verdict.round_trip_ms;
  // MAIL, RCPT, DATA and the content: four round trips, without PIPELINING.
  constexpr double lock_step_round_trips = 4;
  switch (verdict.mode) {
    case SubmissionMode::flights:
      return fmt::format("a round trip takes {} ms, and many messages share one", ms_text(ms));
    case SubmissionMode::groups:
      return fmt::format(
          "one message a round trip of {} ms: {:.0f} a second and connection, at most", ms_text(ms),
          1000 / ms);
    case SubmissionMode::lock_step:
      return fmt::format(
          "four round trips of {} ms a message: {:.0f} a second and connection, at most",
          ms_text(ms), 1000 / (ms * lock_step_round_trips));
  }
  RP_ASSERT(false);
}

// What is left to be tried from here.
void append_next(Page& page, const ProbeFinding& finding) {
  if (finding.ports.empty()) {
    return;
  }
  const std::string left = untried_ports(finding);
  if (!left.empty()) {
    page.line(fmt::format("  next       ringpost probe '{}' --all-ports",
                          url_of(finding, finding.ports.front())));
    return;
  }
  const bool all_blocked =
      std::all_of(finding.ports.begin(), finding.ports.end(),
                  [](const PortFinding& port) { return port.fault == ProbeFault::no_answer; });
  if (all_blocked) {
    page.wrapped("  next       ", std::string(13, ' '),
                 "all submission ports are blocked from here: ask for one of them to be opened, or "
                 "run this from another network to see whether the server is up");
  }
}

void append_verdict(Page& page, const ProbeFinding& finding) {
  const ProbeVerdict verdict = judge(finding);
  page.line("");
  if (verdict.best == nullptr) {
    page.line(page.bad(fmt::format("No port of {} is usable.", printable(finding.endpoint.host))));
    append_next(page, finding);
    return;
  }
  page.line(page.bold(
      fmt::format("Use port {}, {}.", verdict.best->port, words_of(verdict.best->security))));
  const std::string indent(13, ' ');
  for (std::size_t index = 0; index < verdict.reasons.size(); ++index) {
    page.wrapped(fmt::format("  {:<11}", index == 0 ? "why" : ""), indent,
                 printable(verdict.reasons[index]));
  }
  page.wrapped(fmt::format("  {:<11}", "mode"), indent, mode_text(verdict));
  if (verdict.round_trip_ms > 0) {
    page.wrapped(fmt::format("  {:<11}", "speed"), indent, rate_text_of(verdict));
  }
  page.line("");
  std::string_view toml = verdict.toml;
  while (!toml.empty()) {
    const std::string_view one = toml.substr(0, toml.find('\n'));
    page.line(fmt::format("  {}", one));
    toml.remove_prefix(std::min(one.size() + 1, toml.size()));
  }
  page.line("");
  page.line(fmt::format("  or  ringpost send -e '{}' jobs.jsonl", verdict.url));
}

}  // namespace

std::string probe_text(const ProbeFinding& finding, const ProbeReportOptions& options) {
  Page page(options.color, options.columns);
  append_head(page, finding);
  if (finding.ports.empty()) {
    const FaultWords words = explain_name(finding);
    page.wrapped(fmt::format("  {:<11}", "problem"), std::string(13, ' '), words.what);
    append_advice(page, words.next);
  }
  for (const PortFinding& port : finding.ports) {
    append_port(page, port, finding, options);
  }
  append_verdict(page, finding);
  return finding.domain ? page.text() + domain_text(*finding.domain, options) : page.text();
}

}  // namespace ringpost::cli
