// The problem: a SCRAM server has to keep a salt and the keys of each user, or to make them. The
// idea: the salt is a digest of the user's name, so that an account always gets the same one, and a
// name that has no account gets one, too; the keys are made of the password at each login. Limits:
// that costs 4,096 rounds of PBKDF2 a login. The formulas of the keys and the parser of attributes
// are the client's own (codec/smtp/scram), so a mistake in those would not show between the two.
#include "engine/server/login_scram.h"

#include "codec/smtp/scram.h"
#include "codec/text/base64.h"
#include <ringpost/limits.h>

namespace ringpost::server {

namespace {

constexpr std::uint32_t iterations = limits::scram_iterations_min;

std::string encoded(Bytes octets) {
  std::string text;
  codec::append_base64(text, octets);
  return text;
}

// RFC 5802 5.1. Nothing: a `=` stands before something else than 2C and 3D.
std::optional<std::string> unescaped_name(Bytes escaped) {
  std::string name;
  while (!escaped.empty()) {
    const bool is_comma = escaped.starts_with("=2C");
    if (escaped.front() == '=' && !is_comma && !escaped.starts_with("=3D")) {
      return std::nullopt;
    }
    const bool is_escape = escaped.front() == '=';
    name.push_back(is_comma ? ',' : escaped.front());
    escaped.remove_prefix(is_escape ? 3 : 1);
  }
  return name;
}

}  // namespace

std::optional<std::string> ScramServer::first(Bytes client_first) {
  // `y` says that the client could bind channels and believes that we cannot, which is right.
  if (!client_first.starts_with("n,,") && !client_first.starts_with("y,,")) {
    return std::nullopt;
  }
  header_ = client_first.substr(0, 3);
  client_first_bare_ = client_first.substr(3);
  Bytes rest = client_first_bare_;
  const auto name = codec::take_scram_attribute(rest, 'n');
  const auto nonce = name ? codec::take_scram_attribute(rest, 'r') : std::nullopt;
  const auto user = name ? unescaped_name(*name) : std::nullopt;
  if (!nonce || nonce->empty() || !user || user->empty()) {
    return std::nullopt;
  }
  user_ = *user;
  nonce_ = std::string(*nonce) + crypto_.nonce();
  constexpr std::size_t salt_bytes = 16;
  const codec::Sha256Digest salt = crypto_.sha256("ringpost " + user_);
  salt_ = codec::bytes_of(salt).substr(0, salt_bytes);
  server_first_ = "r=" + nonce_ + ",s=" + encoded(salt_) + ",i=" + std::to_string(iterations);
  return server_first_;
}

std::optional<std::string> ScramServer::finish(Bytes client_final, Bytes password) {
  const std::size_t proof_at = client_final.rfind(",p=");
  Bytes rest = client_final;
  const auto binding = codec::take_scram_attribute(rest, 'c');
  const auto nonce = binding ? codec::take_scram_attribute(rest, 'r') : std::nullopt;
  std::string proof;
  if (!nonce || proof_at == Bytes::npos || *binding != encoded(header_) || *nonce != nonce_ ||
      !codec::decode_base64(client_final.substr(proof_at + 3), codec::Base64Space::refused,
                            proof)) {
    return std::nullopt;
  }
  const codec::ScramKeys keys =
      codec::scram_keys(crypto_, crypto_.pbkdf2_sha256(password, salt_, iterations));
  const std::string auth_message = client_first_bare_ + "," + server_first_ + "," +
                                   std::string(client_final.substr(0, proof_at));
  const codec::Sha256Digest signature =
      crypto_.hmac_sha256(codec::bytes_of(keys.stored), auth_message);
  if (proof.size() != signature.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ signature[i]);  // the client's key, if it is right
  }
  if (crypto_.sha256(proof) != keys.stored) {
    return std::string();
  }
  return "v=" +
         encoded(codec::bytes_of(crypto_.hmac_sha256(codec::bytes_of(keys.server), auth_message)));
}

}  // namespace ringpost::server
