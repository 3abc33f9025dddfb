#include "tools/probe/probe_verdict.h"

#include <catch2/catch_test_macros.hpp>

#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/endpoint_url.h"

using namespace ringpost;
using namespace ringpost::cli;

namespace {

PortFinding usable_port(std::uint16_t port, TransportSecurity security, bool login,
                        std::uint32_t round_trips, Bytes keywords = "mx\nPIPELINING") {
  PortFinding finding;
  finding.port = port;
  finding.security = security;
  finding.wants_auth = login;
  finding.auth.tried = finding.auth.accepted = login;
  finding.round_trips = round_trips;
  finding.ms.fill(-1);
  finding.hello = read_ehlo_reply(keywords);
  finding.hello_tls = finding.hello;
  return finding;
}

ProbeFinding finding_for(Bytes url) {
  ProbeFinding finding;
  auto options = parse_endpoint_url(url);
  REQUIRE(options);
  finding.endpoint = std::move(*options);
  finding.name = finding.endpoint.name;
  finding.password_known = !finding.endpoint.username.empty();
  return finding;
}

}  // namespace

TEST_CASE(
    "probe verdict: a login counts most, then TLS, then the mode, then the way to get ready") {
  using enum TransportSecurity;
  ProbeFinding finding = finding_for("smtp://u@h");
  finding.ports = {usable_port(25, starttls, false, 6, "mx\nPIPELINING\nCHUNKING"),
                   usable_port(2525, starttls, true, 7), usable_port(465, implicit, true, 5)};
  CHECK(judge(finding).best->port == 465);
  finding.ports[1].hello_tls = read_ehlo_reply("mx\nPIPELINING\nCHUNKING");
  CHECK(judge(finding).best->port == 2525);
  CHECK(judge(finding).mode == SubmissionMode::flights);
  finding.ports[1].fault = ProbeFault::refused;
  finding.ports[2].fault = ProbeFault::refused;
  CHECK(judge(finding).best->port == 25);
  finding.ports[0].fault = ProbeFault::refused;
  CHECK(judge(finding).best == nullptr);
}

TEST_CASE("probe verdict: equals are taken in the order they were asked for") {
  ProbeFinding finding = finding_for("smtp://u@h");
  finding.ports = {usable_port(2525, TransportSecurity::starttls, true, 7),
                   usable_port(587, TransportSecurity::starttls, true, 7)};
  const ProbeVerdict verdict = judge(finding);
  CHECK(verdict.best->port == 2525);
  CHECK(verdict.reasons.back() == "587 works as well");
}

TEST_CASE("probe verdict: the URL is read back as the same endpoint") {
  for (const Bytes url :
       {"smtp://u@mail.example.com", "smtps://u@mail.example.com", "smtps://a%40b%2Fc%3A@h:4650",
        "smtp://[2001:db8::1]:2525?ca=/etc/a%20b.pem", "smtp://h:2525?ca=ca.pem&verify=off",
        "smtp://relay?tls=none", "smtp://relay:2500?tls=none"}) {
    CAPTURE(url);
    const ProbeFinding finding = finding_for(url);
    const EndpointOptions& endpoint = finding.endpoint;
    PortFinding port = usable_port(endpoint.port, endpoint.security, true, 5);
    CHECK(url_of(finding, port) == url);
  }
}

TEST_CASE("probe verdict: the section is read back as the same endpoint") {
  for (const Bytes url : {"smtp://u@smtp.example.com", "smtps://u%22x@smtp.example.com:4650",
                          "smtp://[2001:db8::1]:2525?ca=/etc/a%20b.pem&verify=off",
                          "smtp://192.0.2.1?tls=none", "smtps://localhost"}) {
    CAPTURE(url);
    const ProbeFinding finding = finding_for(url);
    const EndpointOptions& endpoint = finding.endpoint;
    const bool login = !endpoint.username.empty();
    const PortFinding port = usable_port(endpoint.port, endpoint.security, login, 5);
    const auto configuration = parse_configuration(toml_of(finding, port), "ringpost.toml");
    REQUIRE(configuration);
    REQUIRE(configuration->endpoints.size() == 1);
    const auto& [name, settings] = *configuration->endpoints.begin();
    const auto draft = make_endpoint(name, settings);
    REQUIRE(draft);
    CHECK(draft->options.host == endpoint.host);
    CHECK(draft->options.port == endpoint.port);
    CHECK(draft->options.security == endpoint.security);
    CHECK(draft->options.username == endpoint.username);
    CHECK(draft->options.ca_file == endpoint.ca_file);
    CHECK(draft->options.verify_certificate == endpoint.verify_certificate);
  }
}

TEST_CASE("probe verdict: the section has the name of the configuration, else one of the host") {
  ProbeFinding finding = finding_for("smtp://smtp.sendgrid.net");
  const PortFinding port = usable_port(587, TransportSecurity::starttls, false, 6);
  CHECK(toml_of(finding, port).starts_with("[endpoint.sendgrid]\n"));
  finding.is_configured = true;
  finding.name = "my.esp";
  CHECK(toml_of(finding, port).starts_with("[endpoint.\"my.esp\"]\n"));
  CHECK(toml_of(finding_for("smtp://192.0.2.1"), port).starts_with("[endpoint.esp]\n"));
  CHECK(toml_of(finding_for("smtp://_a.example"), port).starts_with("[endpoint.esp]\n"));
}
