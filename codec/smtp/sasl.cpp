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

std::optional<AuthMechanism> choose_mechanism(const Capabilities& capabilities,
                                              const MechanismChoice& choice) {
  const MechanismTraits* best = nullptr;
  const auto rank = [&choice](const MechanismTraits& traits) {
    return choice.in_clear ? traits.rank_in_clear : traits.rank_by_tls;
  };
  for (const MechanismTraits& traits : mechanism_table()) {
    const AuthMechanism mechanism = traits.mechanism;
    const bool usable =
        traits.takes_token == choice.has_token && !(choice.in_clear && choice.has_token) &&
        (!traits.needs_crypto || choice.has_crypto) && (choice.without & bit_of(mechanism)) == 0;
    const bool wanted =
        capabilities.offers(mechanism) && choice.named.value_or(mechanism) == mechanism;
    if (usable && wanted && (best == nullptr || rank(traits) < rank(*best))) {
      best = &traits;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(best->mechanism);
}

SaslExchange::SaslExchange(AuthMechanism mechanism, const Credentials& credentials,
                           const SaslTools& tools)
    : traits_(traits_of(mechanism)), client_(traits_.make(credentials, tools)) {}

std::string SaslExchange::initial_response() const { return base64_of(client_->initial()); }

Result<std::string, SaslError> SaslExchange::respond(Bytes challenge) {
  if (challenge.size() > limits::auth_challenge_bytes_max) {
    return Failure(SaslError::bad_challenge);
  }
  if (initial_withheld_ || asks_for_initial(challenge)) {
    initial_repeated_ = true;
    initial_withheld_ = false;
    return initial_response();
  }
  std::optional<std::string> decoded;
  if (traits_.needs_crypto) {
    decoded = decode_challenge(challenge);
    if (!decoded || decoded->empty()) {
      return Failure(SaslError::bad_challenge);
    }
  }
  const auto answer = client_->answer(answers_given_++, decoded ? *decoded : challenge);
  if (!answer) {
    return Failure(answer.error());
  }
  return base64_of(*answer);
}

// Some servers pass over an initial response and ask for it. PLAIN has nothing else to be asked
// for; a token's challenge is the error, which has a text.
bool SaslExchange::asks_for_initial(Bytes challenge) const {
  if (initial_repeated_ || answers_given_ > 0) {
    return false;
  }
  return traits_.asks_again == AsksAgain::always ||
         (traits_.asks_again == AsksAgain::when_blank && is_blank(challenge));
}

Result<void, SaslError> SaslExchange::succeed() const { return client_->succeed(); }

// Without a password nothing is secret, least of all the base64 of the user name. What says nothing
// at first is too short to be looked for (worth_hiding).
Redactor::Redactor(const Credentials& credentials) {
  for (const MechanismTraits& traits : mechanism_table()) {
    const std::string& secret = traits.takes_token ? credentials.token : credentials.password;
    if (traits.says_secret && !secret.empty()) {
      encoded_.push_back(base64_of(traits.make(credentials, {})->initial()));
    }
  }
  for (const std::string& secret : {credentials.password, credentials.token}) {
    if (!secret.empty()) {
      encoded_.push_back(base64_of(secret));
      clear_.push_back(secret);
    }
  }
  std::stable_sort(
      encoded_.begin(), encoded_.end(),
      [](const std::string& one, const std::string& other) { return one.size() > other.size(); });
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
