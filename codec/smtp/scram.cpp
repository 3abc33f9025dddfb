// The problem: the signatures are over the very octets of the messages, and the salted password
// costs thousands of hashes on purpose. The idea: what the server said goes into the signature as
// it came, never as it was understood, and the last salted password is kept. Limits: SHA-256 alone,
// and no channel binding, so that whoever ends the TLS connection can stand in between; passwords
// are not wiped from memory.
#include "codec/smtp/scram.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "codec/text/base64.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

// No channel binding, and no support for it (RFC 5802 7); its base64 stands in the last message.
constexpr Bytes gs2_header = "n,,";

struct ServerFirst {
  Bytes nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

std::optional<ServerFirst> parse_server_first(Bytes message) {
  ServerFirst parsed;
  // In this order, and nothing before them: `m=` would be an extension that we do not know. Those
  // behind are to be passed over (RFC 5802 5.1).
  const auto nonce = take_scram_attribute(message, 'r');
  const auto salt = nonce ? take_scram_attribute(message, 's') : std::nullopt;
  const auto iterations = salt ? take_scram_attribute(message, 'i') : std::nullopt;
  if (!iterations || salt->empty() || !decode_base64(*salt, Base64Space::refused, parsed.salt)) {
    return std::nullopt;
  }
  parsed.nonce = *nonce;
  const char* const begin = iterations->data();
  const char* const end = begin + iterations->size();
  const auto [stop, error] = std::from_chars(begin, end, parsed.iterations);
  if (error == std::errc::result_out_of_range) {
    parsed.iterations = UINT32_MAX;
  } else if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace

Sha256Digest ScramCache::salted_password(const SaslCrypto& crypto, Bytes password, Bytes salt,
                                         std::uint32_t iterations) {
  if (iterations_ != iterations || salt_ != salt || password_ != password) {
    salted_ = crypto.pbkdf2_sha256(password, salt, iterations);
    password_ = password;
    salt_ = salt;
    iterations_ = iterations;
  }
  return salted_;
}

ScramKeys scram_keys(const SaslCrypto& crypto, const Sha256Digest& salted_password) {
  ScramKeys keys;
  keys.client = crypto.hmac_sha256(bytes_of(salted_password), "Client Key");
  keys.stored = crypto.sha256(bytes_of(keys.client));
  keys.server = crypto.hmac_sha256(bytes_of(salted_password), "Server Key");
  return keys;
}

std::string escaped_scram_name(Bytes name) {
  std::string escaped;
  for (const char character : name) {
    if (character == '=') {
      escaped += "=3D";
    } else if (character == ',') {
      escaped += "=2C";
    } else {
      escaped.push_back(character);
    }
  }
  return escaped;
}

std::optional<Bytes> take_scram_attribute(Bytes& message, char name) {
  if (message.size() < 2 || message[0] != name || message[1] != '=') {
    return std::nullopt;
  }
  const std::size_t end = std::min(message.find(','), message.size());
  const Bytes value = message.substr(2, end - 2);
  message.remove_prefix(std::min(end + 1, message.size()));
  return value;
}

bool same_octets(Bytes one, Bytes other) {
  if (one.size() != other.size()) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    difference |= static_cast<unsigned>(one[i] ^ other[i]);
  }
  return difference == 0;
}

ScramClient::ScramClient(Bytes username, Bytes password, const SaslCrypto& crypto,
                         ScramCache& cache)
    : password_(password),
      crypto_(crypto),
      cache_(cache),
      nonce_(crypto.nonce()),
      first_bare_("n=" + escaped_scram_name(username) + ",r=" + nonce_) {}

std::string ScramClient::first() const { return std::string(gs2_header) + first_bare_; }

Result<std::string, ScramClient::Error> ScramClient::prove(Bytes server_first) {
  const std::optional<ServerFirst> parsed = parse_server_first(server_first);
  if (!parsed) {
    return Failure(Error::malformed);
  }
  if (!parsed->nonce.starts_with(nonce_) || parsed->nonce.size() == nonce_.size()) {
    return Failure(Error::foreign_nonce);
  }
  if (parsed->iterations < limits::scram_iterations_min ||
      parsed->iterations > limits::scram_iterations_max) {
    return Failure(Error::iterations);
  }
  const ScramKeys keys = scram_keys(
      crypto_, cache_.salted_password(crypto_, password_, parsed->salt, parsed->iterations));
  std::string final_message = "c=";
  append_base64(final_message, gs2_header);
  final_message.append(",r=").append(parsed->nonce);
  const std::string auth_message =
      first_bare_ + "," + std::string(server_first) + "," + final_message;
  Sha256Digest proof = crypto_.hmac_sha256(bytes_of(keys.stored), auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ keys.client[i]);
  }
  server_signature_ = crypto_.hmac_sha256(bytes_of(keys.server), auth_message);
  final_message.append(",p=");
  append_base64(final_message, bytes_of(proof));
  return final_message;
}

Result<bool, ScramClient::Error> ScramClient::check(Bytes server_final) {
  if (take_scram_attribute(server_final, 'e')) {
    return false;
  }
  const auto verifier = take_scram_attribute(server_final, 'v');
  std::string signature;
  if (!verifier || !decode_base64(*verifier, Base64Space::refused, signature)) {
    return Failure(Error::malformed);
  }
  if (!same_octets(signature, bytes_of(server_signature_))) {
    return Failure(Error::wrong_signature);
  }
  return true;
}

}  // namespace ringpost::codec
