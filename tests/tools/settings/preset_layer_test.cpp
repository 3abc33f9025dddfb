// What a preset is below an endpoint's own settings, key by key.
#include "tools/settings/preset_layer.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"
#include "tools/presets/preset_list.h"
#include "tools/process/quota_limits.h"
#include "tools/settings/endpoint_choice.h"
#include "tools/settings/endpoint_url.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

using enum TransportSecurity;
using Ports = std::vector<PortOption>;

SettingMap said(const std::vector<std::pair<std::string, std::string>>& keys) {
  SettingMap settings;
  for (const auto& [key, text] : keys) {
    settings[key] = {{text}, Layer::file, "f:1:1"};
  }
  return settings;
}

ChosenEndpoint endpoint_with(SettingMap settings) {
  auto endpoint = complete_endpoint("e", std::move(settings));
  INFO((endpoint ? "" : endpoint.error()));
  REQUIRE(endpoint);
  return *endpoint;
}

ChosenEndpoint endpoint_with(const std::vector<std::pair<std::string, std::string>>& keys) {
  return endpoint_with(said(keys));
}

ChosenEndpoint endpoint_at(const std::string& url) {
  auto settings = settings_of_url(url);
  REQUIRE(settings);
  return endpoint_with(std::move(*settings));
}

std::string refusal_with(const std::vector<std::pair<std::string, std::string>>& keys) {
  const auto endpoint = complete_endpoint("e", said(keys));
  REQUIRE_FALSE(endpoint);
  return endpoint.error();
}

bool has_unheld(const ChosenEndpoint& endpoint, const std::string& key, const std::string& text) {
  const auto& unheld = endpoint.preset->unheld;
  return std::any_of(unheld.begin(), unheld.end(), [&](const UnheldValue& value) {
    return value.key == key && value.texts.front() == text;
  });
}

}  // namespace

TEST_CASE("preset layer: a name alone gives host, ports, user name and limits, with their origin") {
  const ChosenEndpoint endpoint = endpoint_with({{"preset", "sendgrid"}});
  const EndpointOptions& options = endpoint.draft.options;
  CHECK(options.host == "smtp.sendgrid.net");
  CHECK(options.username == "apikey");
  CHECK(options.ports == Ports{{587, starttls}, {2525, starttls}, {465, implicit}, {25, starttls}});
  CHECK(options.port == 587);
  CHECK(options.connections_max == 10);
  CHECK(options.messages_per_connection_max == 100);
  CHECK(options.message_bytes_max == 31457280);
  CHECK(endpoint.settings.at("host").layer == Layer::preset);
  CHECK(endpoint.settings.at("host").origin.starts_with("preset sendgrid, line "));
  CHECK(has_unheld(endpoint, "queue_id", "queued as {id}"));
  CHECK_FALSE(endpoint.preset->is_picked_by_host);
}

TEST_CASE("preset layer: whatever an endpoint says itself is stronger, key by key") {
  const ChosenEndpoint endpoint = endpoint_with({{"preset", "sendgrid"},
                                                 {"host", "relay.example"},
                                                 {"port", "2600"},
                                                 {"username", "me"},
                                                 {"max_connections", "40"},
                                                 {"connections", "30"},
                                                 {"bytes_per_message", "5000"}});
  const EndpointOptions& options = endpoint.draft.options;
  CHECK(options.host == "relay.example");
  CHECK(options.ports.empty());
  CHECK(options.port == 2600);
  CHECK(options.username == "me");
  CHECK(options.connections_max == 30);
  CHECK(options.message_bytes_max == 5000);
  CHECK(options.messages_per_connection_max == 100);
}

TEST_CASE("preset layer: an endpoint that is called as a preset and has no host is that preset") {
  const auto named = [](const std::string& name, SettingMap settings) {
    const auto endpoint = complete_endpoint(name, std::move(settings));
    REQUIRE(endpoint);
    return endpoint->preset ? endpoint->preset->preset.id : std::string();
  };
  CHECK(named("ses", said({{"region", "eu-west-1"}})) == "ses");
  CHECK(named("ses", said({{"host", "h"}})).empty());
  CHECK(named("ses", said({{"preset", "sendgrid"}})) == "sendgrid");
  CHECK_FALSE(complete_endpoint("ses", said({{"preset", "none"}})));
}

