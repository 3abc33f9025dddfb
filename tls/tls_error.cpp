// The problem: wolfSSL says "error -188"; the person who reads it owns neither the server nor this
// code and wants to know whose fault it is and what to do next.
//
// The idea: one sentence for each kind, made of what was asked for (peer) and what came (detail),
// and then the one step that usually helps. No sentence advises to switch verification off: the
// step that looks like it (a private CA) is named instead.
//
// Limits: the sentences name options of the command line and of endpoint URLs, which this folder
// knows nothing about otherwise; they have to be kept in step by hand.
#include "tls/tls_error.h"

#include <fmt/format.h>

namespace ringpost::tls {

namespace {

std::string with_detail(std::string sentence, const std::string& detail) {
  if (!detail.empty()) {
    sentence += ": ";
    sentence += detail;
  }
  return sentence;
}

std::string wrong_host_message(const TlsError& error, const std::string& who) {
  if (error.detail.empty()) {
    return fmt::format(
        "the certificate of {} names no host as its subject alternative name (a common name alone "
        "does not count)",
        who);
  }
  return fmt::format("the certificate that came is not for {} but for {}; {}", who, error.detail,
                     error.advice.empty()
                         ? "use the name that is in the certificate as the endpoint's host"
                         : error.advice);
}

// What is known about a certificate that is refused; else what is usual for its kind.
std::string certificate_message(const TlsError& error, const std::string& who,
                                std::string_view usual, std::string_view usual_advice) {
  std::string sentence = error.detail.empty() || error.kind == TlsErrorKind::unknown_authority
                             ? fmt::format("the certificate of {} {}", who, usual)
                             : fmt::format("the certificate of {} cannot be accepted", who);
  sentence = with_detail(std::move(sentence), error.detail);
  const std::string_view advice = error.advice.empty() ? usual_advice : error.advice;
  return advice.empty() ? sentence : fmt::format("{}; {}", sentence, advice);
}

}  // namespace

std::string TlsError::message() const {
  const std::string who = peer.empty() ? "the peer" : peer;
  switch (kind) {
    case TlsErrorKind::unknown_authority:
      return certificate_message(*this, who, "is not signed by any CA trusted here",
                                 "for a private CA add ?ca=FILE to the endpoint");
    case TlsErrorKind::wrong_host:
      return wrong_host_message(*this, who);
    case TlsErrorKind::expired:
      return certificate_message(*this, who, "or of a CA above it has expired",
                                 "its owner must renew it, unless this machine's clock is wrong");
    case TlsErrorKind::not_yet_valid:
      return certificate_message(*this, who, "or of a CA above it is not valid yet",
                                 "check this machine's clock");
    case TlsErrorKind::bad_certificate:
      return certificate_message(*this, who, "cannot be accepted", {});
    case TlsErrorKind::no_common_version:
      return with_detail(
          fmt::format("{} and ringpost have no TLS version or cipher in common; ringpost speaks "
                      "TLS 1.2 and 1.3 with AEAD ciphers",
                      who),
          detail);
    case TlsErrorKind::not_tls:
      return with_detail(
          fmt::format("{} does not speak TLS on this port; smtps:// is for ports with TLS from the "
                      "first octet (465), smtp:// for STARTTLS (587); what came",
                      who),
          detail);
    case TlsErrorKind::peer_alert:
      return with_detail(fmt::format("{} ended TLS with an alert", who), detail);
    case TlsErrorKind::closed:
      return fmt::format("{} closed the connection during the TLS handshake", who);
    case TlsErrorKind::truncated:
      return with_detail(fmt::format("the connection to {} ended without TLS close_notify", who),
                         detail);
    case TlsErrorKind::local_file:
      return with_detail("a file for TLS cannot be used", detail);
    case TlsErrorKind::internal:
      return fmt::format("TLS with {} failed: {} (wolfSSL error {})", who, detail, code);
  }
  return "TLS failed";
}

std::string_view name_of(TlsErrorKind kind) {
  switch (kind) {
    case TlsErrorKind::unknown_authority:
      return "unknown_authority";
    case TlsErrorKind::wrong_host:
      return "wrong_host";
    case TlsErrorKind::expired:
      return "expired";
    case TlsErrorKind::not_yet_valid:
      return "not_yet_valid";
    case TlsErrorKind::bad_certificate:
      return "bad_certificate";
    case TlsErrorKind::no_common_version:
      return "no_common_version";
    case TlsErrorKind::not_tls:
      return "not_tls";
    case TlsErrorKind::peer_alert:
      return "peer_alert";
    case TlsErrorKind::closed:
      return "closed";
    case TlsErrorKind::truncated:
      return "truncated";
    case TlsErrorKind::local_file:
      return "local_file";
    case TlsErrorKind::internal:
      return "internal";
  }
  return "internal";
}

bool is_about_certificate(TlsErrorKind kind) {
  switch (kind) {
    case TlsErrorKind::unknown_authority:
    case TlsErrorKind::wrong_host:
    case TlsErrorKind::expired:
    case TlsErrorKind::not_yet_valid:
    case TlsErrorKind::bad_certificate:
    case TlsErrorKind::local_file:
      return true;
    case TlsErrorKind::no_common_version:
    case TlsErrorKind::not_tls:
    case TlsErrorKind::peer_alert:
    case TlsErrorKind::closed:
    case TlsErrorKind::truncated:
    case TlsErrorKind::internal:
      return false;
  }
  return false;
}

}  // namespace ringpost::tls
