// The sections of `serve` in a file: each key once, with a default that it takes, and mistakes with
// their places.
#include "tools/settings/serve_setting.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"
#include "tools/settings/config_file.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

Configuration read_sections(const std::string& text) {
  auto configuration = parse_configuration(text, "/etc/r/t.toml");
  INFO(text << (configuration ? "" : configuration.error().message));
  REQUIRE(configuration);
  return *configuration;
}

std::string offence_in(const std::string& text) {
  const auto configuration = parse_configuration(text, "t.toml");
  INFO(text);
  REQUIRE_FALSE(configuration);
  return configuration.error().message;
}

}  // namespace

TEST_CASE("serve settings: a key stands once in its section, and takes its own default") {
  std::set<std::string_view> names;
  for (const Section& section : serve_sections()) {
    CHECK(names.insert(section.name).second);
    CHECK(find_section(section.name) == &section);
    std::set<std::string_view> keys;
    for (const SectionKey& key : section.keys) {
      INFO(section.name << " " << key.name);
      CHECK(keys.insert(key.name).second);
      CHECK(section.find(key.name) == &key);
      const std::string usual = key.show({});
      ServeDraft draft;
      if (!usual.empty()) {
        CHECK(key.apply({{usual}, Layer::file, "t.toml"}, draft));
        CHECK(key.show(draft) == usual);
      }
      CHECK_FALSE(key.apply({{std::string()}, Layer::file, "t.toml"}, draft));
    }
  }
  CHECK(find_section("listen") == nullptr);
}

TEST_CASE("serve settings: sections are read in their order, with paths beside the file") {
  const Configuration configuration = read_sections(
      "[serve]\noutcomes = \"o.jsonl\"\nmessages_in_flight = \"2k\"\n"
      "[[serve.route]]\nuser = \"u\"\nendpoint = \"e\"\n"
      "[[listen.smtp]]\n"
      "[[listen.smtp]]\naddress = \"[::1]:25\"\ntls = \"implicit\"\nkey = \"/k.pem\"\n"
      "idle_timeout = \"2m\"\n");
  const auto drafts = [&configuration](std::string_view name) {
    std::vector<ServeDraft> all;
    for (const SettingMap& settings : configuration.sections.at(std::string(name))) {
      apply_section(*find_section(name), settings, all.emplace_back());
    }
    return all;
  };
  CHECK(drafts("serve").at(0).serve.outcomes_path == "/etc/r/o.jsonl");
  CHECK(drafts("serve").at(0).serve.messages_max == 2000);
  CHECK(drafts("serve.route").at(0).route.endpoint == "e");
  const auto listeners = drafts("listen.smtp");
  REQUIRE(listeners.size() == 2);
  CHECK(listeners[0].smtp.address == "127.0.0.1:2525");
  CHECK(listeners[1].smtp.address == "[::1]:25");
  CHECK(listeners[1].smtp.tls == ListenSecurity::implicit);
  CHECK(listeners[1].smtp.key_file == "/k.pem");
  CHECK(listeners[1].smtp.idle_timeout == std::chrono::minutes(2));
}

TEST_CASE("serve settings: every mistake is named with its place") {
  CHECK(offence_in("[[listen.smtp]]\nadress = \"x\"") ==
        "t.toml:2:1: unknown key \"adress\"; did you mean \"address\"?");
  CHECK(offence_in("[listen.smtp]\n") == "t.toml:1:1: it is a table of its own: [[listen.smtp]]");
  CHECK(contains(offence_in("[[listen.smpt]]\n"), "did you mean \"smtp\"?"));
  CHECK(contains(offence_in("listen = 1"), "t.toml:1:10: listen must be a section"));
  CHECK(contains(offence_in("[serve]\nroutes = []"), "did you mean \"route\"?"));
  CHECK(
      contains(offence_in("[[listen.smtp]]\ntls = \"on\""), "t.toml:2:7: tls: \"on\" is none of"));
  CHECK(contains(offence_in("[[listen.smtp]]\nclients = 0"), "t.toml:2:11: clients: "));
  CHECK(contains(offence_in("[[listen.smtp]]\nidle_timeout = \"1ms\""), "less than a second"));
  CHECK(contains(offence_in("[sevre]\n"), "did you mean \"serve\"?"));
}

TEST_CASE("serve settings: a stronger file has keys above, and lists in the place of others") {
  Configuration lower = read_sections(
      "[serve]\noutcomes = \"/a\"\nmessages_in_flight = 7\n[[listen.smtp]]\n[[listen.smtp]]\n");
  lay_over(lower, read_sections("[serve]\noutcomes = \"/b\"\n[[listen.smtp]]\n"));
  CHECK(lower.sections.at("listen.smtp").size() == 1);
  REQUIRE(lower.sections.at("serve").size() == 1);
  CHECK(lower.sections.at("serve")[0].at("outcomes").text() == "/b");
  CHECK(lower.sections.at("serve")[0].at("messages_in_flight").text() == "7");
}
