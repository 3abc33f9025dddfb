// The problem: SASL belongs to codec, which may not include wolfSSL, and its mechanisms need
// hashes.
//
// The idea: codec says what it needs as an interface, and this is the only implementation of it in
// the program; none of the calls keeps anything. Limits: errors of wolfCrypt, want of random
// numbers included, have no answer that a session could use, and end the program.
#include "tls/sasl_crypto.h"

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>
// clang-format on

#include "codec/text/base64.h"
#include "tls/library.h"
#include "tls/octets.h"

namespace ringpost::tls {

namespace {

template <typename Digest>
Digest hmac(int type, Bytes key, Bytes text) {
  Digest digest{};
  Hmac hash{};
  RP_ASSERT(wc_HmacInit(&hash, nullptr, INVALID_DEVID) == 0);
  // Software hashing takes no device and no heap of its own: none of these calls can fail.
  RP_ASSERT(wc_HmacSetKey(&hash, type, octets(key), static_cast<word32>(key.size())) == 0);
  RP_ASSERT(wc_HmacUpdate(&hash, octets(text), static_cast<word32>(text.size())) == 0);
  RP_ASSERT(wc_HmacFinal(&hash, reinterpret_cast<byte*>(digest.data())) == 0);
  wc_HmacFree(&hash);
  return digest;
}

class WolfsslCrypto final : public codec::SaslCrypto {
 public:
  WolfsslCrypto() { initialise_library(); }

  [[nodiscard]] codec::Md5Digest hmac_md5(Bytes key, Bytes text) const override {
    return hmac<codec::Md5Digest>(WC_MD5, key, text);
  }

  [[nodiscard]] codec::Sha256Digest hmac_sha256(Bytes key, Bytes text) const override {
    return hmac<codec::Sha256Digest>(WC_SHA256, key, text);
  }

  [[nodiscard]] codec::Sha256Digest sha256(Bytes text) const override {
    codec::Sha256Digest digest{};
    RP_ASSERT(wc_Sha256Hash(octets(text), static_cast<word32>(text.size()),
                            reinterpret_cast<byte*>(digest.data())) == 0);
    return digest;
  }

  [[nodiscard]] codec::Sha256Digest pbkdf2_sha256(Bytes password, Bytes salt,
                                                  std::uint32_t iterations) const override {
    codec::Sha256Digest key{};
    RP_ASSERT(wc_PBKDF2(reinterpret_cast<byte*>(key.data()), octets(password),
                        static_cast<int>(password.size()), octets(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations),
                        static_cast<int>(key.size()), WC_SHA256) == 0);
    return key;
  }

  [[nodiscard]] std::string nonce() const override {
    std::array<char, 18> chance{};
    WC_RNG generator{};
    // The kernel's random numbers are behind it, which do not run out once the machine is up.
    RP_ASSERT(wc_InitRng(&generator) == 0);
    RP_ASSERT(wc_RNG_GenerateBlock(&generator, reinterpret_cast<byte*>(chance.data()),
                                   static_cast<word32>(chance.size())) == 0);
    wc_FreeRng(&generator);
    std::string text;
    codec::append_base64(text, {chance.data(), chance.size()});
    return text;
  }
};

}  // namespace

const codec::SaslCrypto& sasl_crypto() {
  static const WolfsslCrypto crypto;
  return crypto;
}

}  // namespace ringpost::tls
