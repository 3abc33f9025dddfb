// Goal: records are told from other texts as RFC 7489 6.6.3 does, and defaults are those of 6.3.
#include "tools/domain/dmarc_record.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("dmarc: a record is one by its first tag") {
  CHECK(is_dmarc("v=DMARC1; p=none"));
  CHECK(is_dmarc("v = DMARC1 ;p=none"));
  CHECK(is_dmarc("v=DMARC1"));
  CHECK_FALSE(is_dmarc("v=dmarc1; p=none"));
  CHECK_FALSE(is_dmarc("p=none; v=DMARC1"));
  CHECK_FALSE(is_dmarc("v=DMARC12; p=none"));
  CHECK_FALSE(is_dmarc("v=spf1 -all"));
  CHECK_FALSE(is_dmarc(""));
}

TEST_CASE("dmarc: what is said, and what is meant where nothing is") {
  const auto plain = parse_dmarc("v=DMARC1; p=Reject");
  REQUIRE(plain);
  CHECK(plain->policy == DmarcPolicy::reject);
  CHECK(plain->subdomain_policy == DmarcPolicy::reject);
  CHECK_FALSE(plain->strict_spf);
  CHECK(plain->percent == 100);
  CHECK(plain->suffix == DmarcSuffix::unsaid);
  const auto full = parse_dmarc(
      "v=DMARC1; p=quarantine; sp=none; adkim=s; aspf=s; pct=5; psd=n; t=y; x=ignored; "
      "rua=mailto:a@b.example , mailto:c@d.example!10m");
  REQUIRE(full);
  CHECK(full->policy == DmarcPolicy::quarantine);
  CHECK(full->subdomain_policy == DmarcPolicy::none);
  CHECK(full->strict_dkim);
  CHECK(full->strict_spf);
  CHECK(full->percent == 5);
  CHECK(full->is_testing);
  CHECK(full->suffix == DmarcSuffix::no);
  CHECK(full->reports == std::vector<std::string>{"mailto:a@b.example", "mailto:c@d.example!10m"});
  CHECK(parse_dmarc("v=DMARC1; p=none; pct=101")->percent == 100);
}

TEST_CASE("dmarc: a policy that is none counts as none where reports are wanted") {
  CHECK(parse_dmarc("v=DMARC1; p=rejct; rua=mailto:a@b.example")->policy == DmarcPolicy::none);
  CHECK(parse_dmarc("v=DMARC1; rua=mailto:a@b.example")->policy == DmarcPolicy::none);
  CHECK(parse_dmarc("v=DMARC1; p=rejct").error() ==
        "p= is \"rejct\", not none, quarantine or reject");
  CHECK(parse_dmarc("v=DMARC1").error() == "it has no p=");
  CHECK(parse_dmarc("v=DMARC1; p").error() == "\"p\" has no \"=\"");
}
