// Goal: a key is read as a receiver reads it, and the ways to paste it wrongly are told apart.
#include "tools/domain/dkim_record.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

namespace {

const std::string rsa_1024 =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDTI4Qd77gOQxtPNUzdEHT6chVstvSpyodJ/Ew8PmRifIlbvzWbWAx565"
    "Nj1FHnM/tJtmKDAOz2IvnZLV2RGONLyT06wXiosiqpsBwRvzrJ+UqYeKTrbVek6etk/Z9PzMYPVs768JPspXVc5oPTwC13"
    "ptfAGGGvigKGcago98XCQwIDAQAB";
// The same numbers as PKCS #1, without the algorithm around them.
const std::string rsa_1024_bare =
    "MIGJAoGBANMjhB3vuA5DG081TN0QdPpyFWy29KnKh0n8TDw+ZGJ8iVu/"
    "NZtYDHnrk2PUUecz+0m2YoMA7PYi+dktXZEY40v"
    "JPTrBeKiyKqmwHBG/Osn5Sph4pOttV6Tp62T9n0/Mxg9Wzvrwk+yldVzmg9PALXem18AYYa+KAoZxqCj3xcJDAgMBAAE=";

}  // namespace

TEST_CASE("dkim: keys and what their tags say") {
  for (const std::string& text :
       {"v=DKIM1; k=rsa; p=" + rsa_1024, "p=" + rsa_1024, "p=" + rsa_1024_bare,
        "k=rsa ;\tp = " + rsa_1024.substr(0, 70) + " \r\n " + rsa_1024.substr(70) + ";"}) {
    INFO(text);
    const auto key = parse_dkim(text);
    INFO((key ? "" : key.error()));
    REQUIRE(key);
    CHECK(key->key == DkimKey::rsa);
    CHECK(key->bits == 1024);
    CHECK_FALSE(key->is_revoked);
    CHECK_FALSE(key->is_testing);
    CHECK(key->sha256);
    CHECK(key->serves_mail);
  }
  const auto flags = parse_dkim("v=DKIM1; t=y:s; h=sha1; s=tlsrpt; p=" + rsa_1024);
  REQUIRE(flags);
  CHECK(flags->is_testing);
  CHECK(flags->is_strict);
  CHECK_FALSE(flags->sha256);
  CHECK_FALSE(flags->serves_mail);
  CHECK(parse_dkim("h=sha1:sha256; s=*; p=" + rsa_1024)->sha256);
  CHECK(parse_dkim("v=DKIM1; p=")->is_revoked);
  CHECK(parse_dkim("k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")->bits == 256);
  CHECK(parse_dkim("k=future; p=AAAA")->key == DkimKey::unknown);
}

TEST_CASE("dkim: what no receiver can use is told in words") {
  const struct {
    std::string text;
    const char* words;
  } cases[] = {
      {"v=spf1 -all", "\"spf1 -all\", not DKIM1"},
      {"v=DKIM2; p=" + rsa_1024, "not DKIM1"},
      {"k=rsa; v=DKIM1; p=" + rsa_1024, "v= must be the first tag"},
      {"v=DKIM1; k=rsa", "it has no p="},
      {"hello", "has no \"=\""},
      {"p=" + rsa_1024 + "; p=", "p= comes twice"},
      {"p=" + rsa_1024.substr(0, 100), "p= is no RSA key"},
      {"p=" + rsa_1024.substr(0, 101), "p= is no base64"},
      {"p=\"" + rsa_1024 + "\"", "p= is no base64"},
      {"k=ed25519; p=" + rsa_1024, "an Ed25519 key 32"},
      {"p=AAAA", "p= is no RSA key"},
  };
  for (const auto& each : cases) {
    INFO(each.text);
    const auto key = parse_dkim(each.text);
    REQUIRE_FALSE(key);
    INFO(key.error());
    CHECK(key.error().find(each.words) != std::string::npos);
  }
}
