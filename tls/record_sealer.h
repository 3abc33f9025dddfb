// The sending half of the record layer of a client's TLS 1.3 session. Internal to tls/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "codec/text/byte_buffer.h"
#include "tls/record_cipher.h"
#include <ringpost/base.h>

struct WOLFSSL;

namespace ringpost::tls {

inline constexpr std::size_t record_header_bytes = 5;
// With type and tag.
inline constexpr std::size_t sealed_record_overhead =
    record_header_bytes + record_type_bytes + record_tag_bytes;

// From the end of the handshake on it encrypts all that leaves: ours by seal(), and what wolfSSL
// says by itself (alerts, KeyUpdate) by seal_own(), which its callback for that calls. So each
// nonce comes from one counter. Thread: the session's.
class RecordSealer {
 public:
  // Null where wolfSSL goes on alone: not TLS 1.3, no AES-GCM, or it has sent something under the
  // key already, as `last_nonce` says, that of its last record. Precondition: the handshake of a
  // client is done. The session must outlive it.
  [[nodiscard]] static std::unique_ptr<RecordSealer> create(WOLFSSL* session,
                                                            const RecordNonce& last_nonce);

  // Where in `output` the plaintext of the next record may be written, so that it need not be
  // copied there: up to limits::tls_record_bytes_max octets.
  [[nodiscard]] static char* place(const ByteBuffer& output);
  // Appends `plaintext` as records. Precondition: there is room for it, with
  // sealed_record_overhead a record.
  void seal(Bytes plaintext, ByteBuffer& output);

  // A record of wolfSSL's: encrypts its plaintext, whose type comes last, at `body`, for which it
  // would have used `nonce`.
  void seal_own(const RecordNonce& nonce, Bytes header, Bytes inner, char* body);

 private:
  RecordSealer(WOLFSSL* session, std::unique_ptr<RecordCipher> cipher)
      : session_(session), cipher_(std::move(cipher)) {}

  void take_keys();
  [[nodiscard]] RecordNonce nonce_of(std::uint64_t sequence) const;
  [[nodiscard]] RecordNonce next_nonce();

  WOLFSSL* session_;
  std::unique_ptr<RecordCipher> cipher_;
  RecordNonce iv_{};
  std::uint64_t sequence_ = 0;     // of the next record
  std::uint64_t own_records_ = 0;  // that wolfSSL knows of
  bool keys_are_old_ = true;
};

}  // namespace ringpost::tls
