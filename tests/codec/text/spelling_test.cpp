#include "codec/text/spelling.h"

#include <array>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

constexpr std::array<std::string_view, 6> known = {"to",       "subject",    "reply_to",
                                                   "metadata", "raw_base64", "text"};

}  // namespace

TEST_CASE("spelling: a slip finds the word that was meant") {
  CHECK(nearest_word("subjct", known) == "subject");
  CHECK(nearest_word("Subject", known) == "subject");
  CHECK(nearest_word("sbuject", known) == "subject");
  CHECK(nearest_word("replyTo", known) == "reply_to");
  CHECK(nearest_word("meta_data", known) == "metadata");
  CHECK(nearest_word("rawbase64", known) == "raw_base64");
}

TEST_CASE("spelling: words that are far from all others find none") {
  CHECK(nearest_word("", known).empty());
  CHECK(nearest_word("x", known).empty());
  CHECK(nearest_word("priority", known).empty());
  CHECK(nearest_word(std::string(1'000'000, 'a'), known).empty());
}

TEST_CASE("spelling: the sentence names both words, and escapes what it was given") {
  CHECK(unknown_word("field", "subjct", known) ==
        "unknown field \"subjct\"; did you mean \"subject\"?");
  CHECK(unknown_word("field", "a\nb", known) == "unknown field \"a\\nb\"");
  CHECK(unknown_word("field", std::string(1000, 'a'), known).size() < 100);
}
