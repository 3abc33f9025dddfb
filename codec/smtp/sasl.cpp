// The problem: servers pass over initial responses, prompt in words of their own, and quote secrets
// when they refuse. The idea: what is said next follows from the number of answers given, and what
// a challenge says is read only where a mechanism needs it; secrets are encoded once in every form
// that says them, and looked for. Limits: base64 of which a server quotes only a part is not found;
// secrets are not wiped from memory.
#include "codec/smtp/sasl.h"

#include <algorithm>
#include <array>

#include "codec/text/base64.h"
#include "codec/text/secret_search.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr Bytes redaction = "[redacted]";

std::string base64_of(Bytes bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

// RFC 4616: no authorization identity, NUL, user name, NUL, password.
std::string plain_message(const Credentials& credentials) {
  std::string message;
  message.push_back('\0');
  message.append(credentials.username);
  message.push_back('\0');
  message.append(credentials.password);
  return message;
}

// RFC 7628 3.1, with %x01 between the fields. The user name is escaped as SCRAM does it.
std::string oauthbearer_message(const Credentials& credentials) {
  std::string message = "n,a=";
  message.append(escaped_scram_name(credentials.username)).append(",\x01");
  if (!credentials.host.empty()) {
    message.append("host=").append(credentials.host).append("\x01port=");
    message.append(std::to_string(credentials.port)).append("\x01");
  }
  return message.append("auth=Bearer ").append(credentials.token).append("\x01\x01");
}

// As Google and Microsoft describe it; there is no RFC.
std::string xoauth2_message(const Credentials& credentials) {
  std::string message = "user=" + credentials.username;
  return message
      .append(
          "\x01"
          "auth=Bearer ")
      .append(credentials.token)
      .append("\x01\x01");
}

// RFC 2195 2: the digest in lower case hexadecimal.
std::string cram_md5_message(const Credentials& credentials, Bytes challenge,
                             const SaslCrypto& crypto) {
  constexpr Bytes digits = "0123456789abcdef";
  std::string message = credentials.username + " ";
  for (const char octet : crypto.hmac_md5(credentials.password, challenge)) {
    message.push_back(digits[static_cast<unsigned char>(octet) >> 4]);
    message.push_back(digits[static_cast<unsigned char>(octet) & 15]);
  }
  return message;
}

SaslError error_of(ScramClient::Error error) {
  switch (error) {
    case ScramClient::Error::malformed:
      return SaslError::malformed_scram;
    case ScramClient::Error::foreign_nonce:
      return SaslError::foreign_nonce;
    case ScramClient::Error::iterations:
      return SaslError::scram_iterations;
    case ScramClient::Error::wrong_signature:
      return SaslError::server_unproven;
  }
  RP_ASSERT(false);
}

bool safe(Bytes text) { return text.find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos; }

bool is_blank(Bytes text) { return text.find_first_not_of(" \t\n") == Bytes::npos; }

// What a challenge stands for, blanks and line ends passed over and padding put right.
std::optional<std::string> decode_challenge(Bytes text) {
  std::string characters;
  for (const char character : text) {
    if (!is_blank({&character, 1})) {
      characters.push_back(character);
    }
  }
  characters.erase(characters.find_last_not_of('=') + 1);
  characters.append((4 - characters.size() % 4) % 4, '=');
  std::string decoded;
  if (!decode_base64(characters, Base64Space::refused, decoded)) {
    return std::nullopt;
  }
  return decoded;
}

// A secret of a few octets would match by chance and tell more by its absence than it hides.
bool worth_hiding(Bytes secret) {
  constexpr std::size_t secret_bytes_min = 4;
  return secret.size() >= secret_bytes_min;
}

void replace_all(std::string& text, Bytes secret) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), redaction);
    at += redaction.size();
  }
}

}  // namespace

