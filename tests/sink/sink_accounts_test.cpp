#include "tools/sink/sink_accounts.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost::sink;

TEST_CASE("accounts: there is one, and its password is not another's") {
  const AccountOptions options{.user = "u", .password = "p", .tokens = {}};
  SinkAccounts accounts(options);
  CHECK(accounts.is_password("u", "p"));
  CHECK_FALSE(accounts.is_password("u", "u"));
  CHECK_FALSE(accounts.is_password("p", "p"));
  CHECK(accounts.password_of("u") == "p");
  CHECK_FALSE(accounts.password_of("p"));
  CHECK_FALSE(accounts.use_token("u", ""));
}

TEST_CASE("accounts: without a bound the first token is good for ever, and for its user alone") {
  const AccountOptions options{.tokens = {.tokens = {"first", "second"}}};
  SinkAccounts accounts(options);
  for (int i = 0; i < 3; ++i) {
    CHECK(accounts.use_token("ringpost", "first"));
  }
  CHECK_FALSE(accounts.use_token("ringpost", "second"));
  CHECK_FALSE(accounts.use_token("somebody", "first"));
}

TEST_CASE("accounts: a token is good for so many logins, then only the next one is") {
  const AccountOptions options{.tokens = {.tokens = {"first", "second"}, .uses_max = 2}};
  SinkAccounts accounts(options);
  const auto with = [&accounts](const char* token) {
    return accounts.use_token("ringpost", token);
  };
  CHECK_FALSE(with("second"));
  CHECK_FALSE(accounts.use_token("somebody", "first"));
  CHECK(with("first"));
  CHECK(with("first"));
  CHECK_FALSE(with("first"));
  CHECK(with("second"));
  CHECK(with("second"));
  CHECK_FALSE(with("second"));
}

TEST_CASE("accounts: names that fit a form, whatever their case, or a name that is the token") {
  AccountOptions options{.user = "nobody", .password = "secret", .tokens = {}};
  options.user_forms = {"apikey", "*@*"};
  SinkAccounts accounts(options);
  REQUIRE(accounts.is_password("ApiKey", "secret"));
  REQUIRE(accounts.is_password("a@b.example", "secret"));
  REQUIRE_FALSE(accounts.is_password("nobody", "secret"));
  REQUIRE_FALSE(accounts.password_of("apikeys"));
  options.user_is_password = true;
  REQUIRE(accounts.is_password("secret", "secret"));
  REQUIRE_FALSE(accounts.is_password("apikey", "secret"));
}
