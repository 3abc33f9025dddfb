// A hash of 128 bits that names a job line that has no id, and from which Message-ID and boundaries
// are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

struct LineHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const LineHash&) const = default;
};

// Which function makes it. What stands in journals: never renumbered.
enum class LineHashKind : std::uint8_t {
  legacy = 0,    // of journals of versions 1 and 2 (legacy_line_hash.h)
  xxh3_128 = 1,  // XXH3 of 128 bits, seed 0
};

// Users keep these values (they key a resume), so none of the functions ever changes. They are no
// cryptographic hashes: they keep honest lines apart and are not meant to resist somebody who looks
// for collisions.
[[nodiscard]] LineHash hash_line(Bytes text, LineHashKind kind = LineHashKind::xxh3_128);

inline void append_hex(std::string& out, std::uint64_t value) {
  char digits[16];
  for (std::size_t i = 0; i < sizeof digits; ++i) {
    digits[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15U];
  }
  out.append(digits, sizeof digits);
}

// 32 hexadecimal digits; of XXH3 those that `xxhsum -H2` prints.
inline void append_hex(std::string& out, const LineHash& hash) {
  append_hex(out, hash.high);
  append_hex(out, hash.low);
}

}  // namespace ringpost::codec
