// The problem: a number of the kernel's means nothing to people, and what it was about is known
// only where the call was made. The idea: IoError carries both, and they become words when somebody
// asks. Limits: the words for the number are the C library's; an error with number 0 has its text
// alone. What only a machine has is refused here to all others.
#include "engine/io/io.h"

#include <cstring>
#include <limits>

namespace ringpost::io {

std::string IoError::message() const {
  if (error_number == 0) {
    return what;
  }
  return what + ": " + std::strerror(error_number);
}

void Io::reset(Handle /*handle*/) { RP_ASSERT(false); }

void Io::accept(int /*listening_descriptor*/, Owner /*owner*/) { RP_ASSERT(false); }

std::uint32_t Io::sockets_max() const { return std::numeric_limits<std::uint32_t>::max(); }

IoCounters Io::counters() const { return {}; }

}  // namespace ringpost::io