TEST_CASE(
    "preset layer: how the connection is secured says which of the preset's ports are meant") {
  const auto ports = [](const std::string& security) {
    return endpoint_with({{"preset", "sendgrid"}, {"security", security}}).draft.options.ports;
  };
  CHECK(ports("implicit") == Ports{{465, implicit}});
  CHECK(ports("starttls") == Ports{{587, starttls}, {2525, starttls}, {25, starttls}});
  const EndpointOptions none_there =
      endpoint_with({{"preset", "sparkpost"}, {"security", "implicit"}}).draft.options;
  CHECK(none_there.ports.empty());
  CHECK(none_there.port == 465);
}

TEST_CASE("preset layer: a host that is a provider's picks its preset, and every run says so") {
  const ChosenEndpoint endpoint = endpoint_at("smtps://apikey@SMTP.SendGrid.net.");
  REQUIRE(endpoint.preset);
  CHECK(endpoint.preset->is_picked_by_host);
  CHECK(endpoint.draft.options.ports == Ports{{465, implicit}});
  CHECK(endpoint.draft.options.messages_per_connection_max == 100);
  const auto warnings = endpoint_warnings({endpoint});
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0], "Twilio SendGrid"));
  CHECK(contains(warnings[0], "preset sendgrid"));
  CHECK(contains(warnings[0], "preset = \"none\""));
  const EndpointOptions written = endpoint_at("smtp://apikey@smtp.sendgrid.net:2525").draft.options;
  CHECK(written.ports.empty());
  CHECK(written.port == 2525);
  for (const char* const other :
       {"smtp://u@smtp.sendgrid.net?preset=none", "smtp://u@mail.example.com"}) {
    CHECK_FALSE(endpoint_at(other).preset);
  }
  CHECK_FALSE(
      endpoint_with({{"host", "smtp.sendgrid.net"}, {"preset", "none"}}).preset.has_value());
  CHECK(endpoint_at("smtp://u@mail.example.com?preset=sendgrid")
            .draft.options.messages_per_connection_max == 100);
  CHECK(endpoint_at("smtp://AKIA@email-smtp.eu-west-1.amazonaws.com").preset->preset.id == "ses");
}

TEST_CASE("preset layer: a region is a host, and one that is wanted is asked for") {
  CHECK(endpoint_with({{"preset", "ses"}, {"region", "eu-west-1"}}).draft.options.host ==
        "email-smtp.eu-west-1.amazonaws.com");
  CHECK(endpoint_with({{"preset", "mailgun"}, {"region", "eu"}}).draft.options.host ==
        "smtp.eu.mailgun.org");
  CHECK(endpoint_with({{"preset", "mailgun"}}).draft.options.host == "smtp.mailgun.org");
  CHECK(contains(refusal_with({{"preset", "ses"}}), "us-east-1, us-east-2"));
  CHECK(contains(refusal_with({{"preset", "ses"}, {"region", "eu-west1"}}),
                 "f:1:1: endpoint.e.region: unknown region \"eu-west1\"; did you mean "));
  CHECK(contains(refusal_with({{"preset", "gmail"}, {"region", "eu"}}), "has no regions"));
  CHECK(
      contains(refusal_with({{"preset", "mailgun"}, {"region", "eu"}, {"host", "h"}}), "keep one"));
  CHECK(contains(refusal_with({{"host", "h"}, {"region", "eu"}}), "the endpoint has none"));
  CHECK(contains(refusal_with({{"host", "h"}, {"plan", "free"}}), "the endpoint has none"));
  CHECK(contains(refusal_with({{"preset", "relay"}}), "no host of its own"));
}

TEST_CASE("preset layer: rates of a preset hold together, and one that is said replaces them") {
  const auto rates_of = [](const std::vector<std::pair<std::string, std::string>>& keys) {
    std::string texts;
    for (const QuotaLimit& limit : endpoint_with(keys).draft.options.rates) {
      texts += (texts.empty() ? "" : ", ") + quota_limit_text(limit);
    }
    return texts;
  };
  CHECK(rates_of({{"preset", "m365"}, {"username", "a@b"}}) == "30/m, 10000 recipients/d");
  CHECK(rates_of({{"preset", "gmail"}, {"username", "a@b"}, {"plan", "free"}}) == "500/d");
  CHECK(rates_of({{"preset", "m365"}, {"username", "a@b"}, {"rate", "2/s"}}) == "2/s");
  CHECK(endpoint_with({{"preset", "m365"}, {"username", "a@b"}}).draft.options.connections_max ==
        3);
  CHECK(contains(refusal_with({{"preset", "gmail"}, {"plan", "fre"}}), "did you mean \"free\"?"));
}

