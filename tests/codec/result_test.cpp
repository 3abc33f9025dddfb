#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/result.h>

using ringpost::Failure;
using ringpost::Result;

namespace {

Result<int, std::string> halved(int number) {
  if (number % 2 != 0) {
    return Failure("odd");
  }
  return number / 2;
}

Result<void, std::string> checked(bool good) {
  if (!good) {
    return Failure("bad");
  }
  return {};
}

// What is passed in registers stays so.
static_assert(std::is_trivially_copyable_v<Result<int, char>>);
static_assert(sizeof(Result<std::uint32_t, std::uint8_t>) == 8);
// A reason is never taken for a value, nor the other way round.
static_assert(!std::is_convertible_v<std::string, Result<int, std::string>>);
static_assert(std::is_convertible_v<Failure<const char*>, Result<std::string, std::string>>);

}  // namespace

TEST_CASE("A result holds a value or a reason") {
  const auto four = halved(8);
  REQUIRE(four);
  CHECK(*four == 4);
  CHECK(four.value_or(0) == 4);
  CHECK(four == 4);

  const auto none = halved(7);
  CHECK_FALSE(none.has_value());
  CHECK(none.error() == "odd");
  CHECK(none.value_or(11) == 11);
  CHECK_FALSE(none == 0);
  CHECK_THROWS(none.value());
}

TEST_CASE("A result of nothing says whether it was done") {
  CHECK(checked(true));
  const auto bad = checked(false);
  CHECK_FALSE(bad);
  CHECK(bad.error() == "bad");
}

TEST_CASE("A value and a reason of one type are told apart") {
  const Result<std::string, std::string> value = std::string("x");
  const Result<std::string, std::string> reason = Failure("x");
  CHECK(value.has_value());
  CHECK_FALSE(reason.has_value());
}

TEST_CASE("A chain of results ends at the first reason") {
  CHECK(*halved(12).and_then(halved) == 3);
  CHECK(halved(6).and_then(halved).error() == "odd");
  CHECK(*halved(12).transform([](int number) { return std::to_string(number); }) == "6");
  CHECK(halved(7).transform([](int number) { return number; }).error() == "odd");
  CHECK(*checked(true).transform([] { return 5; }) == 5);
  CHECK(checked(false).and_then([] { return checked(true); }).error() == "bad");
}

TEST_CASE("A value that can only be moved is moved") {
  Result<std::unique_ptr<int>, std::string> held = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = *std::move(held);
  CHECK(*taken == 3);
}
