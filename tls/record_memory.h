// Memory for TLS records that is used again instead of being asked for each time. Internal to tls/.
#pragma once

#include <cstddef>

namespace ringpost::tls {

// Makes wolfSSL, in the whole process, take its memory from here: a thread keeps one freed block of
// each size and hands it out again. Blocks are the C library's, so it does not matter where those
// came from that are freed here.
void install_record_memory();

// What wolfSSL then calls: malloc() and free() with a memory.
[[nodiscard]] void* allocate_record_memory(std::size_t bytes);
void release_record_memory(void* block);

}  // namespace ringpost::tls
