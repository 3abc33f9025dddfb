// The problem: users keep these values, and journals of earlier versions have those of another
// function. The idea: XXH3 of 128 bits without a seed, whose values its library has promised not to
// change; the earlier function stands beside it for as long as there are journals that were begun
// with it.
#include "codec/journal/line_hash.h"

// Compiled into this file, so that no library has to be there when the program runs.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec/journal/legacy_line_hash.h"

namespace ringpost::codec {

LineHash hash_line(Bytes text, LineHashKind kind) {
  if (kind == LineHashKind::legacy) {
    return legacy_line_hash(text);
  }
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

}  // namespace ringpost::codec
