// The problem: "no allocation a message" is easily said and easily lost, and a profile shows it
// only when it hurts. The idea: whatever allocates comes by here and leaves a mark in a counter of
// its thread, in the program as it is shipped; that costs one instruction. The linker sends malloc
// and its like here (--wrap, in CMakeLists.txt), and operator new is replaced as C++ allows.
//
// Not the C library's hooks for replacing malloc: whoever links ringpost into a program keeps the
// allocator of that program.
#include "tools/process/allocation_counter.h"

#ifdef RINGPOST_COUNT_ALLOCATIONS

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t allocations = 0;

std::uint64_t allocations_so_far() { return allocations; }

}  // namespace

// Names that the linker's --wrap makes.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* block, std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
int __real_posix_memalign(void** block, std::size_t alignment, std::size_t bytes);

void* __wrap_malloc(std::size_t bytes);
void* __wrap_calloc(std::size_t count, std::size_t bytes);
void* __wrap_realloc(void* block, std::size_t bytes);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes);
int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t bytes);

void* __wrap_malloc(std::size_t bytes) {
  ++allocations;
  return __real_malloc(bytes);
}

void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __real_calloc(count, bytes);
}

void* __wrap_realloc(void* block, std::size_t bytes) {
  ++allocations;
  return __real_realloc(block, bytes);
}

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __real_aligned_alloc(alignment, bytes);
}

int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __real_posix_memalign(block, alignment, bytes);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

namespace {

// As [new.delete.single] wants it: out_of_memory.h sets one.
void ask_new_handler() {
  const std::new_handler handler = std::get_new_handler();
  if (handler == nullptr) {
    throw std::bad_alloc();
  }
  handler();
}

}  // namespace

// The array and nothrow forms of the standard library come to these.
void* operator new(std::size_t bytes) {
  for (;;) {
    if (void* const block = std::malloc(bytes == 0 ? 1 : bytes)) {
      return block;
    }
    ask_new_handler();
  }
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  for (;;) {
    if (void* const block = std::aligned_alloc(step, (bytes + step - 1) / step * step)) {
      return block;
    }
    ask_new_handler();
  }
}

void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace ringpost::cli {

std::uint64_t (*allocation_counter())() { return &allocations_so_far; }

}  // namespace ringpost::cli

#else

namespace ringpost::cli {

std::uint64_t (*allocation_counter())() { return nullptr; }

}  // namespace ringpost::cli

#endif
