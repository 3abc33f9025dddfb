// The problem: "connection timed out" names what was seen, and not what to do. The idea: each fault
// has a sentence and a few steps, the likeliest to help first, which look at all that is known: the
// port's number, what the others did, the server's own words, names and dates of its certificate.
// Limits: causes are guessed from experience; the steps name flags and URLs of this program, and
// are kept in step by hand.
#include "tools/probe/probe_advice.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "engine/submission_port.h"
#include "tools/probe/probe_run.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_url.h"

namespace ringpost::cli {

namespace {

constexpr std::int64_t seconds_of_day = 86'400;

std::string host_and_port(const PortFinding& port, const ProbeFinding& finding) {
  const bool is_ipv6 = finding.endpoint.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", finding.endpoint.host, port.port)
                 : fmt::format("{}:{}", finding.endpoint.host, port.port);
}

std::string try_other_ports(const ProbeFinding& finding) {
  const std::string left = untried_ports(finding);
  return left.empty() ? std::string() : fmt::format("try port {}: add --all-ports", left);
}

std::string waited(const ProbeFinding& finding) { return duration_text(finding.timeout); }

// ---- Before there is a connection --------------------------------------------------------------

FaultWords explain_blocked(const PortFinding& port, const ProbeFinding& finding) {
  FaultWords words;
  words.what =
      fmt::format("no answer within {}: this is what a blocked port looks like", waited(finding));
  if (port.port == relay_port) {
    words.next.emplace_back(
        "cloud providers and ISPs block outgoing port 25 nearly everywhere; it is for mail between "
        "servers, and submission has ports of its own (587, 465, 2525)");
  } else {
    words.next.emplace_back(
        "a firewall on the way drops the packets: cloud providers and ISPs do so with 25, and "
        "often with 587 and 465");
  }
  const std::string left = untried_ports(finding);
  if (!left.empty()) {
    words.next.push_back(fmt::format(
        "try port {} (2525 is there for this case at most ESPs): add --all-ports", left));
  }
  words.next.emplace_back(
      "or ask who runs this network to allow outgoing TCP to this port (many cloud providers have "
      "a "
      "form for it)");
  return words;
}

FaultWords explain_connect(const PortFinding& port, const ProbeFinding& finding) {
  if (port.fault == ProbeFault::no_answer) {
    return explain_blocked(port, finding);
  }
  FaultWords words;
  if (port.fault == ProbeFault::refused) {
    words.what = fmt::format("connection refused: the host answers, and nothing listens on port {}",
                             port.port);
    words.next.emplace_back("check host and port with the server's documentation");
  } else if (port.fault == ProbeFault::unreachable) {
    words.what = "no way to the host: " + port.fault_detail;
    words.next.emplace_back("check this machine's network and its routes (ip route)");
    words.next.emplace_back(
        "an IPv6 address and no IPv4 one needs IPv6 here, and the other way round");
  } else {
    words.what = "no connection: " + port.fault_detail;
    words.next.emplace_back("a firewall on this machine may forbid it");
  }
  if (std::string others = try_other_ports(finding); !others.empty()) {
    words.next.push_back(std::move(others));
  }
  return words;
}

// ---- The dialogue ------------------------------------------------------------------------------

FaultWords explain_silence(const PortFinding& port, const ProbeFinding& finding) {
  if (port.fault == ProbeFault::tls_expected) {
    return {
        fmt::format("no greeting came, but TLS is answered: port {} is TLS from the first "
                    "octet, and STARTTLS was expected",
                    port.port),
        {fmt::format("use smtps://{} (security = \"implicit\")", host_and_port(port, finding))}};
  }
  FaultWords words;
  words.what = fmt::format("connected, but no greeting came within {}", waited(finding));
  words.next.emplace_back(
      "some servers make clients wait on purpose: try a longer time (--timeout 60s)");
  words.next.emplace_back(
      "or something on the way takes connections in the server's place: a proxy, a firewall");
  if (std::string others = try_other_ports(finding); !others.empty()) {
    words.next.push_back(std::move(others));
  }
  return words;
}

FaultWords explain_greeting(const PortFinding& port, const ProbeFinding& finding) {
  const std::string said = answer_text(port.fault_answer);
  if (port.fault_answer.code / 100 == 4) {
    return {fmt::format("the server refused the connection for now: {}", said),
            {"it is busy, or has enough connections from this address: try later, with fewer"}};
  }
  FaultWords words;
  words.what = fmt::format("the server refused the connection: {}", said);
  words.next.emplace_back("this machine's address may be on a block list; its words tell which");
  if (std::string others = try_other_ports(finding); !others.empty()) {
    words.next.push_back(others + " (submission ports ask for a login, not for a reputation)");
  }
  return words;
}

bool keywords_are_masked(const PortFinding& port) {
  // What Cisco's SMTP inspection writes over keywords that it does not like.
  constexpr std::string_view mask = "\x58\x58\x58\x58";
  return port.hello &&
         std::any_of(port.hello->keywords.begin(), port.hello->keywords.end(),
                     [mask](const std::string& keyword) { return keyword.starts_with(mask); });
}

FaultWords explain_starttls(const PortFinding& port, const ProbeFinding& finding) {
  if (port.fault == ProbeFault::starttls_injected) {
    return {
        "octets in clear stood behind the answer to STARTTLS: an attack, or a broken server",
        {"nothing was sent; use TLS from the first octet (smtps://, port 465) if there is any"}};
  }
  FaultWords words;
  if (port.fault == ProbeFault::starttls_refused) {
    words.what = fmt::format("the server refused STARTTLS: {}", answer_text(port.fault_answer));
    words.next.emplace_back("its certificate may be missing: ask who runs it, or try later");
    return words;
  }
  words.what =
      "STARTTLS is not announced, and it is required: neither mail nor password was sent in clear";
  if (keywords_are_masked(port)) {
    words.next.emplace_back(
        "a firewall on the way writes over the server's keywords: its SMTP inspection must be "
        "switched off");
  }
  if (std::string others = try_other_ports(finding); !others.empty()) {
    words.next.push_back(others + " (465 has TLS from the first octet)");
  }
  words.next.push_back(fmt::format("for a relay of your own without TLS: smtp://{}?tls=none",
                                   host_and_port(port, finding)));
  return words;
}

FaultWords explain_certificate(const PortFinding& port, const ProbeFinding& finding) {
  FaultWords words;
  const TlsFinding found = port.tls.value_or(TlsFinding{});
  const std::int64_t now = finding.unix_seconds;
  const std::vector<std::string> problems = certificate_problems(found, finding.endpoint.host, now);
  words.what = "the certificate is refused: " +
               (problems.empty() ? printable(port.fault_detail) : joined(problems, "; "));
  const auto any = [&found](auto is_so) {
    return std::any_of(found.certificates.begin(), found.certificates.end(), is_so);
  };
  if (any([now](const tls::PeerCertificate& one) { return one.not_after < now; })) {
    words.next.emplace_back("the server's owner must renew it, unless this clock is wrong");
  }
  if (any([now](const tls::PeerCertificate& one) { return one.not_before > now; })) {
    words.next.emplace_back("check this machine's clock");
  }
  if (!found.certificates.empty() &&
      !tls::names_match(found.certificates.front().names, finding.endpoint.host)) {
    words.next.emplace_back("use a name that is in the certificate as the host");
  }
  if (found.error && !found.error->advice.empty()) {
    words.next.push_back(printable(found.error->advice));
  }
  if (found.error && found.error->kind == tls::TlsErrorKind::unknown_authority) {
    if (found.error->advice.empty()) {
      words.next.emplace_back(
          "a private CA is trusted with ?ca=FILE (ca_file = \"FILE\"): its certificate as PEM");
    }
    words.next.emplace_back("if it should be a public one, something on the way may open TLS");
  }
  if (words.next.empty()) {
    words.next.emplace_back("ask the server's owner");
  }
  words.next.emplace_back("no credentials were sent");
  return words;
}

// No TLS came where it should have.
FaultWords explain_clear_answer(const PortFinding& port, const ProbeFinding& finding) {
  if (port.security != TransportSecurity::implicit) {
    return {"behind its answer to STARTTLS the server spoke no TLS",
            {"something on the way may take STARTTLS apart: try port 465 (smtps://)"}};
  }
  const std::string& came = port.fault_answer.text;
  const bool is_greeting = came.starts_with("220");
  FaultWords words;
  words.what =
      fmt::format("the answer to TLS was in clear ({}): {}", in_quotes(came),
                  is_greeting ? "this is a STARTTLS port" : "perhaps this is a STARTTLS port");
  words.next.push_back(
      port.port == submissions_port
          ? fmt::format("use smtp://{} (port 587)", finding.endpoint.host)
          : fmt::format("use smtp://{} (security = \"starttls\")", host_and_port(port, finding)));
  return words;
}

FaultWords explain_tls(const PortFinding& port, const ProbeFinding& finding) {
  if (port.fault == ProbeFault::not_tls) {
    return explain_clear_answer(port, finding);
  }
  if (port.fault == ProbeFault::certificate) {
    return explain_certificate(port, finding);
  }
  if (port.fault == ProbeFault::tls_version) {
    return {"no TLS version or cipher in common: " + printable(port.fault_detail),
            {"the server must offer TLS 1.2 with AEAD ciphers, or TLS 1.3"}};
  }
  return {"TLS failed: " + printable(port.fault_detail),
          {"try again; if it stays, ask the server's owner what its log says"}};
}

std::string offered_mechanisms(const PortFinding& port) {
  const EhloReply* const offer = port.offer();
  std::string text;
  for (const std::string& keyword :
       offer == nullptr ? std::vector<std::string>() : offer->keywords) {
    if (keyword.size() > 5 && (keyword.starts_with("AUTH ") || keyword.starts_with("AUTH="))) {
      text = printable(Bytes(keyword).substr(5));
    }
  }
  return text;
}

FaultWords explain_auth(const PortFinding& port, const ProbeFinding& finding) {
  if (port.fault == ProbeFault::auth_missing) {
    const std::string offered = offered_mechanisms(port);
    if (!offered.empty()) {
      return {fmt::format("no login that ringpost knows: offered are {}, known PLAIN and LOGIN",
                          offered),
              {"ask the ESP for an SMTP user with a password or an API key"}};
    }
    FaultWords words;
    words.what = "AUTH is not announced, and there are credentials: they were not sent";
    if (std::string others = try_other_ports(finding); !others.empty()) {
      words.next.push_back(std::move(others));
    }
    words.next.emplace_back("a relay that lets this address in needs no user name: leave it out");
    return words;
  }
  const std::string said = answer_text(port.fault_answer);
  if (port.fault == ProbeFault::auth_deferred) {
    return {fmt::format("the login was put off: {}", said),
            {"too many tries, or a fault at the server: wait a few minutes"}};
  }
  const std::string tried = printable(port.fault_detail);  // and what is offered
  if (port.fault == ProbeFault::mechanism_refused) {
    return {fmt::format("the server took no way to log in: {} ({})", said, tried),
            {"name another one that it offers (?auth=login, auth = \"login\"), or ask the server's "
             "owner which it takes"}};
  }
  const std::string check =
      "check user name and password; many ESPs want a fixed user name such as apikey, or SMTP "
      "credentials that differ from those of the web site";
  return {fmt::format("the login{} was refused: {}{}",
                      finding.username_is_password ? std::string()
                                                   : " of " + in_quotes(finding.endpoint.username),
                      said, tried.empty() ? "" : " (" + tried + ")"),
          {finding.login_hint.empty() ? check : finding.login_hint,
           "check that the account and this machine's address are allowed to submit"}};
}

FaultWords explain_rest(const PortFinding& port, const ProbeFinding& finding) {
  const std::string_view step = name_of(port.fault_step);
  const std::string said = answer_text(port.fault_answer);
  if (port.fault == ProbeFault::closed && port.fault_step == ProbeStep::greeting) {
    return {
        "the server closed the connection in place of a greeting",
        {"it may limit or block this address: wait a few minutes, then ask the ESP",
         "if nothing else is known of the port, it may want TLS from the first octet: smtps://"}};
  }
  if (port.fault == ProbeFault::closed) {
    return {said.empty() ? fmt::format("the server closed the connection at {}", step)
                         : fmt::format("the server ended the session at {}: {}", step, said),
            {"it may limit or block this address: wait a few minutes, then ask the ESP"}};
  }
  if (port.fault == ProbeFault::timed_out) {
    return {fmt::format("no answer at {} within {}", step, waited(finding)),
            {"try a longer time (--timeout 60s)"}};
  }
  if (port.fault == ProbeFault::not_smtp) {
    return {fmt::format("what came at {} is not SMTP: {}", step, printable(port.fault_detail)),
            {"check host and port; a proxy or a portal of the network may answer instead"}};
  }
  if (port.fault == ProbeFault::ehlo_refused) {
    return {fmt::format("the server refused EHLO: {}", said),
            {"it may want another name of this machine: client_name in ringpost.toml"}};
  }
  return {fmt::format("the connection broke at {}: {}", step, printable(port.fault_detail)),
          {"try again"}};
}

std::string certificate_for(const tls::PeerCertificate& certificate) {
  const std::string names = tls::describe(certificate.names);
  return names.empty() ? "it names no host" : "it is for " + names;
}

}  // namespace

std::int64_t days_left(const tls::PeerCertificate& certificate, std::int64_t unix_seconds) {
  const std::int64_t left = certificate.not_after - unix_seconds;
  return left >= 0 ? left / seconds_of_day : -((-left + seconds_of_day - 1) / seconds_of_day);
}

std::string date_text(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(unix_seconds)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(moment)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::vector<std::string> certificate_problems(const TlsFinding& found, const std::string& host,
                                              std::int64_t unix_seconds) {
  std::vector<std::string> problems;
  // What was sent beside a good path is of no consequence.
  const std::size_t count = found.verified ? std::min<std::size_t>(1, found.certificates.size())
                                           : found.certificates.size();
  for (std::size_t index = 0; index < count; ++index) {
    const tls::PeerCertificate& certificate = found.certificates[index];
    const std::string who = index == 0 ? "it"
                                       : fmt::format("the CA certificate {} above it",
                                                     in_quotes(certificate.subject_common_name));
    if (certificate.not_after < unix_seconds) {
      const std::int64_t days = (unix_seconds - certificate.not_after) / seconds_of_day;
      problems.push_back(fmt::format("{} expired on {} ({})", who, date_text(certificate.not_after),
                                     days == 0   ? "today"
                                     : days == 1 ? "a day ago"
                                                 : fmt::format("{} days ago", days)));
    } else if (certificate.not_before > unix_seconds) {
      problems.push_back(
          fmt::format("{} is not valid before {}", who, date_text(certificate.not_before)));
    }
  }
  if (!found.certificates.empty() && !tls::names_match(found.certificates.front().names, host)) {
    const tls::PeerCertificate& leaf = found.certificates.front();
    problems.push_back(
        tls::has_address_as_name(leaf.names, host)
            ? fmt::format("it has {} as a DNS name, which does not count for an address", host)
            : fmt::format("{} and not for {}", certificate_for(leaf), host));
  }
  if (found.error &&
      (found.error->kind == tls::TlsErrorKind::unknown_authority ||
       found.error->kind == tls::TlsErrorKind::bad_certificate || problems.empty())) {
    problems.push_back(printable(found.error->detail));
  }
  return problems;
}

std::string answer_text(const SmtpAnswer& answer) {
  if (answer.code == 0) {
    return {};
  }
  std::string text = fmt::format("{}{}{} {}", answer.code, answer.enhanced.empty() ? "" : " ",
                                 answer.enhanced, answer.text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return printable(text);
}

std::string_view words_of(TransportSecurity security) {
  switch (security) {
    case TransportSecurity::starttls:
      return "STARTTLS";
    case TransportSecurity::implicit:
      return "TLS from the first octet";
    case TransportSecurity::none:
      return "no TLS";
  }
  RP_ASSERT(false);
}

std::string untried_ports(const ProbeFinding& finding) {
  std::vector<std::string> left;
  for (const std::uint16_t port : submission_ports) {
    const bool tried =
        std::any_of(finding.ports.begin(), finding.ports.end(),
                    [port](const PortFinding& probed) { return probed.port == port; });
    if (!tried && port != relay_port) {
      left.push_back(std::to_string(port));
    }
  }
  if (left.size() < 2) {
    return joined(left, "");
  }
  const std::string last = std::move(left.back());
  left.pop_back();
  return joined(left, ", ") + " or " + last;
}

FaultWords explain_name(const ProbeFinding& finding) {
  if (finding.dns.may_resolve_later) {
    return {fmt::format("the name server failed: {}", printable(finding.dns.error)),
            {"check this machine's DNS (/etc/resolv.conf) and its network, and try again"}};
  }
  return {printable(finding.dns.error), {"check the spelling of the host name"}};
}

FaultWords explain_fault(const PortFinding& port, const ProbeFinding& finding) {
  switch (port.fault) {
    case ProbeFault::refused:
    case ProbeFault::no_answer:
    case ProbeFault::unreachable:
    case ProbeFault::connect_failed:
      return explain_connect(port, finding);
    case ProbeFault::silent:
    case ProbeFault::tls_expected:
      return explain_silence(port, finding);
    case ProbeFault::greeting_refused:
      return explain_greeting(port, finding);
    case ProbeFault::starttls_missing:
    case ProbeFault::starttls_refused:
    case ProbeFault::starttls_injected:
      return explain_starttls(port, finding);
    case ProbeFault::not_tls:
    case ProbeFault::certificate:
    case ProbeFault::tls_version:
    case ProbeFault::tls_failed:
      return explain_tls(port, finding);
    case ProbeFault::auth_missing:
    case ProbeFault::auth_refused:
    case ProbeFault::auth_deferred:
    case ProbeFault::mechanism_refused:
      return explain_auth(port, finding);
    case ProbeFault::closed:
    case ProbeFault::not_smtp:
    case ProbeFault::ehlo_refused:
    case ProbeFault::timed_out:
    case ProbeFault::broken:
      return explain_rest(port, finding);
    case ProbeFault::none:
      break;
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::cli
