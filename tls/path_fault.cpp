// The problem: "certificate verify failed" sends people to the wrong place: it is the server's
// owner who has to send an intermediate, and the user who has to name a private CA.
//
// The idea: each fault says which certificate has it (the server's own, one that it sent along, one
// of the CA file), what it is, and the one step that mends it.
//
// Limits: as in tls_error.cpp.
#include "tls/path_fault.h"

#include <chrono>

#include <fmt/format.h>

#include "tls/certificate_path.h"
#include "tls/certificate_signature.h"

namespace ringpost::tls {

namespace {

using Kind = PathFaultKind;
using Where = PathFault::Where;

constexpr std::string_view ask_owner = "the server's owner must replace it";

TlsErrorKind kind_of(Kind kind) {
  switch (kind) {
    case Kind::unknown_issuer:
    case Kind::self_signed:
    case Kind::unknown_root:
      return TlsErrorKind::unknown_authority;
    case Kind::expired:
      return TlsErrorKind::expired;
    case Kind::not_yet_valid:
      return TlsErrorKind::not_yet_valid;
    case Kind::malformed:
    case Kind::bad_signature:
    case Kind::weak_signature:
    case Kind::unsupported_signature:
    case Kind::weak_key:
    case Kind::unsupported_key:
    case Kind::unknown_extension:
    case Kind::not_an_authority:
    case Kind::no_signing_authority:
    case Kind::wrong_purpose:
    case Kind::wrong_key_usage:
    case Kind::path_too_long:
    case Kind::name_not_allowed:
    case Kind::too_many_sent:
    case Kind::too_many_on_the_way:
    case Kind::too_much_work:
      break;
  }
  return TlsErrorKind::bad_certificate;
}

// Whom the fault is about.
std::string subject_of(const PathFault& fault) {
  switch (fault.where) {
    case Where::leaf:
      return "it";
    case Where::sent_authority:
      return fmt::format("the CA certificate '{}', which the server sent,", fault.name);
    case Where::trusted_authority:
      return fmt::format("the CA certificate '{}', which is trusted here,", fault.name);
  }
  return "it";
}

std::string explain(const PathFault& fault) {
  const std::string who = subject_of(fault);
  switch (fault.kind) {
    case Kind::malformed:
      return "it is malformed";
    case Kind::unknown_issuer:
      return fmt::format("the certificate of '{}', who issued {}, was not sent and is not trusted",
                         fault.other,
                         fault.where == Where::leaf ? "it" : fmt::format("'{}'", fault.name));
    case Kind::self_signed:
      return "it is self-signed";
    case Kind::unknown_root:
      return fmt::format("the root CA '{}' above it is not trusted", fault.name);
    case Kind::bad_signature:
      return fmt::format("{} is not signed by '{}', who is named as its issuer", who, fault.other);
    case Kind::weak_signature:
      return fmt::format("{} is signed with {}, which can be forged", who, fault.other);
    case Kind::unsupported_signature:
      return fmt::format("{} is signed with {}, which is not supported", who, fault.other);
    case Kind::weak_key:
      return fmt::format("{} has a key ({}) that is too short: 2048 bits are the least for RSA",
                         who, fault.other);
    case Kind::unsupported_key:
      return fmt::format("{} has a key of a kind that is not supported ({}); supported are {}", who,
                         fault.other, supported_keys());
    case Kind::expired:
      return fmt::format("{} expired on {}", who, date_of(fault.when));
    case Kind::not_yet_valid:
      return fmt::format("{} is not valid yet, but only from {} on", who, date_of(fault.when));
    case Kind::unknown_extension:
      return fmt::format("{} has a critical extension that is not known here", who);
    case Kind::not_an_authority:
      return fmt::format("{} is no CA's: its basic constraints do not say that it is", who);
    case Kind::no_signing_authority:
      return fmt::format("{} may not sign certificates: its key usage leaves that out", who);
    case Kind::wrong_purpose:
      return fmt::format("{} is not for TLS servers: its extended key usage lacks serverAuth", who);
    case Kind::wrong_key_usage:
      return fmt::format("{} is not for TLS: its key usage lacks digitalSignature", who);
    case Kind::path_too_long:
      return fmt::format("there are more CAs below {} than its path length allows", who);
    case Kind::name_not_allowed:
      return fmt::format("the name constraints of {} do not allow the name {}", who, fault.other);
    case Kind::too_many_sent:
      return fmt::format(
          "the server sent {} certificates, of which only the first {} are looked at", fault.other,
          sent_certificates_max);
    case Kind::too_many_on_the_way:
      return fmt::format(
          "the way up from it to a CA that is trusted here has too many certificates: {} are "
          "looked "
          "at, itself and that CA among them",
          path_certificates_max);
    case Kind::too_much_work:
      return "the server sent so many certificates that it would take too long to find a way up";
  }
  return "it is malformed";
}

// What mends just this; empty: what is usual for the kind of error.
std::string advise(const PathFault& fault) {
  if (fault.kind == Kind::unknown_issuer) {
    return fmt::format(
        "the server's owner must make it send its intermediate certificates (the full chain), or, "
        "if '{}' is a private CA, add ?ca=FILE to the endpoint",
        fault.other);
  }
  if (fault.kind == Kind::unsupported_key && fault.where == Where::leaf) {
    return "the server needs a certificate with an ordinary RSA (rsaEncryption) or ECDSA key";
  }
  if (fault.kind == Kind::too_many_sent) {
    return std::string(send_fewer);
  }
  if (fault.kind == Kind::weak_signature || fault.kind == Kind::weak_key) {
    return fault.where == Where::leaf
               ? "the server's owner must have it issued anew, with SHA-256 and a key of 2048 bits"
               : "the CA has to be replaced by a current one";
  }
  if (fault.kind == Kind::name_not_allowed) {
    return "the server needs a certificate of a CA that may issue for this name";
  }
  if (fault.where == Where::trusted_authority) {
    return "get a current CA certificate from whoever runs that CA, and name it with ?ca=FILE";
  }
  return kind_of(fault.kind) == TlsErrorKind::bad_certificate ? std::string(ask_owner)
                                                              : std::string();
}

}  // namespace

std::string date_of(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(unix_seconds)};
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(moment));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

TlsError error_of(const PathFault& fault, std::string_view host) {
  return {kind_of(fault.kind), 0, explain(fault), std::string(host), advise(fault)};
}

}  // namespace ringpost::tls
