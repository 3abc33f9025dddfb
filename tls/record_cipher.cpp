// The problem: nearly all that a bulk sender's processor does for TLS is AES-GCM over full records,
// and which library does that fastest depends on the processor.
//
// The idea: intel-ipsec-mb where there is AVX-512 with VAES, wolfCrypt elsewhere: both are others'
// cryptography, made to take no time that depends on what they are given; ours are lengths and the
// order of calls. Before the first use intel-ipsec-mb is asked for what wolfCrypt answers, at
// lengths around each of its steps; where one octet differs, wolfCrypt does all.
#include "tls/record_cipher.h"

#include <algorithm>
#include <array>
#include <string>

#include <ringpost/limits.h>

namespace ringpost::tls {

namespace {

// Around a block, around what is done at a time (up to 48 blocks), and a full record.
constexpr std::array<std::size_t, 10> answer_lengths = {
    0, 1, 15, 16, 17, 255, 767, 768, 769, limits::tls_record_bytes_max};

std::string some_octets(std::size_t count, unsigned seed) {
  std::string octets(count, '\0');
  std::ranges::generate(octets, [&seed] {
    seed = seed * 1103515245 + 12345;
    return static_cast<char>(seed >> 16);
  });
  return octets;
}

std::string answer_of(RecordCipher& cipher, Bytes plaintext, unsigned seed) {
  RecordNonce nonce{};
  std::ranges::copy(some_octets(nonce.size(), seed), nonce.begin());
  std::string body(plaintext.size() + record_type_bytes + record_tag_bytes, '\0');
  cipher.seal(nonce, some_octets(5, seed + 1), plaintext, 23, body.data());
  return body;
}

bool gives_right_answers(RecordCipher& cipher) {
  const std::unique_ptr<RecordCipher> other = make_wolfcrypt_cipher();
  unsigned seed = 1;
  for (const std::size_t key_bytes : {16u, 32u}) {
    const std::string key = some_octets(key_bytes, ++seed);
    cipher.set_key(key);
    other->set_key(key);
    for (const std::size_t length : answer_lengths) {
      const std::string plaintext = some_octets(length, ++seed);
      if (answer_of(cipher, plaintext, seed) != answer_of(*other, plaintext, seed)) {
        return false;
      }
    }
  }
  return true;
}

bool use_ipsec_mb() {
  if (!ipsec_mb_is_faster()) {
    return false;
  }
  const std::unique_ptr<RecordCipher> cipher = make_ipsec_mb_cipher();
  return cipher && gives_right_answers(*cipher);
}

}  // namespace

std::unique_ptr<RecordCipher> make_record_cipher() {
  static const bool ipsec_mb = use_ipsec_mb();
  return ipsec_mb ? make_ipsec_mb_cipher() : make_wolfcrypt_cipher();
}

}  // namespace ringpost::tls