bool valid_credentials(const Credentials& credentials) {
  // A token is printable ASCII (RFC 6750 2.1); %x01 ends a field of the messages that carry it.
  const bool token_safe =
      std::all_of(credentials.token.begin(), credentials.token.end(),
                  [](char character) { return character > ' ' && character < '\x7f'; });
  const bool username_safe =
      safe(credentials.username) &&
      (credentials.token.empty() || credentials.username.find('\x01') == std::string::npos);
  return username_safe && token_safe && safe(credentials.password);
}

std::string_view text_of(SaslError error) {
  constexpr std::array<std::string_view, sasl_error_count> texts = {
      "the server's AUTH challenge is not base64 or too long",
      "the server goes on asking after the last answer of the AUTH mechanism",
      "the server's SCRAM message is malformed",
      "the server's SCRAM nonce does not begin with ours: an attack, or a broken server",
      "the server asks for less than 4096 or more than 1000000 iterations of SCRAM",
      "the server did not prove that it knows the password, which SCRAM asks of it: it may be "
      "somebody else's"};
  return texts[static_cast<std::size_t>(error)];
}

bool takes_token(AuthMechanism mechanism) {
  return mechanism == AuthMechanism::oauthbearer || mechanism == AuthMechanism::xoauth2;
}

bool says_password(AuthMechanism mechanism) {
  return mechanism == AuthMechanism::plain || mechanism == AuthMechanism::login;
}

std::optional<AuthMechanism> choose_mechanism(const Capabilities& capabilities,
                                              const MechanismChoice& choice) {
  using enum AuthMechanism;
  constexpr std::array<AuthMechanism, auth_mechanism_count> under_tls = {
      oauthbearer, xoauth2, scram_sha_256, plain, login, cram_md5};
  constexpr std::array<AuthMechanism, auth_mechanism_count> in_clear = {
      oauthbearer, xoauth2, scram_sha_256, cram_md5, plain, login};
  for (const AuthMechanism mechanism : choice.in_clear ? in_clear : under_tls) {
    const bool hashes = mechanism == scram_sha_256 || mechanism == cram_md5;
    const bool usable = takes_token(mechanism) == choice.has_token &&
                        !(choice.in_clear && choice.has_token) && (!hashes || choice.has_crypto) &&
                        (choice.without & bit_of(mechanism)) == 0;
    if (usable && capabilities.offers(mechanism) && choice.named.value_or(mechanism) == mechanism) {
      return mechanism;
    }
  }
  return std::nullopt;
}

SaslExchange::SaslExchange(AuthMechanism mechanism, const Credentials& credentials,
                           const SaslTools& tools)
    : mechanism_(mechanism), credentials_(credentials), tools_(tools) {
  if (mechanism == AuthMechanism::scram_sha_256) {
    RP_ASSERT(tools.crypto != nullptr && tools.scram_cache != nullptr);
    scram_.emplace(credentials.username, credentials.password, *tools.crypto, *tools.scram_cache);
  }
  RP_ASSERT(mechanism != AuthMechanism::cram_md5 || tools.crypto != nullptr);
}

std::string SaslExchange::initial_response() const {
  switch (mechanism_) {
    case AuthMechanism::plain:
      return base64_of(plain_message(credentials_));
    case AuthMechanism::scram_sha_256:
      return base64_of(scram_->first());
    case AuthMechanism::xoauth2:
      return base64_of(xoauth2_message(credentials_));
    case AuthMechanism::oauthbearer:
      return base64_of(oauthbearer_message(credentials_));
    case AuthMechanism::login:
    case AuthMechanism::cram_md5:
      break;
  }
  return {};
}

Result<std::string, SaslError> SaslExchange::respond(Bytes challenge) {
  if (challenge.size() > limits::auth_challenge_bytes_max) {
    return Failure(SaslError::bad_challenge);
  }
  if (initial_withheld_ || asks_for_initial(challenge)) {
    initial_repeated_ = true;
    initial_withheld_ = false;
    return initial_response();
  }
  if (mechanism_ != AuthMechanism::cram_md5 && mechanism_ != AuthMechanism::scram_sha_256) {
    return answer(challenge);
  }
  const std::optional<std::string> decoded = decode_challenge(challenge);
  if (!decoded || decoded->empty()) {
    return Failure(SaslError::bad_challenge);
  }
  return answer(*decoded);
}

