// The problem: wolfSSL copies what it is given into a buffer of its own, encrypts it there and
// hands it over to be copied again; and which library encrypts fastest is not its matter. For a
// sender of bulk mail that is most of what a message costs.
//
// The idea: once the handshake is done, plaintext is written where its record shall stand, and
// encrypted in place, by others' AES-GCM (record_cipher.cpp). The handshake, the key schedule,
// alerts, KeyUpdate, tickets and all of receiving stay wolfSSL's. Keys are had by its published
// calls (wolfSSL_GetClientWriteKey, wolfSSL_GetClientWriteIV), and what it has to say itself comes
// here by its published callback (wolfSSL_CTX_SetPerformTlsRecordProcessingCb).
//
// Why no nonce can come twice (RFC 8446 5.3): a nonce is the key's IV and the number of the record
// under that key. There is one counter for both kinds of records; it is set to zero only where a
// key is taken, and a key is taken at the beginning and behind each KeyUpdate that was sent, where
// wolfSSL has derived the next. wolfSSL's own counter is not used, and what it would have been is
// held against what is expected: another key than ours would show there, and ends the program.
// Channel changes keys before 2^24 records.
//
// Limits: clients, TLS 1.3 and AES-GCM alone; elsewhere wolfSSL makes all records.
#include "tls/record_sealer.h"

#include <algorithm>
#include <string_view>
#include <utility>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

#include <ringpost/limits.h>

namespace ringpost::tls {

namespace {

constexpr unsigned char type_handshake = 22;
constexpr unsigned char type_application_data = 23;
constexpr unsigned char handshake_key_update = 24;  // RFC 8446 4

void write_header(char* header, std::size_t plaintext_bytes) {
  const std::size_t length = plaintext_bytes + record_type_bytes + record_tag_bytes;
  header[0] = static_cast<char>(type_application_data);  // whatever is in it
  header[1] = 3;
  header[2] = 3;
  header[3] = static_cast<char>(length >> 8);
  header[4] = static_cast<char>(length & 0xff);
}

}  // namespace

std::unique_ptr<RecordSealer> RecordSealer::create(WOLFSSL* session,
                                                   const RecordNonce& last_nonce) {
  const bool is_tls_1_3 = std::string_view(wolfSSL_get_version(session)) == "TLSv1.3";
  if (!is_tls_1_3 || wolfSSL_GetBulkCipher(session) != wolfssl_aes_gcm) {
    return nullptr;
  }
  std::unique_ptr<RecordSealer> made(new RecordSealer(session, make_record_cipher()));
  made->take_keys();
  return made->nonce_of(0) == last_nonce ? nullptr : std::move(made);
}

void RecordSealer::take_keys() {
  const auto* const key = reinterpret_cast<const char*>(wolfSSL_GetClientWriteKey(session_));
  const unsigned char* const iv = wolfSSL_GetClientWriteIV(session_);
  const int key_bytes = wolfSSL_GetKeySize(session_);
  RP_ASSERT(key != nullptr && iv != nullptr && key_bytes > 0);
  cipher_->set_key({key, static_cast<std::size_t>(key_bytes)});
  std::copy_n(iv, iv_.size(), iv_.begin());
  sequence_ = 0;
  own_records_ = 0;
  keys_are_old_ = false;
}

RecordNonce RecordSealer::nonce_of(std::uint64_t sequence) const {
  RecordNonce nonce = iv_;
  for (std::size_t i = 0; i < sizeof(sequence); ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<unsigned char>(sequence >> (8 * i));
  }
  return nonce;
}

RecordNonce RecordSealer::next_nonce() {
  if (keys_are_old_) {
    take_keys();
  }
  return nonce_of(sequence_++);
}

char* RecordSealer::place(const ByteBuffer& output) { return output.end() + record_header_bytes; }

void RecordSealer::seal(Bytes plaintext, ByteBuffer& output) {
  while (!plaintext.empty()) {
    const Bytes piece = plaintext.substr(0, limits::tls_record_bytes_max);
    RP_ASSERT(output.room() >= piece.size() + sealed_record_overhead);
    char* const body = place(output);
    char* const header = body - record_header_bytes;
    write_header(header, piece.size());
    cipher_->seal(next_nonce(), {header, record_header_bytes}, piece, type_application_data, body);
    output.appended(piece.size() + sealed_record_overhead);
    plaintext.remove_prefix(piece.size());
  }
}

void RecordSealer::seal_own(const RecordNonce& nonce, Bytes header, Bytes inner, char* body) {
  const RecordNonce used = next_nonce();
  RP_ASSERT(!inner.empty() && nonce == nonce_of(own_records_));
  ++own_records_;
  const auto type = static_cast<unsigned char>(inner.back());
  const bool new_key = type == type_handshake && inner.front() == handshake_key_update;
  cipher_->seal(used, header, inner.substr(0, inner.size() - record_type_bytes), type, body);
  keys_are_old_ = new_key;  // wolfSSL derives the next one behind this
}

}  // namespace ringpost::tls
