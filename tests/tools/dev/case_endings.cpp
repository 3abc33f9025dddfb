// A program for catch_program_test.py: what its cases do is told by the environment.
#include <cstdlib>
#include <string_view>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

namespace {

bool is_told(std::string_view ending) {
  const char* told = std::getenv("RINGPOST_CASE_ENDING");
  return told != nullptr && told == ending;
}

}  // namespace

TEST_CASE("first: passes") { CHECK_FALSE(is_told("")); }

TEST_CASE("second: a name, with [all] that \"needs\" care, and a back\\slash*") {
  CHECK_FALSE(is_told("fail"));
}

TEST_CASE("third: ends as it is told") {
  if (is_told("skip")) {
    SKIP("as it was told");
  }
  if (is_told("exit")) {
    ::_exit(23);
  }
  if (is_told("abort")) {
    std::abort();
  }
  if (is_told("leak")) {
    std::atexit([] { ::_exit(24); });
  }
  SUCCEED();
}

TEST_CASE("fourth: passes behind it") { CHECK_FALSE(is_told("")); }
