// AES-GCM over the records that a session sends with TLS 1.3 (RFC 8446 5.2). Internal to tls/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::tls {

// Of a record's plaintext: what it adds are the octet that says what it is, and the tag.
inline constexpr std::size_t record_type_bytes = 1;
inline constexpr std::size_t record_tag_bytes = 16;

using RecordNonce = std::array<unsigned char, 12>;

// One key. Thread: its session's. The key is wiped out with it, and by the next one.
class RecordCipher {
 public:
  virtual ~RecordCipher() = default;
  RecordCipher(const RecordCipher&) = delete;
  RecordCipher& operator=(const RecordCipher&) = delete;

  // "wolfCrypt"
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Of 16 or 32 octets.
  virtual void set_key(Bytes key) = 0;
  // Encrypts the plaintext, which may stand at `body` already, and `type` behind it, with
  // `header` authenticated beside them. `body` has room for both and for the tag, which comes last.
  // Nobody but the caller sees to it that no nonce comes twice with a key. Precondition: set_key().
  virtual void seal(const RecordNonce& nonce, Bytes header, Bytes plaintext, unsigned char type,
                    char* body) = 0;

 protected:
  RecordCipher() = default;
};

[[nodiscard]] std::unique_ptr<RecordCipher> make_wolfcrypt_cipher();
// Null where this build has no intel-ipsec-mb or this processor no AES of its own.
[[nodiscard]] std::unique_ptr<RecordCipher> make_ipsec_mb_cipher();
// Whether that one has the instructions here that make it faster than wolfCrypt: AES and carry-less
// multiplication of four blocks at a time (AVX-512 with VAES and VPCLMULQDQ).
[[nodiscard]] bool ipsec_mb_is_faster();

// The fastest on this machine of those that give the right answers: see record_cipher.cpp.
[[nodiscard]] std::unique_ptr<RecordCipher> make_record_cipher();

}  // namespace ringpost::tls
