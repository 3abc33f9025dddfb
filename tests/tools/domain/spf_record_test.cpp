// Goal: a record is read as RFC 7208 12 writes it, and what breaks it is named.
#include "tools/domain/spf_record.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("spf: a record is one by its first word") {
  CHECK(is_spf("v=spf1"));
  CHECK(is_spf("V=SPF1 -all"));
  CHECK_FALSE(is_spf("v=spf10 -all"));
  CHECK_FALSE(is_spf("v=spf1\t-all"));
  CHECK_FALSE(is_spf(" v=spf1"));
  CHECK_FALSE(is_spf("spf2.0/pra -all"));
}

TEST_CASE("spf: what the grammar has is read") {
  for (const char* const good : {"",
                                 "all",
                                 "-all",
                                 "~ALL",
                                 "a",
                                 "a:b.example",
                                 "a/24",
                                 "a//64",
                                 "a/24//64",
                                 "a:b.example/24//64",
                                 "mx",
                                 "+mx:b.example/0",
                                 "ptr",
                                 "ptr:b.example",
                                 "ip4:192.0.2.1",
                                 "ip4:192.0.2.0/24",
                                 "ip6:2001:db8::/32",
                                 "ip6:::1",
                                 "include:b.example",
                                 "include:_spf.b.example.",
                                 "exists:%{i}._spf.%{d2}",
                                 "exists:%{ir}.%{v}.b.example",
                                 "a:%{d2r.-}/8",
                                 "exists:%%.b.example",
                                 "redirect=b.example",
                                 "exp=b.example",
                                 "unknown=%{i}",
                                 "x-y.z=anything",
                                 "  a   mx  "}) {
    INFO(good);
    CHECK(parse_spf("v=spf1 " + std::string(good)));
  }
}

TEST_CASE("spf: what breaks a record is named") {
  const struct {
    const char* terms;
    const char* words;
  } cases[] = {
      {"includ:b.example", "\"includ:b.example\" is no mechanism"},
      {"ip5:1.2.3.4", "is no mechanism"},
      {"all:b.example", "all stands alone"},
      {"-all.", "is no mechanism"},
      {"include", "it names no domain"},
      {"include:", "names no domain"},
      {"include:localhost", "names no domain"},
      {"include:b..example", "names no domain"},
      {"include:b.example/24", "names no domain"},
      {"exists", "it names no domain"},
      {"ip4", "it is no IPv4 network"},
      {"ip4:192.0.2", "it is no IPv4 network"},
      {"ip4:192.0.2.1/33", "it is no IPv4 network"},
      {"ip4:192.0.2.1/024", "it is no IPv4 network"},
      {"ip4:2001:db8::1", "it is no IPv4 network"},
      {"ip6:192.0.2.1", "it is no IPv6 network"},
      {"ip6:2001:db8::/129", "it is no IPv6 network"},
      {"a/33", "its prefix length is none"},
      {"a/24/64", "its prefix length is none"},
      {"a//129", "its prefix length is none"},
      {"exists:%{x}.b.example", "has a macro that is none"},
      {"exists:%{i.b.example", "has a macro that is none"},
      {"exists:%i.b.example", "has a macro that is none"},
      {"unknown=%", "has a macro that is none"},
      {"redirect=a.example redirect=b.example", "redirect= comes twice"},
      {"exp=a.example EXP=b.example", "exp= comes twice"},
      {"redirect=", "names no domain"},
      {"v=spf1 -all extra", "\"extra\" is no mechanism"},
  };
  for (const auto& each : cases) {
    INFO(each.terms);
    const auto record = parse_spf("v=spf1 " + std::string(each.terms));
    REQUIRE_FALSE(record);
    INFO(record.error());
    CHECK(record.error().find(each.words) != std::string::npos);
  }
}

TEST_CASE("spf: terms keep their signs, targets and order") {
  const auto record =
      parse_spf("v=spf1 ?a:b.example/24 -Include:C.example ~all redirect=d.example");
  REQUIRE(record);
  REQUIRE(record->terms.size() == 3);
  CHECK(record->terms[0] == SpfTerm{'?', SpfMechanism::a, "b.example", false, "?a:b.example/24"});
  CHECK(record->terms[1].mechanism == SpfMechanism::include);
  CHECK(record->terms[1].target == "C.example");
  CHECK(record->all() == &record->terms[2]);
  CHECK(record->redirect == "d.example");
}

TEST_CASE("spf: the record that is proposed has everything once, and one end") {
  CHECK(spf_with({}, "include:p.example") == "v=spf1 include:p.example ~all");
  CHECK(spf_with({"v=spf1 a -all"}, "include:p.example") == "v=spf1 include:p.example a -all");
  CHECK(spf_with({"v=spf1 mx redirect=r.example"}, "include:p.example") ==
        "v=spf1 include:p.example mx redirect=r.example");
  CHECK(spf_with({"v=spf1 a mx -all", "v=spf1 include:P.example MX ?all"}, "include:p.example") ==
        "v=spf1 include:p.example a mx -all");
  CHECK(spf_with({"v=spf1 -all", "v=spf1 a"}, "") == "v=spf1 a -all");
}
