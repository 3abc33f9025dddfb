// The problem: whoever knows a receiver's URL could tell it outcomes. The idea: the scheme that
// most receivers know, with the time within what is signed, so that an old batch cannot be told
// again. Limits: one secret; it is changed by having the receiver know both for a while.
#include "tools/serve/webhook/signature.h"

#include <utility>

#include <fmt/format.h>

#include "codec/text/base64.h"

namespace ringpost::serve {

namespace {

constexpr Bytes encoded_prefix = "whsec_";
// As for tokens: shorter ones are guessed.
constexpr std::size_t key_bytes_min = 16;

}  // namespace

Result<std::string, std::string> webhook_key_of(Bytes content) {
  while (content.ends_with('\n') || content.ends_with('\r')) {
    content.remove_suffix(1);
  }
  std::string key;
  if (content.starts_with(encoded_prefix)) {
    content.remove_prefix(encoded_prefix.size());
    if (!codec::decode_base64(content, codec::Base64Space::refused, key)) {
      return Failure(std::string("what stands behind whsec_ is no base64"));
    }
  } else {
    key = std::string(content);
  }
  if (key.size() < key_bytes_min) {
    return Failure(fmt::format(
        "a secret has at least {} octets; make one with: echo whsec_$(openssl rand -base64 32)",
        key_bytes_min));
  }
  return key;
}

std::string webhook_signature(const codec::SaslCrypto& crypto, Bytes key, Bytes id,
                              std::int64_t unix_seconds, Bytes body) {
  std::string text = fmt::format("{}.{}.", id, unix_seconds);
  text += body;
  const codec::Sha256Digest digest = crypto.hmac_sha256(key, text);
  std::string signature = "v1,";
  codec::append_base64(signature, codec::bytes_of(digest));
  return signature;
}

}  // namespace ringpost::serve
