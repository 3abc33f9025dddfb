// The client's side of SASL over SMTP AUTH (RFC 4954): what to say first, and what to a challenge.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "codec/base.h"
#include "codec/smtp_capability.h"

namespace ringpost::codec {

// Neither may hold CR, LF or NUL: whoever reads the configuration checks it (valid_credentials).
struct Credentials {
  std::string username;
  std::string password;
};

[[nodiscard]] bool valid_credentials(const Credentials& credentials);

enum class SaslError : std::uint8_t {
  bad_challenge,         // not base64, or too long
  unexpected_challenge,  // the mechanism is over and the server asks on
};
inline constexpr std::size_t sasl_error_count = 2;
[[nodiscard]] std::string_view text_of(SaslError error);

// The mechanism to use of those announced: PLAIN (one round trip), else LOGIN. Both send the
// password, so the caller asks only inside TLS.
[[nodiscard]] std::optional<AuthMechanism> choose_mechanism(const Capabilities& capabilities);

// One authentication. The strings it returns are secret.
class SaslExchange {
 public:
  explicit SaslExchange(AuthMechanism mechanism) : mechanism_(mechanism) {}

  [[nodiscard]] AuthMechanism mechanism() const { return mechanism_; }
  // Goes behind `AUTH MECHANISM`, in base64; empty when the mechanism waits for a challenge.
  [[nodiscard]] std::string initial_response(const Credentials& credentials);
  // The answer, in base64, to the text of a 334 reply.
  [[nodiscard]] Result<std::string, SaslError> respond(Bytes challenge,
                                                       const Credentials& credentials);

 private:
  AuthMechanism mechanism_;
  int answers_given_ = 0;
};

// Finds the password in a server's words, in clear and in the base64 forms of PLAIN and LOGIN:
// servers quote the command that they refuse. Holds copies of the secrets.
class Redactor {
 public:
  explicit Redactor(const Credentials& credentials);

  [[nodiscard]] bool finds_secret(Bytes text) const;
  // Replaces every copy by "[redacted]".
  void redact(std::string& text) const;

 private:
  std::array<std::string, 3> secrets_;  // the longest first, since it may contain the others
};

}  // namespace ringpost::codec
