// The problem: a number of the kernel's means nothing to people, and what it was about is known
// only where the call was made. The idea: IoError carries both, and they become words when somebody
// asks. Limits: the words for the number are the C library's; an error with number 0 has its text
// alone.
#include "engine/io/io.h"

#include <cstring>

namespace ringpost::io {

std::string IoError::message() const {
  if (error_number == 0) {
    return what;
  }
  return what + ": " + std::strerror(error_number);
}

}  // namespace ringpost::io
