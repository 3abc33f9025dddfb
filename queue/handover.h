// The order of memory that the concurrent queue makes, in words that ThreadSanitizer understands.
//
// What a thread wrote before it pushed is there for whoever takes; the queue sees to it with
// stand-alone fences, which ThreadSanitizer does not model: without these calls it would find a
// race in every job. Nothing in other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define RP_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RP_THREAD_SANITIZER
#endif
#endif

#ifdef RP_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace ringpost::queue {

// Before a push into the queue at this address.
inline void hand_over([[maybe_unused]] void* queue) {
#ifdef RP_THREAD_SANITIZER
  __tsan_release(queue);
#endif
}

// Behind a take from it.
inline void take_over([[maybe_unused]] void* queue) {
#ifdef RP_THREAD_SANITIZER
  __tsan_acquire(queue);
#endif
}

}  // namespace ringpost::queue
