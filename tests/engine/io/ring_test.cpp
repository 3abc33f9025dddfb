// What a ring has beside what io.h promises; that is io_test's.
#include "engine/io/ring.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

TEST_CASE("ring: it knows the version of its library") {
  const std::string version = ringpost::io::Ring::library_version();
  CHECK(version.find('.') != std::string::npos);
  CHECK(version.find_first_not_of("0123456789.") == std::string::npos);
}
