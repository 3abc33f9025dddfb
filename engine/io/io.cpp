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
