// What the tables of settings do with a value: it becomes a member, or a clause says why not.
#pragma once

#include <string>
#include <utility>

#include <ringpost/result.h>

namespace ringpost::cli {

using Applied = Result<void, std::string>;

// What was read, into the member that it is for.
template <typename T, typename U>
[[nodiscard]] Applied take(Result<T, std::string> parsed, U& into) {
  if (!parsed) {
    return Failure(std::move(parsed.error()));
  }
  into = static_cast<U>(std::move(*parsed));
  return {};
}

}  // namespace ringpost::cli
