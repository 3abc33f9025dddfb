// The program was called or configured wrongly: exit code 2.
#pragma once

#include <string>

namespace ringpost::cli {

struct UsageError {
  // For people, without "ringpost: " before it and without a newline at its end. Names the flag,
  // the variable or the `file:line:column` that is to blame. May have several lines.
  std::string message;
};

}  // namespace ringpost::cli
