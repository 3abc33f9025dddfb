// Goal: what is asked of DNS is a name, and its parts are counted from the right.
#include "tools/domain/domain_name.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tools/domain/dns_client.h"
#include "tools/domain/domain_check.h"

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("domain name: what can be asked for, and what mail can come from") {
  for (const char* const good : {"a", "a.b", "_dmarc.a-b.c", "xn--p1ai"}) {
    CHECK(is_domain_name(good));
  }
  for (const char* const bad : {"", ".", "a.", ".a", "a..b", "a b", "a\nb", "\xc3\xbc.de"}) {
    CHECK_FALSE(is_domain_name(bad));
  }
  CHECK_FALSE(is_domain_name(std::string(64, 'a')));
  CHECK(is_mail_domain("example.com"));
  for (const char* const bad : {"localhost", "_spf.example.com", "192.0.2.1"}) {
    CHECK_FALSE(is_mail_domain(bad));
  }
}

TEST_CASE("domain name: labels from the right") {
  CHECK(labels_of("") == 0);
  CHECK(labels_of("a.b.c") == 3);
  CHECK(last_labels("a.b.c", 1) == "c");
  CHECK(last_labels("a.b.c", 2) == "b.c");
  CHECK(last_labels("a.b.c", 3) == "a.b.c");
  CHECK(last_labels("a.b.c", 9) == "a.b.c");
  CHECK(plain_name("A.Example.") == "a.example");
}

TEST_CASE("domain: a sender is a domain or an address") {
  CHECK(read_sender_domain("Example.COM").value() == "example.com");
  CHECK(read_sender_domain("News <news@b\xc3\xbc"
                           "cher.example>")
            .value() == "xn--bcher-kva.example");
  for (const char* const bad : {"", "a", "a b", "x@", "x@[192.0.2.1]", "https://example.com/"}) {
    INFO(bad);
    CHECK_FALSE(read_sender_domain(bad));
  }
}

TEST_CASE("dns client: a resolver is an address, and what is asked too late fails at once") {
  CHECK_FALSE(DnsClient::create({.resolver = "nonsense"}));
  auto client =
      DnsClient::create({.resolver = "[::1]:9", .all_within = std::chrono::milliseconds(0)});
  REQUIRE(client);
  const auto answers = (*client)->ask({{"a.example", DnsType::txt}, {"b.example", DnsType::mx}});
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].result == DnsResult::failed);
  CHECK_FALSE(answers[1].error.empty());
}
