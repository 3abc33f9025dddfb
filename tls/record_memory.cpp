// The problem: wolfSSL asks for a buffer for every record it writes or reads and frees it at once,
// so a message costs a malloc and a free, and ringpost's steady state is to have none.
//
// The idea: a thread keeps the last freed block of each size class and hands it out to the next who
// asks for that class. Classes are as fine as it takes for long-lived objects, which come from here
// too, to waste little: 64 octets up to 1 KB, 256 from there to just above a full record. A block
// carries no header: the C library knows how large it is, and may have made it larger than asked.
//
// Limits: it buys quiet rather than speed (4 % of a record of 100 octets, nothing at 16 KB), and a
// session takes 0.5 KB more, for the rounding. A thread keeps up to 0.7 MB. Blocks above a record's
// size go straight to the C library; one that is freed on another thread stays with that thread.
#include "tls/record_memory.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <malloc.h>
#include <utility>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/memory.h>
// clang-format on

#include <ringpost/base.h>

namespace ringpost::tls {

namespace {

constexpr std::size_t fine_step = 64;
constexpr std::size_t fine_bytes_max = 1024;
constexpr std::size_t coarse_step = 256;
constexpr std::size_t coarse_bytes_max = 17u << 10;
constexpr std::size_t fine_classes = fine_bytes_max / fine_step;
constexpr std::size_t classes = fine_classes + (coarse_bytes_max - fine_bytes_max) / coarse_step;

// The smallest class whose blocks hold `bytes`; `classes` when there is none.
std::size_t class_that_holds(std::size_t bytes) {
  if (bytes <= fine_bytes_max) {
    return bytes == 0 ? 0 : (bytes - 1) / fine_step;
  }
  return bytes <= coarse_bytes_max ? fine_classes + (bytes - fine_bytes_max - 1) / coarse_step
                                   : classes;
}

std::size_t bytes_of_class(std::size_t index) {
  return index < fine_classes ? (index + 1) * fine_step
                              : fine_bytes_max + (index - fine_classes + 1) * coarse_step;
}

// What a thread keeps. A thread that ends gives everything back; what is freed after that, by
// destructors that run later still, goes straight to the C library.
struct Kept {
  std::array<void*, classes> blocks{};
  bool gone = false;

  ~Kept() {
    gone = true;
    for (void*& block : blocks) {
      std::free(std::exchange(block, nullptr));
    }
  }
};

thread_local Kept kept;

void* resize(void* block, std::size_t bytes) { return std::realloc(block, bytes); }

}  // namespace

void install_record_memory() {
  RP_ASSERT(wolfSSL_SetAllocators(&allocate_record_memory, &release_record_memory, &resize) == 0);
}

void* allocate_record_memory(std::size_t bytes) {
  const std::size_t index = class_that_holds(bytes);
  if (index == classes || kept.gone) {
    return std::malloc(bytes);
  }
  void* block = std::exchange(kept.blocks[index], nullptr);
  return block != nullptr ? block : std::malloc(bytes_of_class(index));
}

void release_record_memory(void* block) {
  if (block == nullptr) {
    return;
  }
  // Rounded down: a block may stand in for any class that is not larger than it.
  const std::size_t bytes = malloc_usable_size(block);
  std::size_t index = class_that_holds(bytes);
  if (index < classes && bytes_of_class(index) > bytes) {
    index = index == 0 ? classes : index - 1;
  }
  if (index == classes || kept.gone || kept.blocks[index] != nullptr) {
    std::free(block);
  } else {
    kept.blocks[index] = block;
  }
}

}  // namespace ringpost::tls
