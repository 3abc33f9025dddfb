// How often this program asks for memory.
#pragma once

#include <cstdint>

namespace ringpost::cli {

// A function that says how often the calling thread has allocated so far, by operator new, malloc,
// calloc, realloc and their like; null where nothing counts, as under a sanitizer, which has a
// malloc of its own.
//
// Counted is what ringpost and the libraries linked into it ask for (wolfSSL, simdjson, liburing,
// the queues), and operator new wherever it is called. Not counted is malloc called within shared
// libraries: the C library's own buffers, zlib's and zstd's.
[[nodiscard]] std::uint64_t (*allocation_counter())();

}  // namespace ringpost::cli
