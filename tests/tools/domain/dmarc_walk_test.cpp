// Goal: the record and the organisation are found as DMARCbis 4.10 finds them, by DNS alone.
#include "tools/domain/dmarc_walk.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/domain/zone.h"

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("dmarc walk: the domain's own record, else that of its organisation") {
  Zone zone;
  zone.txt("_dmarc.example.com", "v=DMARC1; p=reject; sp=none")
      .txt("_dmarc.own.example.com", "v=DMARC1; p=quarantine");
  const DmarcFinding top = walk_dmarc("Example.com", zone.ask());
  CHECK(top.found_at == "example.com");
  CHECK(top.policy() == DmarcPolicy::reject);
  const DmarcFinding part = walk_dmarc("a.b.example.com", zone.ask());
  CHECK(part.organization == "example.com");
  CHECK(part.found_at == "example.com");
  CHECK(part.policy() == DmarcPolicy::none);
  const DmarcFinding own = walk_dmarc("own.example.com", zone.ask());
  CHECK(own.found_at == "own.example.com");
  CHECK(own.organization == "example.com");
  CHECK(own.policy() == DmarcPolicy::quarantine);
  const DmarcFinding none = walk_dmarc("news.example.net", zone.ask());
  CHECK_FALSE(none.record);
  CHECK(none.problem.empty());
  CHECK(none.organization == "news.example.net");
}

TEST_CASE("dmarc walk: psd= says where an organisation begins") {
  Zone zone;
  zone.txt("_dmarc.gov.example", "v=DMARC1; p=reject; psd=y")
      .txt("_dmarc.city.town.gov.example", "v=DMARC1; p=none; psd=n");
  CHECK(walk_dmarc("mail.town.gov.example", zone.ask()).organization == "town.gov.example");
  CHECK(walk_dmarc("mail.town.gov.example", zone.ask()).found_at == "gov.example");
  CHECK(walk_dmarc("x.city.town.gov.example", zone.ask()).organization == "city.town.gov.example");
}

TEST_CASE("dmarc walk: records that receivers pass over are told") {
  Zone zone;
  zone.txt("_dmarc.two.example", "v=DMARC1; p=none")
      .txt("_dmarc.two.example", "v=DMARC1; p=reject");
  zone.txt("_dmarc.typo.example", "v=DMARC1; p=rejct").fails("_dmarc.down.example");
  zone.txt("_dmarc.other.example", "v=spf1 -all");
  CHECK(walk_dmarc("two.example", zone.ask()).problem.find("2 records") != std::string::npos);
  CHECK(walk_dmarc("typo.example", zone.ask()).problem ==
        "_dmarc.typo.example: p= is \"rejct\", not none, quarantine or reject");
  CHECK(walk_dmarc("down.example", zone.ask()).may_come_later);
  CHECK(walk_dmarc("other.example", zone.ask()).problem.empty());
}

TEST_CASE("dmarc walk: a long name costs eight questions") {
  Zone zone;
  zone.txt("_dmarc.example.com", "v=DMARC1; p=none");
  const DmarcFinding found = walk_dmarc("a.b.c.d.e.f.g.h.i.j.k.example.com", zone.ask());
  CHECK(zone.asked() == 8);
  CHECK(found.organization == "example.com");
}
