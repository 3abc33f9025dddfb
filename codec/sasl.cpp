#include "codec/sasl.h"

#include <array>

#include "codec/base64.h"
#include "codec/limits.h"

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

bool safe(Bytes text) { return text.find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos; }

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
  return safe(credentials.username) && safe(credentials.password);
}

std::string_view text_of(SaslError error) {
  constexpr std::array<std::string_view, sasl_error_count> texts = {
      "the server's AUTH challenge is not base64 or too long",
      "the server goes on asking after the last answer of the AUTH mechanism"};
  return texts[static_cast<std::size_t>(error)];
}

std::optional<AuthMechanism> choose_mechanism(const Capabilities& capabilities) {
  for (const AuthMechanism mechanism : {AuthMechanism::plain, AuthMechanism::login}) {
    if (capabilities.offers(mechanism)) {
      return mechanism;
    }
  }
  return std::nullopt;
}

std::string SaslExchange::initial_response(const Credentials& credentials) {
  if (mechanism_ != AuthMechanism::plain) {
    return {};
  }
  return base64_of(plain_message(credentials));
}

Result<std::string, SaslError> SaslExchange::respond(Bytes challenge,
                                                     const Credentials& credentials) {
  std::string prompt;
  if (challenge.size() > limits::auth_challenge_bytes_max ||
      !decode_base64(challenge, Base64Space::refused, prompt)) {
    return tl::unexpected(SaslError::bad_challenge);
  }
  // LOGIN has no RFC: the prompts vary and what they say is not looked at. The first asks for the
  // user name.
  const int answer = answers_given_++;
  if (mechanism_ == AuthMechanism::login && answer < 2) {
    return base64_of(answer == 0 ? credentials.username : credentials.password);
  }
  return tl::unexpected(SaslError::unexpected_challenge);
}

Redactor::Redactor(const Credentials& credentials)
    : secrets_{base64_of(plain_message(credentials)), base64_of(credentials.password),
               credentials.password} {
  // Without a password nothing is secret, least of all the base64 of the user name.
  if (credentials.password.empty()) {
    secrets_ = {};
  }
}

bool Redactor::finds_secret(Bytes text) const {
  for (const std::string& secret : secrets_) {
    if (worth_hiding(secret) && text.find(secret) != Bytes::npos) {
      return true;
    }
  }
  return false;
}

void Redactor::redact(std::string& text) const {
  for (const std::string& secret : secrets_) {
    if (worth_hiding(secret)) {
      replace_all(text, secret);
    }
  }
}

}  // namespace ringpost::codec
