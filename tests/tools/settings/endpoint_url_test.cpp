#include "tools/settings/endpoint_url.h"

#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

EndpointOptions endpoint_of(const std::string& url) {
  const auto endpoint = parse_endpoint_url(url);
  INFO(url << ": " << (endpoint ? "" : endpoint.error()));
  REQUIRE(endpoint);
  CHECK(endpoint->password.empty());
  CHECK(endpoint->name == endpoint->host);
  return *endpoint;
}

std::string refusal_of(const std::string& url) {
  const auto endpoint = parse_endpoint_url(url);
  INFO(url);
  REQUIRE_FALSE(endpoint);
  return endpoint.error();
}

}  // namespace

TEST_CASE("endpoint url: smtp is STARTTLS on 587") {
  const EndpointOptions endpoint = endpoint_of("smtp://user@mail.example.com");
  CHECK(endpoint.host == "mail.example.com");
  CHECK(endpoint.port == 587);
  CHECK(endpoint.security == TransportSecurity::starttls);
  CHECK(endpoint.username == "user");
  CHECK(endpoint.verify_certificate);
  CHECK(endpoint_of("SMTP://h:2525/").port == 2525);
  CHECK(endpoint_of("smtp://h:25").security == TransportSecurity::starttls);
}

TEST_CASE("endpoint url: a dot at the end of the host makes the name absolute and is none of it") {
  const EndpointOptions endpoint = endpoint_of("smtp://user@mail.example.com.:2525");
  CHECK(endpoint.host == "mail.example.com");
  CHECK(endpoint.name == "mail.example.com");
  CHECK(endpoint.host_is_absolute);
  CHECK(written_host(endpoint) == "mail.example.com.");
  CHECK_FALSE(endpoint_of("smtp://mail.example.com").host_is_absolute);
  CHECK_FALSE(endpoint_of("smtp://[::1]").host_is_absolute);
  for (const char* const url : {"smtp://.", "smtp://a..", "smtp://.a", "smtp://.."}) {
    CHECK_FALSE(parse_endpoint_url(url).has_value());
  }
}

TEST_CASE("endpoint url: smtps is TLS from the first byte on 465") {
  const EndpointOptions endpoint = endpoint_of("smtps://user@mail.example.com");
  CHECK(endpoint.port == 465);
  CHECK(endpoint.security == TransportSecurity::implicit);
  CHECK(endpoint_of("smtps://h:2465").port == 2465);
}

TEST_CASE("endpoint url: tls=none is a relay in clear on 25") {
  CHECK(endpoint_of("smtp://relay?tls=none").port == 25);
  const EndpointOptions endpoint = endpoint_of("smtp://relay:2525?tls=none");
  CHECK(endpoint.port == 2525);
  CHECK(endpoint.security == TransportSecurity::none);
}

TEST_CASE("endpoint url: a user name may be percent-encoded, and may have an @ of its own") {
  CHECK(endpoint_of("smtp://me%40example.com@h").username == "me@example.com");
  CHECK(endpoint_of("smtp://me@example.com@h").username == "me@example.com");
  CHECK(endpoint_of("smtp://a%2Fb%3Fc%23d%25e@h").username == "a/b?c#d%e");
  CHECK(endpoint_of("smtp://%C3%A9@h").username == "\xc3\xa9");
}

TEST_CASE("endpoint url: IPv6 addresses stand in brackets") {
  const EndpointOptions endpoint = endpoint_of("smtp://u@[2001:db8::1]:2525");
  CHECK(endpoint.host == "2001:db8::1");
  CHECK(endpoint.port == 2525);
  CHECK(endpoint_of("smtps://[::1]").port == 465);
  CHECK(endpoint_of("smtp://127.0.0.1:2587").host == "127.0.0.1");
  CHECK(contains(refusal_of("smtp://::1:25"), "brackets"));
  CHECK(contains(refusal_of("smtp://[::1"), "["));
  CHECK(contains(refusal_of("smtp://[::1]x"), ":PORT"));
  CHECK(contains(refusal_of("smtp://[mail]:25"), "IPv6"));
}

TEST_CASE("endpoint url: auth names the mechanism") {
  CHECK(endpoint_of("smtp://u@h?auth=scram-sha-256").auth == AuthMechanism::scram_sha_256);
  CHECK(endpoint_of("smtp://u@h?auth=XOAUTH2").auth == AuthMechanism::xoauth2);
  CHECK_FALSE(endpoint_of("smtp://u@h?auth=auto").auth);
  CHECK_FALSE(endpoint_of("smtp://u@h").auth);
  CHECK(contains(refusal_of("smtp://u@h?auth=crammd5"), "did you mean \"cram-md5\"?"));
  CHECK(contains(refusal_of("smtp://h?auth=plain"), "needs a user name"));
  CHECK(contains(refusal_of("smtp://u@h?auth=plain&auth=login"), "given twice"));
}

