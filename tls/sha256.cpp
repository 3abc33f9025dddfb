// The problem: what is hashed comes in pieces of any size, wolfCrypt counts them in 32 bits, and
// its headers must not leave this folder.
//
// The idea: its state stands behind a pointer, and long pieces go in as several. Limits: one digest
// at a time; memory for the state is allocated once for each object.
#include "tls/sha256.h"

// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>
// clang-format on

namespace ringpost::tls {

struct Sha256::State {
  wc_Sha256 hash{};
};

// Software hashing takes no device and no heap of its own: none of these calls can fail.
Sha256::Sha256() : state_(std::make_unique<State>()) {
  RP_ASSERT(wc_InitSha256(&state_->hash) == 0);
}

Sha256::~Sha256() { wc_Sha256Free(&state_->hash); }

void Sha256::update(Bytes octets) {
  // wolfCrypt counts in 32 bits.
  constexpr std::size_t piece_bytes_max = std::size_t{1} << 30;
  while (!octets.empty()) {
    const Bytes piece = octets.substr(0, piece_bytes_max);
    RP_ASSERT(wc_Sha256Update(&state_->hash, reinterpret_cast<const byte*>(piece.data()),
                              static_cast<word32>(piece.size())) == 0);
    octets.remove_prefix(piece.size());
  }
}

std::array<char, 64> Sha256::finish_hex() {
  std::array<byte, WC_SHA256_DIGEST_SIZE> digest{};
  // Leaves the state as it is after wc_InitSha256().
  RP_ASSERT(wc_Sha256Final(&state_->hash, digest.data()) == 0);
  constexpr Bytes digits = "0123456789abcdef";
  std::array<char, 64> hex{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  return hex;
}

void Sha256::reset() {
  wc_Sha256Free(&state_->hash);
  RP_ASSERT(wc_InitSha256(&state_->hash) == 0);
}

}  // namespace ringpost::tls
