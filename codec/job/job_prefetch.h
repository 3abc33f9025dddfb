// Hints to the processor that a job will be wanted soon. A job goes from core to core: reader,
// worker, outcome thread; whoever takes it over finds it in another one's cache, and would wait for
// each line of it in turn.
#pragma once

#include <cstddef>

#include "codec/job/job.h"

namespace ringpost::codec {

inline void prefetch(const void* begin, std::size_t bytes) {
  constexpr std::size_t cache_line_bytes = 64;
  for (std::size_t offset = 0; offset < bytes; offset += cache_line_bytes) {
    __builtin_prefetch(static_cast<const char*>(begin) + offset, 1);
  }
}

// The job, and nothing that it points to.
inline void prefetch_job(const Job& job) { prefetch(&job, offsetof(Job, endpoint)); }

// What it points to and every stage looks at; to be called when the job itself is near.
inline void prefetch_parts(const Job& job) {
  prefetch(job.recipients.data(), sizeof(Recipient));
  prefetch(job.sender.data(), 1);
  prefetch(job.content.data(), 1);
}

}  // namespace ringpost::codec
