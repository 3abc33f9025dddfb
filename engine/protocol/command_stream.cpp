// The problem: a reply says not what it answers, and one that began to come before its command had
// left answers something else. The idea: a command's place in the output stream is noted when it is
// written, and what had left is noted when a reply begins: both are numbers of one kind. Limits:
// content that is handed out where it stands passes by here, and is only counted.
#include "engine/protocol/command_stream.h"

#include <algorithm>

namespace ringpost::protocol {

std::size_t CommandStream::take(std::span<char> room) {
  const std::size_t count = std::min(room.size(), pending_.size() - taken_);
  pending_.copy(room.data(), count, taken_);
  taken_ += count;
  output_offset_ += count;
  if (taken_ == pending_.size()) {
    drop_pending();
  }
  return count;
}

void CommandStream::drop_pending() {
  pending_.clear();
  taken_ = 0;
}

}  // namespace ringpost::protocol
