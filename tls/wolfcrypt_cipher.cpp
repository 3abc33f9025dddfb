// Records by wolfCrypt, which encrypts what stands in one piece: the plaintext is brought to its
// place, if it is not there, and the type is written behind it.
#include <cstring>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
// clang-format on

#include "tls/octets.h"
#include "tls/record_cipher.h"

namespace ringpost::tls {

namespace {

class WolfcryptCipher final : public RecordCipher {
 public:
  WolfcryptCipher() { RP_ASSERT(wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0); }
  ~WolfcryptCipher() override { wc_AesFree(&aes_); }

  [[nodiscard]] std::string_view name() const override { return "wolfCrypt"; }

  void set_key(Bytes key) override {
    RP_ASSERT(wc_AesGcmSetKey(&aes_, octets(key), static_cast<word32>(key.size())) == 0);
  }

  // Without a device and with lengths that are in range no call can fail.
  void seal(const RecordNonce& nonce, Bytes header, Bytes plaintext, unsigned char type,
            char* body) override {
    if (plaintext.data() != body && !plaintext.empty()) {
      std::memmove(body, plaintext.data(), plaintext.size());
    }
    auto* const inner = reinterpret_cast<unsigned char*>(body);
    const std::size_t size = plaintext.size() + record_type_bytes;
    inner[plaintext.size()] = type;
    RP_ASSERT(wc_AesGcmEncrypt(&aes_, inner, inner, static_cast<word32>(size), nonce.data(),
                               static_cast<word32>(nonce.size()), inner + size, record_tag_bytes,
                               octets(header), static_cast<word32>(header.size())) == 0);
  }

 private:
  Aes aes_{};
};

}  // namespace

std::unique_ptr<RecordCipher> make_wolfcrypt_cipher() {
  return std::make_unique<WolfcryptCipher>();
}

}  // namespace ringpost::tls
