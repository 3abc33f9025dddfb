// Which Io the engine and the sink of a test shall use: RINGPOST_TEST_IO says so, where the same
// cases run once more (AGAIN of tools/cmake/ringpost_test.cmake).
#pragma once

#include <cstdlib>

#include "engine/io/make_io.h"

namespace ringpost::test {

[[nodiscard]] inline IoChoice io_under_test() {
  const char* const wanted = std::getenv("RINGPOST_TEST_IO");
  const auto choice = io::io_choice_of(wanted == nullptr ? "auto" : wanted);
  RP_ASSERT(choice.has_value());
  return *choice;
}

}  // namespace ringpost::test
