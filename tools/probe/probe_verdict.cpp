// The problem: several ports work, and people want to be told one, and what to write down. The
// idea: they are ranked by what lasts: the login, TLS, that it is no relay port, extensions, and
// round trips rather than times, which are chance in a single probe. URL and section are written as
// what reads them wants them. Limits: of an endpoint's settings only those that make a port usable
// are written: no mechanism and no client certificate.
#include "tools/probe/probe_verdict.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "engine/submission_port.h"
#include "tools/probe/probe_advice.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/secret.h"

namespace ringpost::cli {

namespace {

SubmissionMode mode_of(const PortFinding& port) {
  const EhloReply* const offer = port.offer();
  return offer == nullptr ? SubmissionMode::lock_step : submission_mode(offer->capabilities);
}

// The smaller, the better.
auto rank(const PortFinding& port, const ProbeFinding& finding) {
  const bool lacks_login = finding.password_known && !port.auth.accepted;
  const bool in_clear = port.security == TransportSecurity::none;
  return std::make_tuple(lacks_login, in_clear, port.port == relay_port,
                         -static_cast<int>(mode_of(port)), port.round_trips);
}

const PortFinding* find_best(const ProbeFinding& finding) {
  const PortFinding* best = nullptr;
  for (const PortFinding& port : finding.ports) {
    if (port.usable() && (best == nullptr || rank(port, finding) < rank(*best, finding))) {
      best = &port;
    }
  }
  return best;
}

double quickest_reply_ms(const PortFinding& port) {
  double quickest = -1;
  for (const ProbeStep step : {ProbeStep::hello, ProbeStep::hello_tls, ProbeStep::starttls}) {
    const double ms = port.ms_of(step);
    if (ms >= 0 && (quickest < 0 || ms < quickest)) {
      quickest = ms;
    }
  }
  return std::max(quickest, 0.0);
}

std::string login_reason(const ProbeFinding& finding, const PortFinding& best) {
  if (best.auth.accepted) {
    return best.security == TransportSecurity::none
               ? "the login was accepted, without TLS: anybody on the way can read the password"
               : "TLS is verified and the login was accepted";
  }
  const std::string tls = best.security == TransportSecurity::none ? "no TLS" : "TLS is verified";
  if (finding.endpoint.username.empty() && !finding.username_is_password) {
    return tls + "; no credentials were given, so that no login was tried";
  }
  return tls + (finding.password_known ? "; no login was tried here"
                                       : "; no login was tried, for want of a password");
}

// In what the best port is ahead of the others that work.
std::string comparison(const ProbeFinding& finding, const PortFinding& best) {
  std::vector<std::string> others;
  std::uint32_t most_round_trips = 0;
  for (const PortFinding& port : finding.ports) {
    if (&port != &best && port.usable()) {
      others.push_back(std::to_string(port.port));
      most_round_trips = std::max(most_round_trips, port.round_trips);
    }
  }
  if (others.empty()) {
    return {};
  }
  std::string text =
      fmt::format("{} {} as well", joined(others, " and "), others.size() == 1 ? "works" : "work");
  if (most_round_trips > best.round_trips) {
    text += fmt::format("; {} is ready after {} round trips instead of {}", best.port,
                        best.round_trips, most_round_trips);
  }
  return text;
}

std::string quoted(Bytes text) {
  std::string out;
  codec::append_json_string(out, text);  // a JSON string is a TOML string, too
  return out;
}

// "example" for smtp.example.com.
std::string short_name(const std::string& host) {
  const std::size_t last = host.rfind('.');
  if (last == std::string::npos || host.find(':') != std::string::npos ||
      host.find_first_not_of("0123456789.") == std::string::npos) {
    return endpoint_name_offence(host) || last != std::string::npos ? "esp" : host;
  }
  const std::size_t before = host.rfind('.', last - 1);
  std::string name = host.substr(before == std::string::npos ? 0 : before + 1,
                                 last - (before == std::string::npos ? 0 : before + 1));
  return endpoint_name_offence(name) ? "esp" : name;
}

std::string percent_encoded(Bytes text) {
  constexpr Bytes plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
  std::string out;
  for (const char character : text) {
    if (plain.find(character) != Bytes::npos) {
      out.push_back(character);
    } else {
      out += fmt::format("%{:02X}", static_cast<std::uint8_t>(character));
    }
  }
  return out;
}

std::string username_encoded(Bytes username) {
  std::string text = percent_encoded(username);
  for (std::size_t slash = text.find('/'); slash != std::string::npos; slash = text.find('/')) {
    text.replace(slash, 1, "%2F");
  }
  return text;
}

}  // namespace

std::string url_of(const ProbeFinding& finding, const PortFinding& port) {
  const EndpointOptions& endpoint = finding.endpoint;
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  const bool in_clear = port.security == TransportSecurity::none;
  std::string url = port.security == TransportSecurity::implicit ? "smtps://" : "smtp://";
  if (!endpoint.username.empty() && !in_clear) {
    url += username_encoded(endpoint.username) + "@";
  }
  url += is_ipv6 ? fmt::format("[{}]", endpoint.host) : written_host(endpoint);
  if (port.port != default_port(port.security)) {
    url += fmt::format(":{}", port.port);
  }
  if (in_clear) {
    return url + "?tls=none";
  }
  char separator = '?';
  if (!endpoint.ca_file.empty()) {
    url += fmt::format("{}ca={}", separator, percent_encoded(endpoint.ca_file));
    separator = '&';
  }
  if (!endpoint.verify_certificate) {
    url += fmt::format("{}verify=off", separator);
  }
  return url;
}

std::string toml_of(const ProbeFinding& finding, const PortFinding& port) {
  const EndpointOptions& endpoint = finding.endpoint;
  const std::string name = finding.is_configured ? finding.name : short_name(endpoint.host);
  const bool needs_quotes = name.find('.') != std::string::npos;
  std::string toml =
      fmt::format("[endpoint.{}]\nhost = {}\nport = {}\n", needs_quotes ? quoted(name) : name,
                  quoted(written_host(endpoint)), port.port);
  if (port.security != default_security(port.port)) {
    toml += fmt::format("security = {}\n", quoted(name_of(port.security)));
  }
  const bool logs_in = !endpoint.username.empty() || finding.username_is_password;
  if (logs_in && (port.auth.accepted || !port.wants_auth)) {
    toml += finding.username_is_password
                ? std::string("username_is_password = true\n")
                : fmt::format("username = {}\n", quoted(endpoint.username));
    toml += fmt::format("# password_command = \"...\", password_file = \"...\" or {}\n",
                        password_variable(name));
    if (port.security == TransportSecurity::none) {
      toml += "allow_plaintext_auth = true\n";
    }
  }
  if (!endpoint.ca_file.empty() && port.security != TransportSecurity::none) {
    toml += fmt::format("ca_file = {}\n", quoted(endpoint.ca_file));
  }
  if (!endpoint.verify_certificate && port.security != TransportSecurity::none) {
    toml += "verify = false\n";
  }
  return toml;
}

ProbeVerdict judge(const ProbeFinding& finding) {
  ProbeVerdict verdict;
  verdict.best = find_best(finding);
  if (verdict.best == nullptr) {
    return verdict;
  }
  const PortFinding& best = *verdict.best;
  verdict.mode = mode_of(best);
  verdict.round_trip_ms = quickest_reply_ms(best);
  verdict.url = url_of(finding, best);
  verdict.toml = toml_of(finding, best);
  verdict.reasons.push_back(login_reason(finding, best));
  if (best.tls && !best.tls->verified) {
    verdict.reasons.back() =
        "the certificate is not verified (verify=off): anybody on the way can pose as the server";
  }
  if (std::string compared = comparison(finding, best); !compared.empty()) {
    verdict.reasons.push_back(std::move(compared));
  }
  return verdict;
}

}  // namespace ringpost::cli