TEST_CASE("preset layer: who logs in is the user's, the preset's, or nobody") {
  const ChosenEndpoint token = endpoint_with({{"preset", "postmark"}});
  CHECK(token.draft.lacks_username());
  CHECK(token.draft.logs_in());
  CHECK_FALSE(endpoint_with({{"preset", "postmark"}, {"username", "key"}}).draft.lacks_username());
  CHECK_FALSE(endpoint_with({{"preset", "postmark"}, {"auth", "none"}}).draft.logs_in());
  const ChosenEndpoint open = endpoint_with({{"preset", "sendgrid"}, {"auth", "none"}});
  CHECK(open.draft.options.username.empty());
  CHECK_FALSE(missing_username(open));
  const std::string refusal = refusal_with({{"preset", "relay"}, {"host", "h"}, {"username", "u"}});
  CHECK(contains(refusal, "f:1:1: endpoint.e.username: nobody logs in"));
  CHECK(contains(refusal, "auth = \"auto\""));
  CHECK(endpoint_with({{"preset", "relay"}, {"host", "h"}, {"username", "u"}, {"auth", "auto"}})
            .draft.options.username == "u");
  const auto missing = missing_username(endpoint_with({{"preset", "mailgun"}}));
  REQUIRE(missing);
  CHECK(contains(*missing, "postmaster@mg.example.com"));
  // A URL says it all, as it always did.
  CHECK_FALSE(missing_username(endpoint_at("smtp://smtp.mailgun.org")));
}

TEST_CASE("preset layer: a user name of another form is told what it should be") {
  const ChosenEndpoint endpoint = endpoint_with({{"preset", "sendgrid"}, {"username", "me@x.org"}});
  CHECK(has_odd_username(*endpoint.preset, "me@x.org"));
  CHECK_FALSE(has_odd_username(*endpoint.preset, "apikey"));
  CHECK(contains(login_hint(*endpoint.preset, "me@x.org"), "should be: the word apikey; "));
  CHECK_FALSE(contains(login_hint(*endpoint.preset, "apikey"), "user name should be"));
  CHECK(contains(login_hint(*endpoint.preset, "apikey"), "Mail Send"));
}

TEST_CASE("preset layer: more connections than the provider allows are not opened, and said") {
  const ChosenEndpoint endpoint =
      endpoint_with({{"preset", "m365"}, {"username", "a@b"}, {"connections", "20"}});
  CHECK(endpoint.draft.options.connections_max == 3);
  const auto warnings = endpoint_warnings({endpoint});
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0], "of 20 connections 3 are opened"));
  CHECK(contains(warnings[0], "preset m365, line "));
}

TEST_CASE("preset layer: the user's rules for replies stand before the preset's") {
  protocol::ReplyRule own;
  own.text = "odd";
  const auto endpoint = complete_endpoint("e", said({{"preset", "sendgrid"}}), {own});
  REQUIRE(endpoint);
  const auto& rules = endpoint->draft.options.reply_rules;
  REQUIRE(rules);
  CHECK(rules->rules().front() == own);
  CHECK(rules->rules().size() == endpoint->preset->preset.replies.size() + 1);
  CHECK(rules->rules()[1].origin.starts_with("preset sendgrid, line "));
  CHECK_FALSE(endpoint_with({{"host", "h"}}).draft.options.reply_rules);
}

TEST_CASE("preset layer: every preset makes an endpoint, with what its file leaves to the user") {
  for (const std::string_view name : preset_names()) {
    CAPTURE(name);
    const auto preset = load_preset(name);
    REQUIRE(preset);
    auto keys = said({{"preset", std::string(name)}});
    if (!preset->endpoint.contains("host")) {
      keys["host"] = {{"mail.example.com"}, Layer::file, "f:1:1"};
    }
    const ChosenEndpoint endpoint = endpoint_with(std::move(keys));
    CHECK_FALSE(endpoint.draft.options.ports.empty());
    CHECK(endpoint.preset->preset.id == name);
  }
}
