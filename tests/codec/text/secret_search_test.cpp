#include "codec/text/secret_search.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::codec {

namespace {

// How often it is told.
int tells(Bytes text, Bytes secret) {
  int count = 0;
  std::size_t at = find_clear_secret(text, secret, 0);
  while (at != Bytes::npos) {
    CHECK(text.substr(at, secret.size()) == secret);
    ++count;
    at = find_clear_secret(text, secret, at + secret.size());
  }
  return count;
}

}  // namespace

TEST_CASE("secret search: a password is found wherever its octets stand") {
  for (const Bytes secret : {"wonderland", "hunter2", "Tr0ub4dor&3", "a b c d", "wrong horse",
                             "wrong1 password", "corr3ct-h0rse", "12345678", "p\xc3\xa4ss"}) {
    const std::string text(secret);
    CHECK(tells(text, secret) == 1);
    CHECK(tells("535 bad " + text + ", and" + text + text + "!", secret) == 3);
    CHECK(tells("535 authentication failed: wrong password", secret) == 0);
  }
}

TEST_CASE("secret search: a word of servers' replies is told only where it is quoted") {
  const Bytes replies = "535 5.7.8 Error: authentication failed: wrong password, access denied";
  for (const Bytes secret : {"wrong", "password", "denied", "authentication", "Error", "access",
                             "access denied", "wrong password"}) {
    INFO(secret);
    CHECK(tells(replies, secret) == 0);
    for (const auto& [before, behind] : {std::pair{"'", "'"},
                                         {"\"", "\""},
                                         {"<", ">"},
                                         {"[", "]"},
                                         {"(", ")"},
                                         {"{", "}"},
                                         {"`", "'"},
                                         {"=", " "},
                                         {":", ""}}) {
      INFO(before);
      CHECK(tells("535 not " + std::string(before) + std::string(secret) + behind, secret) == 1);
    }
    CHECK(tells("535 '" + std::string(secret) + " is no good", secret) == 0);
    CHECK(tells(secret, secret) == 0);
  }
}

TEST_CASE("secret search: a short one of letters or digits alone is told where it stands alone") {
  CHECK(tells("250 queued as 20241128", "2024") == 0);
  CHECK(tells("250 in 2024, or <2024>", "2024") == 2);
  CHECK(tells("550 mangofruit and fruitmango", "mango") == 0);
  CHECK(tells("535 bad password mango.", "mango") == 1);
  CHECK(tells("250 mango2", "mango") == 0);
  // With another kind of octet in it, it comes up by chance no more.
  CHECK(tells("250 xm4ngox", "m4ngo") == 1);
}

TEST_CASE("secret search: less than four octets tell nothing, nor does what is not there") {
  CHECK(tells("250 ok <ok>", "ok") == 0);
  CHECK(tells("abc", "abc") == 0);
  CHECK(tells("", "wonderland") == 0);
  CHECK(tells("wonderlan", "wonderland") == 0);
  CHECK(find_clear_secret("hunter2", "hunter2", 1) == Bytes::npos);
  CHECK(find_clear_secret("hunter2", "hunter2", 100) == Bytes::npos);
}

}  // namespace ringpost::codec
