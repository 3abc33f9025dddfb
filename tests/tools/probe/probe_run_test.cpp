#include "tools/probe/probe_run.h"

#include <catch2/catch_test_macros.hpp>

#include "tools/settings/endpoint_setting.h"
#include "tools/settings/endpoint_url.h"

using namespace ringpost;
using namespace ringpost::cli;

namespace {

ProbeRequest request_for(Bytes url, std::vector<std::uint16_t> ports, std::string password = "x") {
  ProbeRequest request;
  auto options = parse_endpoint_url(url);
  REQUIRE(options);
  request.endpoint.draft.options = std::move(*options);
  request.endpoint.draft.options.password = std::move(password);
  request.ports = std::move(ports);
  return request;
}

std::string plan_text(const ProbeRequest& request) {
  std::string text;
  for (const PortPlan& plan : plan_ports(request)) {
    text += std::to_string(plan.port);
    text += plan.security == TransportSecurity::starttls   ? "s"
            : plan.security == TransportSecurity::implicit ? "i"
                                                           : "n";
    text += plan.authenticate ? "a " : " ";
  }
  return text;
}

}  // namespace

TEST_CASE("probe plan: the endpoint's own port as it says, others as their numbers mean") {
  CHECK(plan_text(request_for("smtp://u@h", {})) == "587sa ");
  CHECK(plan_text(request_for("smtps://u@h:4650", {})) == "4650ia ");
  CHECK(plan_text(request_for("smtps://u@h", {587, 465, 2525, 587})) == "587sa 465ia 2525sa ");
  CHECK(plan_text(request_for("smtps://u@h:2525", {2525, 465})) == "2525ia 465ia ");
  CHECK(plan_text(request_for("smtp://u@h", {2587, 2465})) == "2587sa 2465ia ");
  CHECK(plan_text(request_for("smtps://u@h", {2587, 2465})) == "2587sa 2465ia ");
  CHECK(plan_text(request_for("smtp://u@h:2465", {})) == "2465sa ");
}

TEST_CASE("probe plan: port 25 gets credentials only when it is the endpoint's own") {
  CHECK(plan_text(request_for("smtp://u@h", {587, 25})) == "587sa 25s ");
  CHECK(plan_text(request_for("smtp://u@h:25", {})) == "25sa ");
  CHECK(plan_text(request_for("smtp://h:25?tls=none", {25, 587})) == "25n 587s ");
}

TEST_CASE("probe plan: without a password, or in clear, there is no login") {
  CHECK(plan_text(request_for("smtp://u@h", {}, "")) == "587s ");
  ProbeRequest request = request_for("smtp://h:2500?tls=none", {});
  request.endpoint.draft.options.username = "u";
  CHECK(plan_text(request) == "2500n ");
  request.endpoint.draft.options.allow_plaintext_auth = true;
  CHECK(plan_text(request) == "2500na ");
}

TEST_CASE("probe plan: a list of ports in the configuration counts") {
  ProbeRequest request = request_for("smtp://u@h", {});
  const auto listed = [&request](const std::string& ports) {
    const auto draft = make_endpoint("h", {{"host", {{"h"}}}, {"ports", {{ports}}}});
    REQUIRE(draft);
    request.endpoint.draft.options.ports = draft->options.ports;
  };
  listed("587,2587,465");
  CHECK(plan_text(request) == "587sa 2587sa 465ia ");
  listed("587,2587,2465");
  CHECK(plan_text(request) == "587sa 2587sa 2465ia ");
  request.ports = {2525};
  CHECK(plan_text(request) == "2525sa ");
}
