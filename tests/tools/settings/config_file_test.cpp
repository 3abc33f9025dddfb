#include "tools/settings/config_file.h"

#include <string>
#include <string_view>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

Configuration accepted(const std::string& text) {
  auto configuration = parse_configuration(text, "t.toml");
  INFO(text << (configuration ? "" : configuration.error().message));
  REQUIRE(configuration);
  return *configuration;
}

std::string refused(const std::string& text) {
  const auto configuration = parse_configuration(text, "t.toml");
  INFO(text);
  REQUIRE_FALSE(configuration);
  return configuration.error().message;
}

}  // namespace

TEST_CASE("config file: values keep the place where they stand") {
  const Configuration configuration = accepted(
      "[endpoint.ses]\n"
      "host = \"mail.example.com\"\n"
      "ports = [587, 2587]\n"
      "rate = \"14/s\"\n"
      "connections = 20\n"
      "verify = true\n"
      "[send]\n"
      "endpoint = \"ses\"\n"
      "fail_on = [\"rejected\", \"unknown\"]\n");
  const SettingMap& ses = configuration.endpoints.at("ses");
  CHECK(ses.at("host").text() == "mail.example.com");
  CHECK(ses.at("host").origin == "t.toml:2:8");
  CHECK(ses.at("ports").texts == std::vector<std::string>{"587", "2587"});
  CHECK(ses.at("connections").text() == "20");
  CHECK(ses.at("verify").text() == "true");
  CHECK(configuration.send.at("endpoint").text() == "ses");
  CHECK(configuration.send.at("fail_on").texts.size() == 2);
  CHECK(accepted("").endpoints.empty());
}

TEST_CASE("config file: every offence is named with its line and column") {
  CHECK(refused("[endpoint.ses]\nhosst = \"x\"") ==
        "t.toml:2:1: unknown key \"hosst\"; did you mean \"host\"?");
  CHECK(refused("[send]\noutcome = \"x\"") ==
        "t.toml:2:1: unknown key \"outcome\"; did you mean \"outcomes\"?");
  CHECK(contains(refused("[sends]\n"), "t.toml:1:2: unknown section \"sends\""));
  CHECK(contains(refused("rate = 1"), "keys stand under [send]"));
  CHECK(contains(refused("[endpoint]\nhost = \"x\""), "[endpoint.NAME]"));
  CHECK(contains(refused("endpoint = 1"), "[endpoint.NAME]"));
  CHECK(contains(refused("[[endpoint]]\nhost = \"x\""), "[endpoint.NAME]"));
  CHECK(contains(refused("send = 1"), "[send]"));
  CHECK(contains(refused("[endpoint.\"a/../b\"]\n"), "no name for an endpoint"));
  CHECK(contains(refused("[endpoint.ses]\nqueue_id = \"{id}\""), "does not support queue_id yet"));
  CHECK(contains(refused("[endpoint.ses]\npreset = \"sess\""),
                 "t.toml:2:10: preset: unknown preset \"sess\"; did you mean \"ses\"?"));
  CHECK(contains(refused("[endpoint.ses]\npassword = \"hunter2\""), "password_file"));
  CHECK_FALSE(contains(refused("[endpoint.ses]\npassword = \"hunter2\""), "hunter2"));
  CHECK(contains(refused("[endpoint.ses\n"), "t.toml:1:"));
  CHECK(contains(refused("[send]\noutcomes = \"a\"\noutcomes = \"b\""), "t.toml:3:"));
  CHECK(contains(refused("[send]\ndry_run = true"), "unknown key"));
  const std::string two = refused("[send]\nrate = \"x\"\n[endpoint.a]\nport = 0\n");
  CHECK(contains(two, "t.toml:2:8: rate: "));
  CHECK(contains(two, "\nt.toml:4:8: port: "));
}

TEST_CASE("config file: rules for replies keep their order, those of the stronger file first") {
  const auto one = parse_configuration(
      "[[endpoint.a.reply]]\ncode = 550\ntext = \"x\"\nscope = \"account\"\naction = \"pause\"\n"
      "[[endpoint.a.reply]]\ntext = \"y\"\nscope = \"message\"\naction = \"retry\"\n",
      "one.toml");
  const auto two = parse_configuration(
      "[[endpoint.a.reply]]\ntext = \"z\"\nscope = \"message\"\naction = \"reject\"\n", "two.toml");
  REQUIRE((one && two));
  Configuration both = *one;
  lay_over(both, *two);
  const auto rules = both.rules_of("a");
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].text == "z");
  CHECK(rules[0].origin == "two.toml, line 1");
  CHECK(rules[1].code == 550);
  CHECK(rules[2].text == "y");
  CHECK(both.rules_of("b").empty());
  CHECK(both.endpoints.contains("a"));
  const std::string wrong = refused(
      "[[endpoint.a.reply]]\ntext = \"x\"\nscope = \"account\"\naction = \"reject\"\n"
      "[endpoint.b]\nreply = 5\n");
  CHECK(contains(wrong, "t.toml:4:10: \"reject\" has no meaning for the scope"));
  CHECK(contains(wrong, "a rule is a table of its own: [[endpoint.b.reply]]"));
}

TEST_CASE("config file: a value of the wrong type is told what the key takes") {
  CHECK(contains(refused("[endpoint.a]\nhost = 5"), "t.toml:2:8: host: it takes text"));
  CHECK(contains(refused("[endpoint.a]\nverify = \"no\""), "true or false"));
  CHECK(contains(refused("[endpoint.a]\nports = []"), "empty"));
  CHECK(contains(refused("[endpoint.a]\nports = [[1]]"), "a number"));
  CHECK(contains(refused("[endpoint.a]\nconnections = [1]"), "a number"));
  CHECK(contains(refused("[endpoint.a]\nconnect_timeout = 30"), "write 30s"));
  CHECK(contains(refused("[endpoint.a]\nconnect_timeout = \"0s\""), "millisecond"));
  CHECK(contains(refused("[endpoint.a]\nhost = 1979-05-27"), "text"));
  CHECK(contains(refused("[send]\nquiet = 1"), "true or false"));
  CHECK(contains(refused("[send]\nverbose = \"x\""), "verbose"));
}

