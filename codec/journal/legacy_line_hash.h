// The hash that journals of versions 1 and 2 know lines by, and idempotency values are made of.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "codec/journal/line_hash.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Users and providers keep these values, so the function never changes. It is no cryptographic
// hash: it keeps honest lines apart and is not meant to resist somebody who looks for collisions.
//
// Two rows of four lanes, 32 octets a step, so that the multiplications do not wait for each other.
// Every octet goes into one lane of each row, at another place of the word, and each step of a lane
// can be undone, so a difference stays a difference.
class LegacyLineHasher {
 public:
  [[nodiscard]] static LineHash hash(Bytes text) {
    LegacyLineHasher hasher;
    const std::uint64_t text_bytes = text.size();
    while (text.size() >= block_bytes) {
      hasher.take(text.data());
      text.remove_prefix(block_bytes);
    }
    std::array<char, block_bytes> last{};
    if (!text.empty()) {
      std::memcpy(last.data(), text.data(), text.size());
    }
    hasher.take(last.data());
    return hasher.result(text_bytes);
  }

 private:
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t block_bytes = lanes * sizeof(std::uint64_t);
  // Odd, and without a pattern: the fractions of the golden ratio and of the square root of two.
  static constexpr std::uint64_t first_factor = 0x9e3779b97f4a7c15U;
  static constexpr std::uint64_t second_factor = 0x6a09e667f3bcc909U;

  static void step(std::uint64_t& lane, std::uint64_t word, std::uint64_t factor) {
    lane = (lane ^ word) * factor;
    lane ^= lane >> 32;
  }

  void take(const char* block) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      std::uint64_t word = 0;
      std::memcpy(&word, block + lane * sizeof word, sizeof word);
      step(first_[lane], word, first_factor);
      step(second_[lane], std::rotl(word, 32), second_factor);
    }
  }

  [[nodiscard]] LineHash result(std::uint64_t text_bytes) const {
    LineHash hash{text_bytes, ~text_bytes};
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      step(hash.high, first_[lane] + std::rotl(hash.low, 17), first_factor);
      step(hash.low, second_[lane] + std::rotl(hash.high, 41), second_factor);
    }
    step(hash.high, hash.low, second_factor);
    step(hash.low, hash.high, first_factor);
    return hash;
  }

  std::array<std::uint64_t, lanes> first_{1, 2, 3, 4};
  std::array<std::uint64_t, lanes> second_{5, 6, 7, 8};
};

[[nodiscard]] inline LineHash legacy_line_hash(Bytes text) { return LegacyLineHasher::hash(text); }

}  // namespace ringpost::codec
