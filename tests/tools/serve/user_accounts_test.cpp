// Who is let in, and what a file of users may look like.
#include "tools/serve/user_accounts.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"
#include "tls/sasl_crypto.h"

namespace ringpost::serve::test {

namespace {

using ringpost::test::TemporaryFolder;

// PBKDF2-HMAC-SHA-256 of "password" and "saltsalt" in 4096 rounds, as hashlib.pbkdf2_hmac has it.
constexpr const char* known_hash =
    "pbkdf2-sha256$4096$c2FsdHNhbHQ=$ZiMD/VuDIBLM8rT9ZlFkcm8vO44PH2jtvpsH6s4pwvU=";

std::string users_offence(Bytes text) {
  const auto users = parse_users(text);
  REQUIRE_FALSE(users);
  return users.error();
}

}  // namespace

TEST_CASE("user accounts: a password that was hashed is known again, and no other") {
  const auto& crypto = tls::sasl_crypto();
  const std::string hash = hash_of_password("corr3ct horse", crypto);
  CHECK(hash.starts_with("pbkdf2-sha256$100000$"));
  CHECK(hash != hash_of_password("corr3ct horse", crypto));
  auto users = parse_users("blog:" + hash + "\n");
  REQUIRE(users);
  UserAccounts accounts(std::move(*users), crypto);
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(accounts.is_password("blog", "corr3ct horse"));
    CHECK_FALSE(accounts.is_password("blog", "corr3ct hors"));
    CHECK_FALSE(accounts.is_password("Blog", "corr3ct horse"));
    CHECK_FALSE(accounts.is_password("blog", ""));
  }
  CHECK_FALSE(accounts.password_of("blog"));
  CHECK_FALSE(accounts.use_token("blog", "corr3ct horse"));
}

TEST_CASE("user accounts: a hash that others have made is taken") {
  auto users = parse_users(std::string("# of somebody\r\n\r\na:") + known_hash + "\r\n");
  REQUIRE(users);
  UserAccounts accounts(std::move(*users), tls::sasl_crypto());
  CHECK(accounts.is_password("a", "password"));
  CHECK_FALSE(accounts.is_password("a", "Password"));
}

TEST_CASE("user accounts: whoever tries many passwords is not hashed for, who was in stays in") {
  auto users = parse_users(std::string("a:") + known_hash);
  REQUIRE(users);
  UserAccounts accounts(std::move(*users), tls::sasl_crypto());
  REQUIRE(accounts.is_password("a", "password"));
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(accounts.is_password("b", "guess " + std::to_string(i)));
    CHECK(accounts.is_password("a", "password"));
  }
}

TEST_CASE("user accounts: others may be let in, and who is not among them is known no more") {
  UserAccounts accounts(*parse_users(std::string("a:") + known_hash), tls::sasl_crypto());
  REQUIRE(accounts.is_password("a", "password"));
  accounts.replace(*parse_users(std::string("b:") + known_hash));
  CHECK_FALSE(accounts.is_password("a", "password"));
  CHECK(accounts.is_password("b", "password"));
}

TEST_CASE("user accounts: what is no file of users is told with its line, and without a hash") {
  CHECK(users_offence("") == "no user is in it, so nobody could log in");
  CHECK(users_offence("a\n").starts_with("line 1: a user is NAME:HASH"));
  CHECK(users_offence("#\na:secret").starts_with("line 2: a hash is pbkdf2-sha256$"));
  CHECK(users_offence("a:secret").find("secret") == std::string::npos);
  CHECK(users_offence("a:pbkdf2-sha256$1$c2FsdHNhbHQ=$AAAA").find("1000 to") != std::string::npos);
  const std::string twice = std::string("a:") + known_hash + "\na:" + known_hash;
  CHECK(users_offence(twice) == "line 2: user \"a\" is there twice");
}

TEST_CASE("user accounts: a file that everybody may read is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.write("users", std::string("a:") + known_hash + "\n");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(read_users(path));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  const auto refused = read_users(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("chmod o=") != std::string::npos);
  CHECK_FALSE(read_users(folder.path("none")));
}

}  // namespace ringpost::serve::test
