// Strings that are filled and emptied many times: they keep their memory, unless one unusually
// large text has swollen it.
#pragma once

#include <string>

#include <ringpost/limits.h>

namespace ringpost::codec {

// Frees the memory, and with it the text, when there is more of it than
// limits::job_bytes_kept_max.
inline void shrink(std::string& text) {
  if (text.capacity() > limits::job_bytes_kept_max) {
    std::string().swap(text);
  }
}

inline void empty(std::string& text) {
  shrink(text);
  if (!text.empty()) {  // what is empty is not written to: its memory may be in no cache
    text.clear();
  }
}

}  // namespace ringpost::codec
