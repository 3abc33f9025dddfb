// Mail has a line end every eighty octets and hardly ever a dot behind it. So the scan looks for
// the pair LF and dot, sixteen octets at a time, and everything between two pairs is one memcpy.
#include "codec/mail/body_scan.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ringpost::codec {

namespace {

// The offset of the first dot at or after `from` that stands behind a LF, or the content's size.
// Precondition: from > 0.
std::size_t next_leading_dot_scalar(Bytes content, std::size_t from) {
  for (std::size_t at = from; at < content.size(); ++at) {
    if (content[at] == '.' && content[at - 1] == '\n') {
      return at;
    }
  }
  return content.size();
}

std::size_t next_leading_dot(Bytes content, std::size_t from) {
  std::size_t at = from;
#ifdef __SSE2__
  const __m128i dots = _mm_set1_epi8('.');
  const __m128i line_feeds = _mm_set1_epi8('\n');
  constexpr std::size_t width = sizeof(__m128i);
  for (; at + width <= content.size(); at += width) {
    const char* const octets = content.data() + at;
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets));
    const __m128i before = _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets - 1));
    const __m128i pairs =
        _mm_and_si128(_mm_cmpeq_epi8(here, dots), _mm_cmpeq_epi8(before, line_feeds));
    const int mask = _mm_movemask_epi8(pairs);
    if (mask != 0) {
      return at + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    }
  }
#endif
  return next_leading_dot_scalar(content, at);
}

template <typename FindNext>
std::size_t stuff_with(Bytes content, StuffCursor& cursor, std::span<char> room,
                       FindNext find_next) {
  std::size_t written = 0;
  while (cursor.offset < content.size() && written < room.size()) {
    const std::size_t begin = cursor.offset;
    const bool at_line_start = begin == 0 ? cursor.begins_line : content[begin - 1] == '\n';
    if (at_line_start && content[begin] == '.' && !cursor.dot_written) {
      room[written++] = '.';
      cursor.dot_written = true;
      continue;
    }
    // Looking no further than the room reaches keeps the work linear, however small the rooms are.
    const std::size_t reach = std::min(content.size(), begin + (room.size() - written));
    const std::size_t run_end = find_next(content.substr(0, reach), begin + 1);
    std::memcpy(room.data() + written, content.data() + begin, run_end - begin);
    written += run_end - begin;
    cursor.offset = run_end;
    cursor.dot_written = false;
  }
  return written;
}

}  // namespace

std::size_t stuff(Bytes content, StuffCursor& cursor, std::span<char> room) {
  return stuff_with(content, cursor, room, next_leading_dot);
}

std::size_t stuff_scalar(Bytes content, StuffCursor& cursor, std::span<char> room) {
  return stuff_with(content, cursor, room, next_leading_dot_scalar);
}

}  // namespace ringpost::codec
