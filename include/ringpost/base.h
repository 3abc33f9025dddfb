// What every part of ringpost may include: the vocabulary of bytes, time and errors.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ringpost/api.h>
#include <ringpost/result.h>

namespace ringpost {

// Octets that somebody else owns. Never NUL-terminated, never assumed to be text.
using Bytes = std::string_view;

// Monotonic time. The protocol core never reads a clock: it is told.
using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

// A deadline that never comes.
inline constexpr Instant never = Instant::max();

[[noreturn]] RINGPOST_API void assertion_failed(const char* expression, const char* file,
                                                int line) noexcept;

}  // namespace ringpost

// States a fact that only a mistake of ours can break. Stays on in every build.
#define RP_ASSERT(expression)                         \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::ringpost::assertion_failed(#expression, __FILE__, __LINE__))
