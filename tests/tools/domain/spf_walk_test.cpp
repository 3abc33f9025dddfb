// Goal: look-ups are counted as RFC 7208 4.6.4 counts them, and no set of records makes a walk
// without an end. Method: records in a map.
#include "tools/domain/spf_walk.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/tools/domain/zone.h"

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("spf walk: what costs a look-up, and what does not") {
  const struct {
    const char* terms;
    std::size_t lookups;
    std::size_t void_lookups;
  } cases[] = {
      {"-all", 0, 0},
      {"ip4:192.0.2.1 ip6:::1 exp=e.example -all", 0, 0},
      {"a -all", 1, 0},
      {"mx -all", 1, 0},
      {"ptr -all", 1, 0},
      {"exists:there.example -all", 1, 0},
      {"exists:%{i}.b.example -all", 1, 0},
      {"a:nothing.example exists:nothing.example -all", 2, 2},
      {"a:six.example -all", 1, 0},
      {"include:two.example -all", 3, 0},
      {"include:two.example include:two.example -all", 6, 0},
      {"redirect=two.example", 3, 0},
      {"-all redirect=two.example", 0, 0},
      {"-all a mx", 0, 0},
  };
  for (const auto& each : cases) {
    INFO(each.terms);
    Zone zone;
    zone.txt("o.example", "v=spf1 " + std::string(each.terms))
        .txt("o.example", "some other text")
        .txt("two.example", "v=spf1 a:there.example mx:there.example -all")
        .add("o.example", DnsType::a, "192.0.2.1")
        .add("o.example", DnsType::mx, "mx.example")
        .add("there.example", DnsType::a, "192.0.2.1")
        .add("there.example", DnsType::mx, "mx.example")
        .add("six.example", DnsType::aaaa, "::1");
    const SpfFinding found = walk_spf("O.example.", "", zone.ask());
    CHECK(found.standing == SpfStanding::usable);
    CHECK(found.lookups == each.lookups);
    CHECK(found.void_lookups == each.void_lookups);
    CHECK(found.steps.size() == each.lookups);
  }
}

TEST_CASE("spf walk: ten look-ups are allowed, and the eleventh is a permerror") {
  for (const std::size_t count : {10u, 11u, 80u}) {
    Zone zone;
    std::string record = "v=spf1";
    for (std::size_t n = 0; n < count; ++n) {
      record += fmt::format(" include:p{}.example", n);
      zone.txt(fmt::format("p{}.example", n), "v=spf1 -all");
    }
    zone.txt("o.example", record + " -all");
    const SpfFinding found = walk_spf("o.example", "", zone.ask());
    CHECK((found.standing == SpfStanding::usable) == (count == 10));
    CHECK(found.too_many() == (count > 10));
    CHECK(zone.asked() <= 51);
    if (count == 80) {
      CHECK(found.problem.find("more than 50 look-ups") != std::string::npos);
    }
  }
}

TEST_CASE("spf walk: three look-ups that find nothing are a permerror, two are not") {
  Zone zone;
  zone.txt("two.example", "v=spf1 a:x.example mx:y.example -all")
      .txt("three.example", "v=spf1 a:x.example mx:y.example exists:z.example -all");
  CHECK(walk_spf("two.example", "", zone.ask()).standing == SpfStanding::usable);
  CHECK(walk_spf("three.example", "", zone.ask()).standing == SpfStanding::permerror);
}

TEST_CASE("spf walk: records that refer to each other end") {
  Zone zone;
  zone.txt("self.example", "v=spf1 include:self.example -all")
      .txt("a.example", "v=spf1 include:b.example -all")
      .txt("b.example", "v=spf1 redirect=c.example")
      .txt("c.example", "v=spf1 include:a.example -all")
      .txt("r.example", "v=spf1 redirect=r.example");
  for (const char* const name : {"self.example", "a.example", "r.example"}) {
    const SpfFinding found = walk_spf(name, "", zone.ask());
    CHECK(found.standing == SpfStanding::permerror);
    CHECK(found.problem.find("refers to itself") != std::string::npos);
  }
  CHECK(zone.asked() < 12);
}

TEST_CASE("spf walk: broken records are told with whose they are") {
  Zone zone;
  zone.txt("two.example", "v=spf1 -all").txt("two.example", "v=spf1 a -all");
  zone.txt("none.example", "v=spf1 include:nobody.example -all");
  zone.txt("deep.example", "v=spf1 include:wrong.example -all").txt("wrong.example", "v=spf1 al");
  zone.txt("down.example", "v=spf1 include:broken.example a -all").fails("broken.example");
  zone.txt("twice.example", "v=spf1 include:two.example -all");
  const auto standing = [&zone](const char* name, const char* words) {
    const SpfFinding found = walk_spf(name, "", zone.ask());
    INFO(found.problem);
    CHECK(found.problem.find(words) != std::string::npos);
    return found.standing;
  };
  CHECK(standing("two.example", "there are 2 records") == SpfStanding::permerror);
  CHECK(standing("none.example", "nobody.example has no SPF record") == SpfStanding::permerror);
  CHECK(standing("deep.example", "in the record of wrong.example") == SpfStanding::permerror);
  CHECK(standing("down.example", "broken.example: SERVFAIL") == SpfStanding::temperror);
  CHECK(standing("twice.example", "has 2 SPF records") == SpfStanding::permerror);
  CHECK(standing("broken.example", "SERVFAIL") == SpfStanding::temperror);
  CHECK(walk_spf("no.example", "", zone.ask()).standing == SpfStanding::none);
}

TEST_CASE("spf walk: the provider's term counts where it can let mail pass") {
  Zone zone;
  zone.txt("spf.p.example", "v=spf1 ip4:192.0.2.0/24 -all")
      .txt("direct.example", "v=spf1 a:x.example include:SPF.p.example. -all")
      .txt("nested.example", "v=spf1 include:direct.example ~all")
      .txt("moved.example", "v=spf1 redirect=spf.p.example")
      .txt("minus.example", "v=spf1 -include:spf.p.example +all")
      .txt("under.example", "v=spf1 ?include:direct.example -all")
      .txt("behind.example", "v=spf1 -all include:spf.p.example");
  const auto walk = [&zone](const char* name) {
    return walk_spf(name, "include:spf.p.example", zone.ask());
  };
  CHECK(walk("direct.example").provider_after == std::size_t{2});
  CHECK(walk("nested.example").provider_after == std::size_t{3});
  CHECK(walk("nested.example").provider_in == "direct.example");
  CHECK(walk("moved.example").provider_after == std::size_t{1});
  CHECK(walk("moved.example").all == '-');
  CHECK(walk("minus.example").warnings.size() == 1);
  CHECK(walk("minus.example").all == '+');
  for (const char* const name : {"minus.example", "under.example", "behind.example"}) {
    INFO(name);
    CHECK_FALSE(walk(name).provider_after);
    CHECK_FALSE(walk(name).warnings.empty());
  }
  CHECK(walk("nested.example").all == '~');
}
