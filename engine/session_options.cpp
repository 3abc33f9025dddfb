// Users think of endpoints and sessions of protocol: "pipelining: automatic, no BDAT" is one of
// four ways to speak, and one --timeout bounds several waits of which some have smaller bounds of
// their own. Whatever speaks to a server as a run would, a probe or a simulation, has to read the
// options in the same way, so nobody else does it.
#include "engine/session_options.h"

#include <algorithm>

#include "engine/client_name.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

protocol::Pipelining pipelining_of(const EndpointOptions& endpoint) {
  switch (endpoint.pipelining) {
    case PipeliningOption::off:
      return protocol::Pipelining::off;
    case PipeliningOption::within:
      return protocol::Pipelining::within;
    case PipeliningOption::automatic:
      return endpoint.chunking ? protocol::Pipelining::flights : protocol::Pipelining::across;
  }
  RP_ASSERT(false);
}

protocol::SessionTimeouts timeouts_of(const EndpointOptions& endpoint) {
  protocol::SessionTimeouts timeouts;
  timeouts.command = endpoint.command_timeout;
  timeouts.greeting = std::min<Duration>(endpoint.command_timeout, limits::greeting_timeout);
  timeouts.data = std::min<Duration>(endpoint.command_timeout, limits::data_timeout);
  timeouts.end_of_data = endpoint.end_of_data_timeout;
  return timeouts;
}

}  // namespace

protocol::TlsMode tls_mode_of(TransportSecurity security) {
  switch (security) {
    case TransportSecurity::starttls:
      return protocol::TlsMode::starttls;
    case TransportSecurity::implicit:
      return protocol::TlsMode::implicit;
    case TransportSecurity::none:
      return protocol::TlsMode::none;
  }
  RP_ASSERT(false);
}

protocol::SessionOptions session_options(const EndpointOptions& endpoint) {
  protocol::SessionOptions session;
  session.client_name = endpoint.client_name.empty() ? default_client_name() : endpoint.client_name;
  session.tls_mode = tls_mode_of(endpoint.security);
  session.authenticate = !endpoint.username.empty();
  session.mechanism = endpoint.auth;
  session.allow_plaintext_auth = endpoint.allow_plaintext_auth;
  session.peer_verified = endpoint.verify_certificate;
  session.pipelining = pipelining_of(endpoint);
  session.messages_in_flight_max = endpoint.messages_in_flight_max;
  session.messages_max = endpoint.messages_per_connection_max;
  session.message_bytes_max = endpoint.message_bytes_max;
  session.recipients_max = std::max(1u, endpoint.recipients_max);
  session.reply_rules = endpoint.reply_rules;
  session.idempotency_header = endpoint.idempotency_header;
  session.timeouts = timeouts_of(endpoint);
  return session;
}

tls::ContextOptions tls_options(const EndpointOptions& endpoint) {
  tls::ContextOptions options;
  options.verify_peer = endpoint.verify_certificate;
  options.ca_file = endpoint.ca_file;
  options.certificate_file = endpoint.client_certificate_file;
  options.key_file = endpoint.client_key_file;
  return options;
}

}  // namespace ringpost::engine
