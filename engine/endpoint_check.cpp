// The problem: the rules of an endpoint were checked where it was read, once for files, once for
// URLs and once more for programs, in three sets of words. The idea: whatever an endpoint came
// from, it ends as the same options, so the rules look at those and name the key that is to blame;
// who knows where its value stood says so. Limits: nothing is opened or looked up, so hosts and
// files that do not exist show when they are used.
#include "engine/endpoint_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/mail/header_text.h"
#include "codec/smtp/sasl.h"
#include "engine/login_source.h"
#include "engine/submission_port.h"

namespace ringpost {

namespace {

using Offence = std::optional<EndpointOffence>;

constexpr std::string_view token_in_clear =
    "a token is not sent without TLS, whatever is allowed (RFC 6750 5.3)";

bool has_line_break_or_nul(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Offence offence_of_rates(const std::vector<QuotaLimit>& rates) {
  std::array<bool, quota_units * quota_periods> is_there{};
  for (const QuotaLimit& rate : rates) {
    if (rate.window.amount == 0 || rate.window.length <= Duration::zero()) {
      return EndpointOffence{"rate", "a rate is one unit at least, in some time"};
    }
    bool& known = is_there[static_cast<std::size_t>(rate.unit) * quota_periods +
                           static_cast<std::size_t>(rate.period)];
    if (std::exchange(known, true)) {
      return EndpointOffence{"rate", "two rates of the same unit and period"};
    }
  }
  return std::nullopt;
}

Offence offence_of_numbers(const EndpointOptions& options) {
  if (options.connections_max == 0) {
    return EndpointOffence{"connections", "at least one connection is needed"};
  }
  if (auto offence = offence_of_rates(options.rates)) {
    return offence;
  }
  if (options.recipients_max == 0 || options.attempts_max == 0) {
    return EndpointOffence{options.recipients_max == 0 ? "recipients_per_message" : "max_attempts",
                           "at least one recipient a transaction, and one attempt, are needed"};
  }
  if (options.messages_in_flight_max > limits::flight_messages_limit) {
    return EndpointOffence{"pipelining", "at most " +
                                             std::to_string(limits::flight_messages_limit) +
                                             " messages may be in flight on one session"};
  }
  return std::nullopt;
}

Offence offence_of_place(const EndpointOptions& options) {
  if (options.host.empty()) {
    return EndpointOffence{"host", "no host"};
  }
  for (const PortOption& port : ports_of(options)) {
    const char* const key = options.ports.empty() ? "port" : "ports";
    if (port.port == 0) {
      return EndpointOffence{key, "no port"};
    }
    if (auto conflict = port_conflict(port.port, port.security)) {
      return EndpointOffence{key, std::move(*conflict)};
    }
  }
  return std::nullopt;
}

Offence offence_of_texts(const EndpointOptions& options) {
  for (const auto& [key, text] : {std::pair{"username", &options.username},
                                  {"password_file", &options.password},
                                  {"client_name", &options.client_name},
                                  {"host", &options.host}}) {
    if (has_line_break_or_nul(*text)) {
      return EndpointOffence{
          key, "a host, client name, user name or password holds a line break or NUL"};
    }
  }
  if (!options.idempotency_header.empty() && !codec::is_field_name(options.idempotency_header)) {
    return EndpointOffence{"idempotency_header",
                           "the idempotency header is not the name of a header field"};
  }
  if (!codec::valid_credentials(engine::credentials_of(options, options.port))) {
    return EndpointOffence{"password_file",
                           "the token is not one: it has blanks, controls or letters beyond ASCII"};
  }
  return std::nullopt;
}

Offence offence_of_login(const EndpointOptions& options) {
  const bool in_clear = has_port_in_clear(options);
  if (in_clear && !options.username.empty() && !options.allow_plaintext_auth) {
    return EndpointOffence{"username",
                           "without TLS the password could be read on the way; "
                           "allow_plaintext_auth = true permits it",
                           EndpointRule::login_in_clear};
  }
  if (options.auth && options.username.empty()) {
    return EndpointOffence{"auth", "a mechanism to log in with needs a user name"};
  }
  if (options.auth && in_clear && codec::takes_token(*options.auth)) {
    return EndpointOffence{"auth", std::string(token_in_clear)};
  }
  if (!options.read_token) {
    return std::nullopt;
  }
  if (!options.password.empty()) {
    return EndpointOffence{"oauth_token", "it stands beside a password; keep one",
                           EndpointRule::token_place};
  }
  if (options.username.empty()) {
    return EndpointOffence{"oauth_token", "a token needs a username, whose it is",
                           EndpointRule::token_place};
  }
  if (in_clear) {
    return EndpointOffence{"oauth_token", std::string(token_in_clear), EndpointRule::token_place};
  }
  if (options.auth && !codec::takes_token(*options.auth)) {
    return EndpointOffence{
        "oauth_token",
        "the mechanism of auth takes a password; xoauth2 and oauthbearer take a token",
        EndpointRule::token_mechanism};
  }
  return std::nullopt;
}

Offence offence_of_certificate(const EndpointOptions& options) {
  const bool has_certificate = !options.client_certificate_file.empty();
  const char* const key = has_certificate ? "client_certificate" : "client_key";
  if (has_certificate == options.client_key_file.empty()) {
    return EndpointOffence{
        key, "client_certificate and client_key go together; there is only one of them",
        EndpointRule::certificate_pair};
  }
  if (has_certificate && !has_port_with_tls(options)) {
    return EndpointOffence{key, "without TLS a certificate means nothing"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<EndpointOffence> endpoint_offence(const EndpointOptions& options) {
  for (const auto find : {offence_of_place, offence_of_numbers, offence_of_texts, offence_of_login,
                          offence_of_certificate}) {
    if (Offence offence = find(options)) {
      return offence;
    }
  }
  return std::nullopt;
}

std::vector<PortOption> ports_of(const EndpointOptions& options) {
  return options.ports.empty() ? std::vector{PortOption{options.port, options.security}}
                               : options.ports;
}

bool has_port_with_tls(const EndpointOptions& options) {
  const auto ports = ports_of(options);
  return std::any_of(ports.begin(), ports.end(), [](const PortOption& port) {
    return port.security != TransportSecurity::none;
  });
}

bool has_port_in_clear(const EndpointOptions& options) {
  const auto ports = ports_of(options);
  return std::any_of(ports.begin(), ports.end(), [](const PortOption& port) {
    return port.security == TransportSecurity::none;
  });
}

std::optional<std::string> port_conflict(std::uint16_t port, TransportSecurity security) {
  if (port == submissions_port && security == TransportSecurity::starttls) {
    return "port 465 is TLS from the first byte (RFC 8314), not STARTTLS: use smtps://, or "
           "security = \"implicit\"";
  }
  const bool begins_in_clear = port == submission_port || port == relay_port;
  if (begins_in_clear && security == TransportSecurity::implicit) {
    return "port " + std::to_string(port) +
           " begins in clear and turns to TLS with STARTTLS: use smtp://, or security = "
           "\"starttls\"";
  }
  return std::nullopt;
}

TransportSecurity security_in_list(std::uint16_t port, TransportSecurity said) {
  const bool says_itself = port == tls_mirror_port || port == ses_mirror_port;
  const bool as_said =
      said == TransportSecurity::none || (!says_itself && !port_conflict(port, said));
  return as_said ? said : default_security(port);
}

}  // namespace ringpost
