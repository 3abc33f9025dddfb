// What `ringpost probe` found out, as plain values: made by probe_port, told by probe_report and
// probe_json.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/smtp/smtp_capability.h"
#include "tls/peer_certificate.h"
#include "tls/tls_error.h"
#include "tools/domain/domain_finding.h"
#include "tools/probe/ehlo_reply.h"
#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

// Why a port is of no use. Each has words and a next step of its own: see probe_advice.
enum class ProbeFault : std::uint8_t {
  none,
  refused,           // a host is there, and nothing listens
  no_answer,         // no answer to the connection request: how a blocked port looks
  unreachable,       // no way to the host
  connect_failed,    // another error of connect(2)
  silent,            // connected, and no greeting came
  tls_expected,      // the same, but a ClientHello was answered: TLS from the first octet
  closed,            // the server closed the connection without a word
  greeting_refused,  // 421, 554
  not_smtp,          // what came is no SMTP reply, or one that has no meaning there
  ehlo_refused,
  starttls_missing,
  starttls_refused,
  starttls_injected,  // octets in clear behind the 220
  not_tls,            // the answer to a ClientHello was in clear
  certificate,        // it proves nothing
  tls_version,        // no version or cipher in common
  tls_failed,         // an alert, or anything else
  auth_missing,       // not offered, or no mechanism that is known here
  auth_refused,
  auth_deferred,      // 4xx
  timed_out,          // in a later step
  broken,             // the connection broke, or this machine failed
  mechanism_refused,  // no way to log in was taken, whoever it is that does
};
inline constexpr std::size_t probe_fault_count = 24;
// The enumerator's own name, for programs.
[[nodiscard]] std::string_view name_of(ProbeFault fault);

// The steps that take time, in their order. A port without STARTTLS has no hello_tls.
enum class ProbeStep : std::uint8_t {
  connect,
  greeting,
  hello,
  starttls,
  tls,
  hello_tls,
  auth,
};
inline constexpr std::size_t probe_step_count = 7;
[[nodiscard]] std::string_view name_of(ProbeStep step);

// A line of the dialogue, secrets left out, as it came: whoever prints it escapes it.
struct TranscriptLine {
  enum class Side : std::uint8_t { client, server, note };
  Side side = Side::note;
  bool under_tls = false;
  double at_ms = 0;  // since the connection was asked for
  std::string text;
};

struct SmtpAnswer {
  std::uint16_t code = 0;  // 0: there was none
  std::string enhanced;    // "5.7.8"; empty: none
  std::string text;        // without the codes; lines separated by '\n', secrets left out
};
[[nodiscard]] SmtpAnswer answer_of(std::uint16_t code, const EnhancedStatus& enhanced,
                                   std::string_view text);

struct TlsFinding {
  std::string version;  // "TLSv1.3"; empty when the handshake failed
  std::string cipher;
  bool resumed = false;
  bool verified = false;
  // The server's own first, then those it sent along.
  std::vector<tls::PeerCertificate> certificates;
  std::optional<tls::TlsError> error;
};

struct AuthFinding {
  bool tried = false;
  bool accepted = false;
  std::string mechanism;
  SmtpAnswer answer;
};

// One port and all that was seen there.
struct PortFinding {
  std::uint16_t port = 0;
  TransportSecurity security = TransportSecurity::starttls;
  bool wants_auth = false;  // there are credentials, and they may be tried here

  ProbeFault fault = ProbeFault::none;
  ProbeStep fault_step = ProbeStep::connect;
  std::string fault_detail;  // the words of the system, of TLS or of the session
  SmtpAnswer fault_answer;   // the reply that ended it

  std::string address;                        // the one that was connected to, or tried last
  std::vector<std::string> failed_addresses;  // "[::1]:587: Connection refused"
  std::array<double, probe_step_count> ms{};  // below 0: the step did not come to its end
  std::uint32_t round_trips = 0;              // from the connection request until it was ready

  SmtpAnswer greeting;
  std::optional<EhloReply> hello;      // in clear; on a port with TLS from the first octet the only
  std::optional<EhloReply> hello_tls;  // the one after STARTTLS
  std::optional<TlsFinding> tls;
  AuthFinding auth;
  std::vector<TranscriptLine> transcript;
  bool transcript_cut = false;

  [[nodiscard]] bool usable() const { return fault == ProbeFault::none; }
  [[nodiscard]] double& ms_of(ProbeStep step) { return ms[static_cast<std::size_t>(step)]; }
  [[nodiscard]] double ms_of(ProbeStep step) const { return ms[static_cast<std::size_t>(step)]; }
  // What the server offers where mail would be submitted; null when it never came to that.
  [[nodiscard]] const EhloReply* offer() const {
    if (security == TransportSecurity::starttls) {
      return hello_tls ? &*hello_tls : nullptr;
    }
    return hello ? &*hello : nullptr;
  }
};

struct NameFinding {
  std::vector<std::string> addresses;  // without port
  double ms = 0;
  std::string error;               // empty: it resolves
  bool may_resolve_later = false;  // the name server failed; it did not say that there is none
};

// Everything about an endpoint.
struct ProbeFinding {
  std::string name;            // of the endpoint
  bool is_configured = false;  // it is an [endpoint.NAME]
  EndpointOptions endpoint;    // without the password, and without a user name that is one
  bool username_is_password = false;
  std::string login_hint;  // what the provider wants, where the login is refused; empty: not known
  bool password_known = false;
  NameFinding dns;
  std::vector<PortFinding> ports;  // in the order in which they were asked for
  Duration timeout{0};
  std::int64_t unix_seconds = 0;        // when it was probed, for the age of certificates
  std::optional<DomainFinding> domain;  // of the sender, where one was asked for
};

}  // namespace ringpost::cli
