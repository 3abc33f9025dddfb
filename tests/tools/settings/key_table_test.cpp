// Every row of the tables of keys is whole, since help, `config show` and the schema print it.
#include "tools/settings/key_table.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tools/settings/endpoint_setting.h"
#include "tools/settings/send_setting.h"

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("key table: every row has a type, help, a default that it takes back, and its own name") {
  std::set<std::string_view> names;
  std::set<std::string_view> wide_names;
  for (const EndpointKey& key : endpoint_keys()) {
    CAPTURE(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(find_endpoint_key(key.name) == &key);
    CHECK_FALSE(key.type.empty());
    CHECK_FALSE(key.help.empty());
    if (!key.send_wide.name.empty()) {
      CHECK(wide_names.insert(key.send_wide.name).second);
    }
    const std::string usual = key.show({});
    if (!usual.empty()) {
      REQUIRE(key.apply != nullptr);
      EndpointDraft draft;
      CHECK(key.apply({{usual}}, draft));
      CHECK(key.show(draft) == usual);
    }
  }
}

TEST_CASE("key table: every key of [send] has help, and takes its default") {
  std::set<std::string_view> names;
  for (const SendKey& key : send_keys()) {
    CAPTURE(key.name);
    CHECK(names.insert(key.name).second);
    CHECK_FALSE(key.help.empty());
    CHECK_FALSE(key.group.empty());
    CHECK((key.apply == nullptr) == (key.of_endpoint != nullptr));
    CHECK((key.of_endpoint == nullptr || key.of_endpoint->apply != nullptr));
    if (!key.usual_text.empty()) {
      SendDraft draft;
      CHECK(key.take({{std::string(key.usual_text)}}, draft));
    }
  }
  // All that endpoints offer is there.
  for (const EndpointKey& key : endpoint_keys()) {
    CHECK((key.send_wide.name.empty() || names.contains(key.send_wide.name)));
  }
}

TEST_CASE("key table: what is said for all endpoints lies over or under each one's own") {
  const auto laid = [](Layer layer, SettingMap own) {
    lay_send_wide(own, {{"max_recipients", {{"7"}, layer, "there"}}, {"ports", {{"1,2"}, layer}}});
    return make_endpoint("e", own);
  };
  const SettingMap own = {
      {"host", {{"h"}}}, {"recipients_per_message", {{"3"}}}, {"port", {{"25"}}}};
  for (const Layer layer : {Layer::flag, Layer::environment}) {
    const auto over = laid(layer, own);
    REQUIRE(over);
    CHECK(over->options.recipients_max == 7);
    CHECK(over->options.ports.size() == 2);
    CHECK(over->options.port == 1);
  }
  const auto under = laid(Layer::file, own);
  REQUIRE(under);
  CHECK(under->options.recipients_max == 3);
  CHECK(under->options.port == 25);
  CHECK(laid(Layer::file, {{"host", {{"h"}}}})->options.recipients_max == 7);
}

TEST_CASE("key table: each port of a list is secured as it can be") {
  const auto ports = [](const std::string& list, SettingMap more) {
    more["host"] = {{"h"}};
    more["ports"] = {{list}};
    const auto draft = make_endpoint("e", more);
    REQUIRE(draft);
    return draft->options.ports;
  };
  using enum TransportSecurity;
  using Ports = std::vector<PortOption>;
  CHECK(ports("587,465,2525,587", {}) == Ports{{587, starttls}, {465, implicit}, {2525, starttls}});
  CHECK(ports("465,2525", {}) == Ports{{465, implicit}, {2525, starttls}});
  CHECK(ports("465,2525,587", {{"security", {{"implicit"}}}}) ==
        Ports{{465, implicit}, {2525, implicit}, {587, starttls}});
  CHECK(ports("1,2", {{"security", {{"none"}}}}) == Ports{{1, none}, {2, none}});
}
