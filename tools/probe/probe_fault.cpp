// The problem: the machine, TLS and the session each have their own errors, and one end means
// several things: silence before the greeting may be a port that waits for TLS, behind it a slow
// server. The idea: the kind and the state in which it happened decide together, and switches name
// every kind, so that a new one cannot be forgotten. Limits: what cannot happen in a probe counts
// as broken.
#include "tools/probe/probe_fault.h"

#include <cerrno>

namespace ringpost::cli {

namespace {

using protocol::CloseKind;
using protocol::SessionState;

ProbeFault fault_of_auth(const protocol::CloseReason& reason) {
  return reason.permanent ? ProbeFault::auth_refused : ProbeFault::auth_deferred;
}

}  // namespace

ProbeFault fault_of(tls::TlsErrorKind kind) {
  switch (kind) {
    case tls::TlsErrorKind::unknown_authority:
    case tls::TlsErrorKind::wrong_host:
    case tls::TlsErrorKind::expired:
    case tls::TlsErrorKind::not_yet_valid:
    case tls::TlsErrorKind::bad_certificate:
      return ProbeFault::certificate;
    case tls::TlsErrorKind::no_common_version:
      return ProbeFault::tls_version;
    case tls::TlsErrorKind::not_tls:
      return ProbeFault::not_tls;
    case tls::TlsErrorKind::closed:
    case tls::TlsErrorKind::truncated:
    case tls::TlsErrorKind::peer_alert:
    case tls::TlsErrorKind::local_file:
    case tls::TlsErrorKind::internal:
      return ProbeFault::tls_failed;
  }
  RP_ASSERT(false);
}

ProbeFault fault_of_connect(int error) {
  switch (error) {
    case ECONNREFUSED:
      return ProbeFault::refused;
    case ETIMEDOUT:
      return ProbeFault::no_answer;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return ProbeFault::unreachable;
    default:
      return ProbeFault::connect_failed;
  }
}

ProbeFault fault_of(const protocol::CloseReason& reason, SessionState state) {
  const bool greeting = state == SessionState::greeting;
  switch (reason.kind) {
    case CloseKind::peer_closed:
      return ProbeFault::closed;
    case CloseKind::peer_closing:
      return greeting                      ? ProbeFault::greeting_refused
             : state == SessionState::auth ? ProbeFault::auth_deferred
                                           : ProbeFault::closed;
    case CloseKind::timeout:
      return greeting ? ProbeFault::silent : ProbeFault::timed_out;
    case CloseKind::protocol_error:
      return ProbeFault::not_smtp;
    case CloseKind::starttls_missing:
      return ProbeFault::starttls_missing;
    case CloseKind::starttls_refused:
      return ProbeFault::starttls_refused;
    case CloseKind::starttls_injected:
      return ProbeFault::starttls_injected;
    case CloseKind::greeting_refused:
      return ProbeFault::greeting_refused;
    case CloseKind::ehlo_refused:
      return ProbeFault::ehlo_refused;
    case CloseKind::auth_missing:
    case CloseKind::auth_in_clear:
      return ProbeFault::auth_missing;
    case CloseKind::auth_refused:
      return fault_of_auth(reason);
    case CloseKind::mechanism_refused:
      return ProbeFault::mechanism_refused;
    case CloseKind::quit:
    case CloseKind::aborted:
    case CloseKind::connect_failed:
    case CloseKind::chunking_refused:
    case CloseKind::way_refused:
    case CloseKind::login_wanted:
    case CloseKind::all_refused:
    case CloseKind::rate_refused:
    case CloseKind::io_error:
    case CloseKind::tls_failed:
    case CloseKind::token_unavailable:
      return ProbeFault::broken;
  }
  RP_ASSERT(false);
}

ProbeStep step_of(SessionState state) {
  switch (state) {
    case SessionState::greeting:
      return ProbeStep::greeting;
    case SessionState::hello:
      return ProbeStep::hello;
    case SessionState::starttls:
      return ProbeStep::starttls;
    case SessionState::handshake:
      return ProbeStep::tls;
    case SessionState::hello_tls:
      return ProbeStep::hello_tls;
    case SessionState::auth:
    case SessionState::ready:
    case SessionState::quitting:
    case SessionState::closed:
      return ProbeStep::auth;
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::cli
