#include "codec/smtp/auth_mechanism.h"

#include <set>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "codec/smtp/sasl.h"
#include "tests/support/fixed_nonce.h"

using namespace ringpost;
using codec::MechanismTraits;

namespace {

const codec::Credentials both = {"alice", "wonderland", "a-long-token", "mx.example", 587};

}  // namespace

TEST_CASE("auth mechanism: a row is found by its name and its enumerator") {
  std::set<std::string_view> names;
  for (const MechanismTraits& traits : codec::mechanism_table()) {
    INFO(traits.name);
    CHECK(codec::find_mechanism(traits.name) == traits.mechanism);
    CHECK(codec::name_of(traits.mechanism) == traits.name);
    CHECK(&codec::traits_of(traits.mechanism) == &traits);
    CHECK_FALSE((codec::takes_token(traits.mechanism) && codec::says_password(traits.mechanism)));
    names.insert(traits.name);
  }
  CHECK(names.size() == auth_mechanism_count);
  CHECK_FALSE(codec::find_mechanism("PLAINLY"));
}

TEST_CASE("auth mechanism: no two of a kind have the same rank") {
  for (const bool with_token : {false, true}) {
    std::set<unsigned> by_tls;
    std::set<unsigned> in_clear;
    std::size_t count = 0;
    for (const MechanismTraits& traits : codec::mechanism_table()) {
      if (traits.takes_token == with_token) {
        ++count;
        by_tls.insert(traits.rank_by_tls);
        in_clear.insert(traits.rank_in_clear);
      }
    }
    CHECK(by_tls.size() == count);
    CHECK(in_clear.size() == count);
  }
}

TEST_CASE("auth mechanism: what one says of a secret is found, and what is good for once is not") {
  const test::FixedNonce crypto("rOprNGfwEbeRWgbNEkqO");
  codec::ScramCache cache;
  const codec::Redactor redactor(both);
  for (const MechanismTraits& traits : codec::mechanism_table()) {
    INFO(traits.name);
    codec::SaslExchange exchange(traits.mechanism, both, {&crypto, &cache});
    const std::string initial = exchange.initial_response();
    if (!initial.empty()) {
      CHECK(redactor.finds_secret("501 " + initial) == traits.says_secret);
    }
  }
}
