// Dot-stuffing (RFC 5321 4.5.2) on the way into the octets of the wire, in any number of pieces.
#pragma once

#include <cstddef>
#include <span>

#include <ringpost/base.h>

namespace ringpost::codec {

// How far a content, or a piece of one, has been taken.
struct StuffCursor {
  std::size_t offset = 0;    // octets taken
  bool dot_written = false;  // the extra dot of the line at `offset` is out, the dot itself is not
  bool begins_line = true;   // where the octets begin, a line does
};

// Copies content from the cursor on into `room`, doubling the dot at each line start, until either
// is used up. Returns octets written and moves the cursor. Any division of the room gives the same
// stream. The content has CRLF line ends only. Vector code where the processor has it; stuff_scalar
// is its twin and the tests' oracle. bench/micro/body_scan_bench.cpp
[[nodiscard]] std::size_t stuff(Bytes content, StuffCursor& cursor, std::span<char> room);
[[nodiscard]] std::size_t stuff_scalar(Bytes content, StuffCursor& cursor, std::span<char> room);

}  // namespace ringpost::codec
