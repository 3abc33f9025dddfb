// The problem: options come from flags, files and programs that embed the engine, and a wrong one
// shows late, when threads run, or never, when it is a password in clear. The idea: one function
// looks at them before anything is started, and says the first mistake in a sentence for people.
// Limits: nothing is opened or looked up, so hosts and files that do not exist show when they are
// used; weights are taken as they are.
#include <algorithm>
#include <cmath>

#include "codec/mail/header_text.h"
#include "codec/smtp/sasl.h"
#include "engine/login_source.h"
#include <ringpost/config.h>

namespace ringpost {

namespace {

bool has_line_break_or_nul(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// Empty: none.
std::string mistake_in_numbers(const EndpointOptions& endpoint) {
  const double rate = endpoint.messages_per_second_max;
  if (endpoint.connections_max == 0) {
    return "at least one connection is needed";
  }
  if (!std::isfinite(rate) || rate < 0) {
    return "the rate is a number of messages a second, or 0 for no limit";
  }
  if (endpoint.recipients_max == 0 || endpoint.attempts_max == 0) {
    return "at least one recipient a transaction, and one attempt, are needed";
  }
  if (endpoint.messages_in_flight_max > limits::flight_messages_limit) {
    return "at most " + std::to_string(limits::flight_messages_limit) +
           " messages may be in flight on one session";
  }
  return {};
}

}  // namespace

std::string written_host(const EndpointOptions& endpoint) {
  return endpoint.host_is_absolute ? endpoint.host + "." : endpoint.host;
}

std::string first_mistake(const EngineOptions& options) {
  if (options.endpoints.empty()) {
    return "no endpoint was given";
  }
  if (options.cores == 0 || options.cores > 1024) {
    return "the number of cores must be between 1 and 1024";
  }
  if (options.jobs_in_flight_max == 0 || options.job_bytes_in_flight_max == 0) {
    return "at least one job, and one octet of it, must be allowed in flight";
  }
  if (options.journal != nullptr && options.jobs_in_flight_max > limits::jobs_in_flight_max) {
    return "with a journal at most " + std::to_string(limits::jobs_in_flight_max) +
           " jobs may be in flight";
  }
  for (std::size_t i = 0; i < options.endpoints.size(); ++i) {
    const EndpointOptions& endpoint = options.endpoints[i];
    const std::string who = "endpoint \"" + endpoint.name + "\": ";
    for (std::size_t j = 0; j < i; ++j) {
      if (options.endpoints[j].name == endpoint.name) {
        return who + "two endpoints have this name";
      }
    }
    if (endpoint.host.empty()) {
      return who + "no host";
    }
    if (endpoint.port == 0) {
      return who + "no port";
    }
    if (const std::string mistake = mistake_in_numbers(endpoint); !mistake.empty()) {
      return who + mistake;
    }
    const bool unsafe =
        has_line_break_or_nul(endpoint.username) || has_line_break_or_nul(endpoint.password) ||
        has_line_break_or_nul(endpoint.client_name) || has_line_break_or_nul(endpoint.host);
    if (unsafe) {
      return who + "a host, client name, user name or password holds a line break or NUL";
    }
    if (!endpoint.idempotency_header.empty() &&
        !codec::is_field_name(endpoint.idempotency_header)) {
      return who + "the idempotency header is not the name of a header field";
    }
    if (!codec::valid_credentials(engine::credentials_of(endpoint))) {
      return who + "the token is not one: it has blanks, controls or letters beyond ASCII";
    }
    if (endpoint.read_token && (endpoint.username.empty() || !endpoint.password.empty() ||
                                endpoint.security == TransportSecurity::none)) {
      return who + "a token needs a user name and TLS, and takes the place of a password";
    }
    if (endpoint.read_token && endpoint.auth && !codec::takes_token(*endpoint.auth)) {
      return who + "this mechanism takes a password and no token";
    }
    if (endpoint.client_certificate_file.empty() != endpoint.client_key_file.empty()) {
      return who + "a client certificate and its key go together";
    }
    const bool in_clear = endpoint.security == TransportSecurity::none;
    if (in_clear && !endpoint.username.empty() && !endpoint.allow_plaintext_auth) {
      return who +
             "credentials are not sent without TLS; remove the user name, or set "
             "allow_plaintext_auth for a server that you reach over a network you trust";
    }
  }
  return {};
}

std::size_t jobs_active_max(const EngineOptions& options) {
  constexpr std::size_t least = 256;
  std::size_t in_sessions = 0;
  for (const EndpointOptions& endpoint : options.endpoints) {
    const bool one_at_a_time = endpoint.pipelining != PipeliningOption::automatic;
    const std::size_t messages = one_at_a_time ? 1
                                 : endpoint.messages_in_flight_max > 0
                                     ? endpoint.messages_in_flight_max
                                     : limits::flight_messages_max;
    in_sessions += endpoint.connections_max * messages;
  }
  return std::clamp(2 * in_sessions, least, std::max(least, options.jobs_in_flight_max));
}

}  // namespace ringpost
