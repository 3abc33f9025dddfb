// Up to 64 octets looked at in one go: one bit an octet for everything a line scanner asks about.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ringpost::server {

// Bit i speaks of octet i; bits behind the last octet are zero. What is rare has no mask: whoever
// hears that it is there looks again.
struct OctetMasks {
  std::uint64_t lf = 0;
  std::uint64_t cr = 0;
  bool has_nul = false;
  bool has_eight_bit = false;
};

namespace octet_masks_detail {

inline void add_slowly(OctetMasks& masks, const char* octets, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const auto octet = static_cast<unsigned char>(octets[i]);
    masks.lf |= octet == '\n' ? bit : 0;
    masks.cr |= octet == '\r' ? bit : 0;
    masks.has_nul |= octet == 0;
    masks.has_eight_bit |= octet >= 0x80;
  }
}

}  // namespace octet_masks_detail

// Precondition: count <= 64.
inline OctetMasks octet_masks(const char* octets, std::size_t count) {
  OctetMasks masks;
  std::size_t at = 0;
#if defined(__SSE2__)
  // Every x86-64 has SSE2, and elsewhere the loop below does it all:
  // NOLINTBEGIN(portability-simd-intrinsics)
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i cr = _mm_set1_epi8('\r');
  __m128i lowest = _mm_set1_epi8(-1);
  __m128i all_bits = _mm_setzero_si128();
  for (; at + 16 <= count; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets + at));
    const auto bits = [at](__m128i hits) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hits))) << at;
    };
    masks.lf |= bits(_mm_cmpeq_epi8(block, lf));
    masks.cr |= bits(_mm_cmpeq_epi8(block, cr));
    lowest = _mm_min_epu8(lowest, block);
    all_bits = _mm_or_si128(all_bits, block);
  }
  masks.has_nul = _mm_movemask_epi8(_mm_cmpeq_epi8(lowest, _mm_setzero_si128())) != 0;
  masks.has_eight_bit = _mm_movemask_epi8(all_bits) != 0;
  // NOLINTEND(portability-simd-intrinsics)
#endif
  octet_masks_detail::add_slowly(masks, octets, at, count);
  return masks;
}

}  // namespace ringpost::server