TEST_CASE("endpoint url: ca and verify") {
  CHECK(endpoint_of("smtp://h?ca=%2Fetc%2Fca.pem").ca_file == "/etc/ca.pem");
  CHECK(endpoint_of("smtp://h?ca=/etc/ca.pem&verify=on").verify_certificate);
  CHECK_FALSE(endpoint_of("smtps://h:2465?verify=off").verify_certificate);
}

TEST_CASE("endpoint url: a password is refusal_of, with the ways there are, and not repeated") {
  for (const char* url :
       {"smtp://user:hunter2@h", "smtp://user:hunter2@h:587", "smtp://:hunter2@h",
        "smtp://us/er:hunter2@h", "smtp://user:hunt/hunter2@h", "smtp://user:hunt?hunter2@h",
        "smtp://user:hunt#hunter2@h", "smtp://user:hunt@hunter2@h", "smtp://user:hunter2"}) {
    INFO(url);
    const std::string error = refusal_of(url);
    CHECK_FALSE(contains(error, "hunter2"));
    CHECK_FALSE(contains(error, "hunt"));
  }
  const std::string error = refusal_of("smtp://user:hunter2@h");
  CHECK(contains(error, "RINGPOST_PASSWORD"));
  CHECK(contains(error, "password_file"));
  CHECK(contains(error, "smtp://user:***@h"));
}

TEST_CASE(
    "endpoint url: a port that speaks the other kind of TLS is refusal_of with the right word") {
  CHECK(contains(refusal_of("smtp://h:465"), "smtps://"));
  CHECK(contains(refusal_of("smtps://h:587"), "smtp://"));
  CHECK(contains(refusal_of("smtps://h:25"), "smtp://"));
}

TEST_CASE("endpoint url: every mistake has words of its own") {
  CHECK(contains(refusal_of("http://h"), "smtp://"));
  CHECK(contains(refusal_of("smtp://"), "no host"));
  CHECK(contains(refusal_of("smtp://u@"), "no host"));
  CHECK(contains(refusal_of("smtp://@h"), "no user name"));
  for (const char* url : {"smtp://h:", "smtp://h:0", "smtp://h:65536", "smtp://h:1k", "smtp://h:-1",
                          "smtp://h: 25", "smtp://h:99999999999999999999"}) {
    CHECK(contains(refusal_of(url), "1 to 65535"));
  }
  CHECK(contains(refusal_of("smtp://h?tsl=none"), "did you mean \"tls\"?"));
  CHECK(contains(refusal_of("smtp://h?tls=off"), "none"));
  CHECK(contains(refusal_of("smtp://h?verify=maybe"), "off or on"));
  CHECK(contains(refusal_of("smtp://h?ca="), "PEM"));
  CHECK(contains(refusal_of("smtp://h?verify=on&verify=off"), "twice"));
  CHECK(contains(refusal_of("smtps://h?tls=none"), "contradicts"));
  CHECK(contains(refusal_of("smtp://h?tls=none&verify=off"), "nothing"));
  CHECK(contains(refusal_of("smtp://u@h?tls=none"), "allow_plaintext_auth"));
  CHECK(contains(refusal_of("smtp://h/path"), "?NAME=VALUE"));
  CHECK(contains(refusal_of("smtp://h#x"), "%23"));
  CHECK(contains(refusal_of("smtp://u%4@h"), "hexadecimal"));
  CHECK(contains(refusal_of("smtp://u%+1@h"), "hexadecimal"));
  CHECK(contains(refusal_of("smtp://u%0d%0aRCPT@h"), "control"));
  CHECK(contains(refusal_of("smtp://u%00@h"), "control"));
  CHECK(contains(refusal_of("smtp://u%ff@h"), "UTF-8"));
  CHECK(contains(refusal_of("smtp://b\xc3\xbc"
                            "cher.de"),
                 "xn--"));
  CHECK(contains(refusal_of("smtp://a b"), "no host name"));
  CHECK(contains(refusal_of("smtp://a..b"), "empty"));
  CHECK(contains(refusal_of("smtp://" + std::string(300, 'a')), "longer"));
  CHECK(contains(refusal_of("smtp://h?" + std::string(5000, 'a')), "longer"));
}

TEST_CASE("endpoint url: any cut and any changed octet of a good one is an answer") {
  const std::string good = "smtps://me%40x@[::1]:2465?ca=%2Fa&verify=off";
  for (std::size_t length = good.find("://") + 3; length <= good.size(); ++length) {
    (void)parse_endpoint_url(good.substr(0, length));
  }
  for (std::size_t index = 8; index < good.size(); ++index) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string changed = good;
      changed[index] = static_cast<char>(octet);
      const auto endpoint = parse_endpoint_url(changed);
      if (endpoint) {
        CHECK_FALSE(username_offence(endpoint->username));
        CHECK_FALSE(host_offence(endpoint->host));
        CHECK(endpoint->port != 0);
      }
    }
  }
}