// Some servers pass over an initial response and ask for it. PLAIN has nothing else to be asked
// for; a token's challenge is the error, which has a text.
bool SaslExchange::asks_for_initial(Bytes challenge) const {
  if (initial_repeated_ || answers_given_ > 0) {
    return false;
  }
  return mechanism_ == AuthMechanism::plain || (takes_token(mechanism_) && is_blank(challenge));
}

Result<std::string, SaslError> SaslExchange::answer(Bytes challenge) {
  const int answer_index = answers_given_++;
  switch (mechanism_) {
    case AuthMechanism::plain:
      break;
    case AuthMechanism::login:
      // LOGIN has no RFC: the prompts vary and what they say is not looked at. The first asks for
      // the user name.
      if (answer_index < 2) {
        return base64_of(answer_index == 0 ? credentials_.username : credentials_.password);
      }
      break;
    case AuthMechanism::cram_md5:
      if (answer_index == 0) {
        return base64_of(cram_md5_message(credentials_, challenge, *tools_.crypto));
      }
      break;
    case AuthMechanism::scram_sha_256:
      return answer_scram(challenge);
    case AuthMechanism::xoauth2:
    case AuthMechanism::oauthbearer:
      // The token is refused, and JSON says why. A dummy answer, and the 535 comes (RFC 7628
      // 3.2.3).
      if (answer_index == 0) {
        return mechanism_ == AuthMechanism::oauthbearer ? base64_of("\x01") : std::string();
      }
      break;
  }
  return Failure(SaslError::unexpected_challenge);
}

Result<std::string, SaslError> SaslExchange::answer_scram(Bytes challenge) {
  if (answers_given_ == 1) {
    const auto proof = scram_->prove(challenge);
    if (!proof) {
      return Failure(error_of(proof.error()));
    }
    return base64_of(*proof);
  }
  if (answers_given_ == 2) {
    const auto proven = scram_->check(challenge);
    if (!proven) {
      return Failure(error_of(proven.error()));
    }
    server_proven_ = *proven;
    return std::string();
  }
  return Failure(SaslError::unexpected_challenge);
}

Result<void, SaslError> SaslExchange::succeed() const {
  if (mechanism_ == AuthMechanism::scram_sha_256 && !server_proven_) {
    return Failure(SaslError::server_unproven);
  }
  return {};
}

Redactor::Redactor(const Credentials& credentials) {
  // Without a password nothing is secret, least of all the base64 of the user name.
  if (!credentials.password.empty()) {
    encoded_ = {base64_of(plain_message(credentials)), base64_of(credentials.password)};
    clear_ = {credentials.password};
  }
  if (!credentials.token.empty()) {
    for (std::string secret :
         {base64_of(oauthbearer_message(credentials)), base64_of(xoauth2_message(credentials)),
          base64_of(credentials.token)}) {
      encoded_.push_back(std::move(secret));
    }
    clear_.push_back(credentials.token);
  }
}

bool Redactor::finds_secret(Bytes text) const {
  for (const std::string& secret : encoded_) {
    if (worth_hiding(secret) && text.find(secret) != Bytes::npos) {
      return true;
    }
  }
  return std::any_of(clear_.begin(), clear_.end(), [text](const std::string& secret) {
    return find_clear_secret(text, secret, 0) != Bytes::npos;
  });
}

void Redactor::redact(std::string& text) const {
  for (const std::string& secret : encoded_) {
    if (worth_hiding(secret)) {
      replace_all(text, secret);
    }
  }
  for (const std::string& secret : clear_) {
    std::size_t at = find_clear_secret(text, secret, 0);
    while (at != Bytes::npos) {
      text.replace(at, secret.size(), redaction);
      at = find_clear_secret(text, secret, at + redaction.size());
    }
  }
}

}  // namespace ringpost::codec
