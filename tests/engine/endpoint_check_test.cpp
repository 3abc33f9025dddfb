#include "engine/endpoint_check.h"

#include <functional>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

namespace ringpost {

namespace {

using Change = std::function<void(EndpointOptions&)>;

EndpointOptions good_endpoint() {
  EndpointOptions endpoint;
  endpoint.name = "esp";
  endpoint.host = "mx.example";
  endpoint.port = 587;
  endpoint.username = "u";
  endpoint.password = "p";
  return endpoint;
}

// The key to blame, empty where there is none, for who reads settings; and whether the engine says
// the same to a program that embeds it.
std::string blamed(const Change& change) {
  EngineOptions options;
  options.endpoints.push_back(good_endpoint());
  change(options.endpoints.front());
  const auto offence = endpoint_offence(options.endpoints.front());
  const std::string mistake = first_mistake(options);
  CHECK(offence.has_value() == !mistake.empty());
  CHECK((mistake.empty() || mistake.starts_with("endpoint \"esp\": ")));
  return offence ? std::string(offence->key) : "";
}

void in_clear(EndpointOptions& endpoint) {
  endpoint.security = TransportSecurity::none;
  endpoint.allow_plaintext_auth = true;
}

}  // namespace

TEST_CASE("endpoint check: TLS comes onto a port as its number says") {
  const auto secured = [](std::uint16_t port, TransportSecurity security) {
    return blamed([=](EndpointOptions& endpoint) {
      endpoint.port = port;
      endpoint.security = security;
    });
  };
  CHECK(blamed([](EndpointOptions&) {}).empty());
  CHECK(secured(465, TransportSecurity::implicit).empty());
  CHECK(secured(2525, TransportSecurity::implicit).empty());
  CHECK(secured(465, TransportSecurity::starttls) == "port");
  CHECK(secured(587, TransportSecurity::implicit) == "port");
  CHECK(secured(25, TransportSecurity::implicit) == "port");
  CHECK(secured(0, TransportSecurity::starttls) == "port");
}

TEST_CASE("endpoint check: each port of a list is looked at") {
  const auto listed = [](std::vector<PortOption> ports) {
    return blamed([&ports](EndpointOptions& endpoint) { endpoint.ports = ports; });
  };
  using enum TransportSecurity;
  CHECK(listed({{587, starttls}, {465, implicit}}).empty());
  CHECK(listed({{587, starttls}, {0, starttls}}) == "ports");
  CHECK(listed({{587, starttls}, {465, starttls}}) == "ports");
  // A password would go out in clear on the second one.
  CHECK(listed({{587, starttls}, {2525, none}}) == "username");
}

TEST_CASE("endpoint check: a login needs somebody to log in, and a token TLS") {
  CHECK(blamed([](EndpointOptions& endpoint) { endpoint.security = TransportSecurity::none; }) ==
        "username");
  CHECK(blamed(in_clear).empty());
  CHECK(blamed([](EndpointOptions& endpoint) {
          endpoint.auth = AuthMechanism::plain;
          endpoint.username.clear();
        }) == "auth");
  for (const AuthMechanism mechanism : {AuthMechanism::xoauth2, AuthMechanism::oauthbearer}) {
    CHECK(blamed([mechanism](EndpointOptions& endpoint) { endpoint.auth = mechanism; }).empty());
    CHECK(blamed([mechanism](EndpointOptions& endpoint) {
            in_clear(endpoint);
            endpoint.auth = mechanism;
          }) == "auth");
  }
}

TEST_CASE("endpoint check: a client certificate has its key, and a connection to be shown on") {
  CHECK(blamed([](EndpointOptions& endpoint) { endpoint.client_certificate_file = "c.pem"; }) ==
        "client_certificate");
  CHECK(blamed([](EndpointOptions& endpoint) { endpoint.client_key_file = "k.pem"; }) ==
        "client_key");
  const auto with_both = [](EndpointOptions& endpoint) {
    endpoint.client_certificate_file = "c.pem";
    endpoint.client_key_file = "k.pem";
  };
  CHECK(blamed(with_both).empty());
  CHECK(blamed([&with_both](EndpointOptions& endpoint) {
          in_clear(endpoint);
          with_both(endpoint);
        }) == "client_certificate");
}

}  // namespace ringpost
