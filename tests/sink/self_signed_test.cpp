#include "tools/sink/self_signed.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/tls/support.h"

namespace ringpost::tls::test {

TEST_CASE("self-signed: openssl reads in it what was asked for, and verifies it strictly") {
  const TemporaryFolder folder;
  const auto identity =
      make_self_signed({"mail.example.com", "*.example.net", "192.0.2.1", "2001:db8::1"}, 30);
  REQUIRE(identity);
  folder.write("cert.pem", identity->certificate_pem);
  folder.write("key.pem", identity->key_pem);

  const std::string text = folder.run("openssl x509 -in cert.pem -noout -text");
  CAPTURE(text);
  for (const std::string_view line :
       {"Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256", "ASN1 OID: prime256v1",
        "Subject: O = ringpost self-signed, CN = mail.example.com",
        "X509v3 Basic Constraints: critical\n                CA:TRUE",
        "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign, CRL "
        "Sign",
        "TLS Web Server Authentication", "X509v3 Subject Key Identifier",
        "DNS:mail.example.com, DNS:*.example.net, IP Address:192.0.2.1, IP "
        "Address:2001:DB8:0:0:0:0:0:1"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(folder
            .run("openssl verify -x509_strict -CAfile cert.pem -purpose sslserver "
                 "-verify_hostname mail.example.com cert.pem")
            .find("OK") != std::string::npos);
  CHECK(folder.run("openssl pkey -in key.pem -check -noout").find("valid") != std::string::npos);
  CHECK(folder.run("openssl x509 -in cert.pem -noout -pubkey") ==
        folder.run("openssl pkey -in key.pem -pubout"));
  // Valid since a day ago, and for thirty days.
  CHECK(folder.run("openssl x509 -in cert.pem -noout -checkend 2590000").find("not expire") !=
        std::string::npos);
  CHECK(folder.run("! openssl x509 -in cert.pem -noout -checkend 2593000").find("will expire") !=
        std::string::npos);
  CHECK(folder.run("openssl verify -attime $(($(date +%s) - 86000)) -CAfile cert.pem cert.pem")
            .find("OK") != std::string::npos);
}

TEST_CASE("self-signed: no two are the same") {
  const TemporaryFolder folder;
  const auto one = identity_for({"a.example"});
  const auto two = identity_for({"a.example"});
  CHECK(one.key_pem != two.key_pem);
  folder.write("one.pem", one.certificate_pem);
  folder.write("two.pem", two.certificate_pem);
  CHECK(folder.run("openssl x509 -in one.pem -noout -serial") !=
        folder.run("openssl x509 -in two.pem -noout -serial"));
}

TEST_CASE("self-signed: dates are written in the form that their century asks for") {
  using namespace std::chrono;
  const TemporaryFolder folder;
  const auto identity =
      make_self_signed({"a.example"}, sys_days(2049y / December / 31d) + 23h + 59min + 59s,
                       time_point_cast<seconds>(sys_days(2050y / January / 1d)));
  REQUIRE(identity);
  folder.write("cert.pem", identity->certificate_pem);
  const std::string text = folder.run("openssl asn1parse -in cert.pem");
  CHECK(text.find("UTCTIME           :491231235959Z") != std::string::npos);
  CHECK(text.find("GENERALIZEDTIME   :20500101000000Z") != std::string::npos);
}

TEST_CASE("self-signed: a name that cannot be one is refused by its text") {
  const std::string_view name =
      GENERATE("", "a b", "a\r\nb", "b\xc3\xbc.example", "*", "*.", "a*b");
  const auto identity = make_self_signed({"good.example", std::string(name)}, 1);
  CAPTURE(name);
  REQUIRE_FALSE(identity);
  CHECK(identity.error().kind == TlsErrorKind::bad_certificate);
  CHECK(identity.error().detail.find('\n') == std::string::npos);
  CHECK_FALSE(make_self_signed({}, 1));
  CHECK_FALSE(make_self_signed({std::string(254, 'a')}, 1));
}

TEST_CASE("self-signed: a long name and many names are no trouble") {
  const TemporaryFolder folder;
  std::vector<std::string> names = {std::string(60, 'a') + "." + std::string(60, 'b') + ".example"};
  for (int count = 0; count < 100; ++count) {
    names.push_back("host-" + std::to_string(count) + ".example.com");
  }
  const auto identity = identity_for(names);
  folder.write("cert.pem", identity.certificate_pem);
  CHECK(folder.run("openssl verify -x509_strict -CAfile cert.pem cert.pem").find("OK") !=
        std::string::npos);
  const auto server_side = server_context(identity);
  const auto client_side = client_context(identity.certificate_pem);
  End client(*client_side, "host-99.example.com");
  End server(*server_side, {});
  exchange(client, server);
  CHECK(client.done);
}

}  // namespace ringpost::tls::test
