// The client's side of SASL over SMTP AUTH (RFC 4954): what to say first, and what to a challenge.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/smtp/auth_mechanism.h"
#include "codec/smtp/sasl_client.h"
#include "codec/smtp/smtp_capability.h"
#include <ringpost/base.h>

namespace ringpost::codec {

[[nodiscard]] bool valid_credentials(const Credentials& credentials);

// What decides which mechanisms can be used.
struct MechanismChoice {
  std::optional<AuthMechanism> named = {};  // by the user: this one or none
  bool has_token = false;                   // rather than a password
  bool has_crypto = false;                  // without: neither CRAM-MD5 nor SCRAM
  bool in_clear = false;                    // no TLS, and the user allows it
  MechanismSet without = 0;                 // have failed with this server
};

// The mechanism to use of those announced. Nothing: there is none that suits.
//
// A token has OAUTHBEARER, the standard, before XOAUTH2, and neither in clear (RFC 6750 5.3). A
// password has SCRAM first, which never says it and has the server prove itself. Then it depends.
// Under TLS the server is authenticated and nobody listens, so PLAIN and LOGIN come next and
// CRAM-MD5 last: it proves no server, it makes the server keep the password itself, and servers
// announce it whose accounts have only hashes. In clear CRAM-MD5 goes before both of them, because
// they say the password to everybody on the way.
[[nodiscard]] std::optional<AuthMechanism> choose_mechanism(const Capabilities& capabilities,
                                                            const MechanismChoice& choice);

// One authentication. The strings it returns are secret.
class SaslExchange {
 public:
  // Everything outlives it.
  SaslExchange(AuthMechanism mechanism, const Credentials& credentials, const SaslTools& tools);

  [[nodiscard]] AuthMechanism mechanism() const { return traits_.mechanism; }
  // Goes behind `AUTH MECHANISM`, in base64; empty when the mechanism waits for a challenge.
  [[nodiscard]] std::string initial_response() const;
  // It was not sent, and answers the first challenge instead, which is empty (RFC 4954 4).
  void withhold_initial_response() { initial_withheld_ = true; }
  // The answer, in base64, to the text of a 334 reply. Empty for an answer of no octets.
  //
  // Only CRAM-MD5 and SCRAM read what the server asks, and they overlook blanks, line ends and
  // missing padding. The others know what comes when: servers put prompts there in clear, in broken
  // base64 or not at all.
  [[nodiscard]] Result<std::string, SaslError> respond(Bytes challenge);
  // The server let us in: whether it may.
  [[nodiscard]] Result<void, SaslError> succeed() const;

 private:
  [[nodiscard]] bool asks_for_initial(Bytes challenge) const;

  const MechanismTraits& traits_;
  std::unique_ptr<SaslClient> client_;
  int answers_given_ = 0;
  bool initial_withheld_ = false;
  bool initial_repeated_ = false;
};

// Finds the password or the token in a server's words, in clear and in every base64 form that a
// mechanism gives it: servers quote the command that they refuse. The answers of CRAM-MD5 and SCRAM
// are good for once and stay. Base64 is hidden wherever it stands, and what is in clear where the
// words tell it and do not only use the same word (codec/text/secret_search.h). Holds copies of the
// secrets.
class Redactor {
 public:
  explicit Redactor(const Credentials& credentials);

  [[nodiscard]] bool finds_secret(Bytes text) const;
  // Replaces every copy by "[redacted]".
  void redact(std::string& text) const;

 private:
  std::vector<std::string> encoded_;  // the longest first, since it may contain the others
  std::vector<std::string> clear_;
};

}  // namespace ringpost::codec