TEST_CASE("config file: paths of an endpoint start at the file's folder, or at home") {
  Environment environment;
  environment.set("HOME", "/home/u");
  const std::string text =
      "[endpoint.a]\npassword_file = \"a.pw\"\nca_file = \"/etc/ca.pem\"\n"
      "[endpoint.b]\npassword_file = \"~/b.pw\"\n[send]\noutcomes = \"o.jsonl\"\n";
  const auto configuration = parse_configuration(text, "/etc/ringpost/ringpost.toml");
  REQUIRE(configuration);
  CHECK(configuration->endpoints.at("a").at("password_file").text() == "/etc/ringpost/a.pw");
  CHECK(configuration->endpoints.at("a").at("ca_file").text() == "/etc/ca.pem");
  CHECK(configuration->endpoints.at("b").at("password_file").text() == "/home/u/b.pw");
  CHECK(configuration->send.at("outcomes").text() == "o.jsonl");
}

TEST_CASE("config file: the working folder's file is stronger than the user's, key by key") {
  const Folder folder;
  Environment environment;
  environment.set("XDG_CONFIG_HOME", folder.path("config"));
  folder.write("config/ringpost/ringpost.toml",
               "[endpoint.ses]\nhost = \"a.example\"\nrate = \"1/s\"\nports = [587]\n"
               "[send]\ncores = 2\ndrain = \"1s\"\n");
  folder.write("work/ringpost.toml",
               "[endpoint.ses]\nrate = \"2/s\"\nport = 2525\n[send]\ncores = 3\n");
  const WorkingFolder working_folder(folder.path("work"));
  const auto configuration = load_configuration("");
  REQUIRE(configuration);
  const SettingMap& ses = configuration->endpoints.at("ses");
  CHECK(ses.at("host").text() == "a.example");
  CHECK(ses.at("rate").text() == "2/s");
  CHECK(ses.at("port").text() == "2525");
  CHECK_FALSE(ses.contains("ports"));
  CHECK(configuration->send.at("cores").text() == "3");
  CHECK(configuration->send.at("drain").text() == "1s");
}

TEST_CASE("config file: a file that was named is the only one, and has to be there") {
  const Folder folder;
  Environment environment;
  environment.set("XDG_CONFIG_HOME", folder.path("config"));
  folder.write("config/ringpost/ringpost.toml", "[send]\ncores = 2\n");
  const std::string named = folder.write("named.toml", "[send]\ndrain = \"1s\"\n");
  const auto configuration = load_configuration(named);
  REQUIRE(configuration);
  CHECK_FALSE(configuration->send.contains("cores"));
  CHECK(configuration->files == std::vector<std::string>{named});
  CHECK_FALSE(load_configuration(folder.path("none.toml")));
  CHECK_FALSE(load_configuration(folder.path()));
}

TEST_CASE("config file: XDG's default is below home, and a relative XDG path is passed over") {
  Environment environment;
  environment.set("HOME", "/home/u");
  environment.unset("XDG_CONFIG_HOME");
  const std::vector<std::string> expected = {
      "/etc/ringpost/ringpost.toml", "/home/u/.config/ringpost/ringpost.toml", "./ringpost.toml"};
  CHECK(default_config_paths() == expected);
  environment.set("XDG_CONFIG_HOME", "relative");
  CHECK(default_config_paths() == expected);
  environment.set("XDG_CONFIG_HOME", "/xdg");
  CHECK(default_config_paths()[1] == "/xdg/ringpost/ringpost.toml");
}

TEST_CASE("config file: one that somebody else can write is read only when it was named") {
  const Folder folder;
  const std::string path = folder.write("ringpost.toml", "[send]\ncores = 2\n", 0666);
  const auto found = read_configuration_file(path, Trust::found);
  REQUIRE_FALSE(found);
  CHECK(contains(found.error().message, "chmod o-w"));
  CHECK(read_configuration_file(path, Trust::named_by_user));
  folder.write("ringpost.toml", "[send]\ncores = 2\n", 0644);
  CHECK(read_configuration_file(path, Trust::found));
  if (::geteuid() == 0) {
    REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
    const auto foreign = read_configuration_file(path, Trust::found);
    REQUIRE_FALSE(foreign);
    CHECK(contains(foreign.error().message, "another user"));
  }
}

TEST_CASE("config file: what is no TOML, too large or hostile is an error and no more") {
  const Folder folder;
  CHECK_FALSE(
      read_configuration_file(folder.write("big.toml", std::string(2u << 20, '#')), Trust::found));
  CHECK_FALSE(parse_configuration(std::string("a\0b", 3), "t"));
  CHECK_FALSE(parse_configuration("\xff\xfe", "t"));
  CHECK_FALSE(parse_configuration("a = " + std::string(100'000, '['), "t"));
  const std::string good =
      "[endpoint.ses]\nhost = \"h\"\nports = [587]\nrate = 1.5\n[send]\nfail_on = [\"rejected\"]\n";
  for (std::size_t index = 0; index < good.size(); ++index) {
    for (const char octet : std::string_view("\0\n\"'[]{}=.#\\x0\xff", 16)) {
      std::string changed = good;
      changed[index] = octet;
      (void)parse_configuration(changed, "t");
    }
  }
}
