// Flags, environment and files laid over each other, as `ringpost send` does it.
#include <ctime>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"
#include "tools/program/command_parser.h"
#include "tools/send/send_flags.h"
#include "tools/settings/send_setting.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;
using namespace std::chrono_literals;

namespace {

// A user without any configuration of his own.
class Run {
 public:
  Run() : working_folder_(folder_.path()) {
    for (const char* name : {"RINGPOST_CONFIG", "RINGPOST_PASSWORD", "CREDENTIALS_DIRECTORY"}) {
      environment_.unset(name);
    }
    for (const SendKey& key : send_keys()) {
      environment_.unset(variable_of(key.name));
    }
    environment_.set("HOME", folder_.path("home"));
    environment_.set("XDG_CONFIG_HOME", folder_.path("config"));
  }

  void config(const std::string& text) { folder_.write("ringpost.toml", text); }
  void variable(const std::string& name, const std::string& value) {
    environment_.set(name, value);
  }
  [[nodiscard]] const Folder& folder() const { return folder_; }

  [[nodiscard]] Result<SendSettings, UsageError> settings(std::vector<std::string> words) {
    const SendFlags flags;
    CommandSpec send{.name = "send", .summary = "Sends"};
    flags.describe(send);
    const ParsedLine line = parse_words(send, std::move(words));
    INFO(line.mistake);
    REQUIRE(line.wanted == ParsedLine::Wanted::command);
    return flags.settings();
  }

  [[nodiscard]] SendSettings accepted(std::vector<std::string> words) {
    auto settings = this->settings(std::move(words));
    INFO((settings ? "" : settings.error().message));
    REQUIRE(settings);
    return *settings;
  }

  [[nodiscard]] std::string refused(std::vector<std::string> words) {
    const auto settings = this->settings(std::move(words));
    REQUIRE_FALSE(settings);
    return settings.error().message;
  }

 private:
  Folder folder_;
  WorkingFolder working_folder_;
  Environment environment_;
};

}  // namespace

TEST_CASE("send settings: flags over environment over file over default") {
  Run run;
  CHECK(run.accepted({"-e", "smtp://h"}).drain == 30s);
  run.config("[send]\ndrain = \"1s\"\ncores = 2\nrate = \"1/s\"\n");
  run.variable("RINGPOST_DRAIN", "2s");
  run.variable("RINGPOST_RATE", "2/s");
  const SendSettings settings = run.accepted({"-e", "smtp://h", "--drain", "3s"});
  CHECK(settings.drain == 3s);
  CHECK(settings.endpoints[0].rates == std::vector{messages_per_second(2)});
  CHECK(settings.cores == 2);
  CHECK(settings.readers == 1);
  CHECK(settings.outcome_threads == 1);
  CHECK(settings.io == IoChoice::automatic);
}

TEST_CASE(
    "send settings: a flag or a variable is stronger than an endpoint's own key, [send] is "
    "weaker") {
  Run run;
  run.config(
      "[endpoint.a]\nhost = \"a\"\nrate = 1\nconnections = 3\n"
      "[endpoint.b]\nhost = \"b\"\n[send]\nendpoint = [\"a\", \"b\"]\nrate = 5\n"
      "pipeline = \"off\"\n");
  SendSettings settings = run.accepted({});
  REQUIRE(settings.endpoints.size() == 2);
  CHECK(settings.endpoints[0].rates == std::vector{messages_per_second(1)});
  CHECK(settings.endpoints[1].rates == std::vector{messages_per_second(5)});
  CHECK(settings.endpoints[0].pipelining == PipeliningOption::off);
  run.variable("RINGPOST_CONNECTIONS", "7");
  settings = run.accepted({"--rate", "9/s"});
  CHECK(settings.endpoints[0].rates == std::vector{messages_per_second(9)});
  CHECK(settings.endpoints[1].rates == std::vector{messages_per_second(9)});
  CHECK(settings.endpoints[0].connections_max == 7);
}

TEST_CASE("send settings: an error names the layer that is to blame") {
  Run run;
  CHECK(run.refused({"--rate", "x", "-e", "smtp://h"}).starts_with("--rate: \"x\""));
  CHECK(run.refused({"--readers", "65", "-e", "smtp://h"}).starts_with("--readers: \"65\""));
  CHECK(run.refused({"--outcome-threads", "0", "-e", "smtp://h"})
            .starts_with("--outcome-threads: \"0\""));
  CHECK(run.refused({"--io", "uring", "-e", "smtp://h"}).starts_with("--io: \"uring\""));
  CHECK(run.accepted({"--io", "epoll", "-e", "smtp://h"}).io == IoChoice::epoll);
  run.variable("RINGPOST_CORES", "0");
  CHECK(run.refused({"-e", "smtp://h"}).starts_with("RINGPOST_CORES: \"0\""));
  CHECK(run.accepted({"-e", "smtp://h", "--cores", "1"}).cores == 1);
  run.config("[send]\nnewlines = \"crlf\"\n");
  CHECK(run.refused({"-e", "smtp://h"}).starts_with("./ringpost.toml:2:12: newlines: \"crlf\""));
}

TEST_CASE("send settings: a state folder is found from home, whoever names it") {
  Run run;
  const std::string folder = run.folder().path("home/counts");
  run.config(
      "[endpoint.esp]\nhost = \"mail.example.com\"\nrate = \"40/d\"\n"
      "[send]\nstate = \"~/counts\"\n");
  CHECK(run.accepted({"--endpoint", "esp"}).state_folder == folder);
  CHECK(run.accepted({"--endpoint", "esp", "--state=~/counts"}).state_folder == folder);
  CHECK(run.accepted({"--endpoint", "esp", "--state", "./~"}).state_folder == "./~");
  CHECK(run.accepted({"--endpoint", "esp", "--state", "none"}).state_folder.empty());
}

TEST_CASE("send settings: an empty variable counts as not set") {
  Run run;
  run.variable("RINGPOST_CORES", "");
  run.variable("RINGPOST_CONFIG", "");
  CHECK(run.accepted({"-e", "smtp://h"}).cores == 1);
}

TEST_CASE("send settings: every flag of the table has its variable") {
  Run run;
  run.variable("RINGPOST_ENDPOINT", "smtp://a=2, smtps://b");
  run.variable("RINGPOST_OUTCOMES", "o.jsonl");
  run.variable("RINGPOST_ERRORS", "e.jsonl");
  run.variable("RINGPOST_PIPELINE", "off");
  run.variable("RINGPOST_NEWLINES", "strict");
  run.variable("RINGPOST_PROGRESS", "json");
  run.variable("RINGPOST_SUMMARY", "json");
  run.variable("RINGPOST_STATS", "internal");
  run.variable("RINGPOST_FAIL_ON", "rejected,unknown");
  run.variable("RINGPOST_LOG_LEVEL", "debug");
  run.variable("RINGPOST_LOG_FORMAT", "json");
  run.variable("RINGPOST_QUIET", "true");
  run.variable("RINGPOST_NO_COLOR", "1");
  run.variable("RINGPOST_DRY_RUN", "yes");
  const SendSettings settings = run.accepted({});
  REQUIRE(settings.endpoints.size() == 2);
  CHECK(settings.endpoints[0].weight == 2);
  CHECK(settings.endpoints[1].port == 465);
  CHECK(settings.outcomes_path == "o.jsonl");
  CHECK(settings.errors_path == "e.jsonl");
  CHECK(settings.endpoints[0].pipelining == PipeliningOption::off);
  CHECK(settings.newlines == codec::NewlinePolicy::strict);
  CHECK(settings.progress == ProgressKind::json);
  CHECK(settings.summary == SummaryKind::json);
  CHECK(settings.internal_stats);
  REQUIRE(settings.fail_on);
  CHECK(settings.fail_on->count() == 2);
  CHECK(settings.fail_on->test(static_cast<std::size_t>(Status::unknown)));
  CHECK(settings.log.level == LogLevel::debug);
  CHECK(settings.log.format == LogFormat::json);
  CHECK(settings.quiet);
  CHECK_FALSE(settings.color);
  CHECK(settings.dry_run);
}

TEST_CASE(
    "send settings: -e takes one value, so that files may follow; the last single value wins") {
  Run run;
  const SendSettings settings = run.accepted(
      {"-e", "smtp://a", "--rate", "1/s", "one.jsonl", "--rate=2/s", "-e", "smtp://b", "-", "two"});
  CHECK(settings.files == std::vector<std::string>{"one.jsonl", "-", "two"});
  CHECK(settings.endpoints.size() == 2);
  CHECK(settings.endpoints[0].rates == std::vector{messages_per_second(2)});
  CHECK_FALSE(settings.fail_on);
}

TEST_CASE("send settings: -q and -v are levels, and a level beside them has the last word") {
  Run run;
  const std::vector<std::string> base = {"-e", "smtp://h"};
  const auto level = [&](std::vector<std::string> words) {
    words.insert(words.end(), base.begin(), base.end());
    return run.accepted(words).log.level;
  };
  CHECK(level({}) == LogLevel::warn);
  CHECK(level({"-v"}) == LogLevel::info);
  CHECK(level({"-vv"}) == LogLevel::debug);
  CHECK(level({"-v", "-v", "-v"}) == LogLevel::debug);
  CHECK(level({"-q"}) == LogLevel::error);
  CHECK(level({"-v", "--log-level", "error"}) == LogLevel::error);
  run.variable("RINGPOST_LOG_LEVEL", "error");
  CHECK(level({}) == LogLevel::error);
  CHECK(level({"-v"}) == LogLevel::info);
}

TEST_CASE("send settings: endpoints are chosen by name, and the only one chooses itself") {
  Run run;
  CHECK(contains(run.refused({}), "no endpoint"));
  run.config("[endpoint.ses]\nhost = \"a\"\nweight = 5\n");
  CHECK(run.accepted({}).endpoints[0].name == "ses");
  CHECK(run.accepted({}).endpoints[0].weight == 5);
  CHECK(run.accepted({"-e", "ses=3"}).endpoints[0].weight == 3);
  CHECK(contains(run.refused({"-e", "sess"}), "did you mean \"ses\"?"));
  CHECK(contains(run.refused({"-e", "mail.example.com"}), "smtp://"));
  CHECK(contains(run.refused({"-e", "ses=x"}), "weight"));
  CHECK(contains(run.refused({"-e", "ses", "-e", "ses"}), "twice"));
  run.config("[endpoint.ses]\nhost = \"a\"\n[endpoint.mailgun]\nhost = \"b\"\n");
  CHECK(contains(run.refused({}), "mailgun, ses"));
}

TEST_CASE("send settings: URLs of one host have ports in their names") {
  Run run;
  const SendSettings settings = run.accepted({"-e", "smtp://h", "-e", "smtp://h:2525"});
  CHECK(settings.endpoints[0].name == "h");
  CHECK(settings.endpoints[1].name == "h:2525");
  CHECK(contains(run.refused({"-e", "smtp://h", "-e", "smtp://h:2525", "-e", "smtp://h:2525"}),
                 "twice"));
}

TEST_CASE("send settings: the port decides about TLS, and what cannot be is refused") {
  Run run;
  const auto endpoint = [&](const std::string& keys) {
    run.config("[endpoint.a]\nhost = \"h\"\n" + keys);
    return run.accepted({}).endpoints[0];
  };
  CHECK(endpoint("").port == 587);
  CHECK(endpoint("port = 465\n").security == TransportSecurity::implicit);
  CHECK(endpoint("security = \"implicit\"\n").port == 465);
  CHECK(endpoint("security = \"none\"\n").port == 25);
  CHECK(endpoint("port = 25\n").security == TransportSecurity::starttls);
  CHECK(endpoint("ports = [2525, 465]\n").port == 2525);
  const auto error = [&](const std::string& keys) {
    run.config("[endpoint.a]\n" + keys);
    return run.refused({});
  };
  CHECK(contains(error("host = \"h\"\nport = 465\nsecurity = \"starttls\"\n"), "toml:3:8"));
  CHECK(contains(error("host = \"h\"\nport = 25\nports = [25]\n"), "keep one"));
  CHECK(contains(error("port = 25\n"), "no host"));
  CHECK(contains(error("host = \"h\"\nsecurity = \"none\"\nusername = \"u\"\n"),
                 "allow_plaintext_auth"));
}

TEST_CASE("send settings: a mechanism by its name, and what does not go with it") {
  Run run;
  const auto endpoint = [&run](const std::string& settings) {
    run.config(
        "[endpoint.one]\nhost = \"h\"\nusername = \"u\"\n"
        "password_command = \"echo secret\"\n" +
        settings);
  };
  endpoint("auth = \"cram-md5\"\n");
  CHECK(run.accepted({}).endpoints[0].auth == AuthMechanism::cram_md5);
  endpoint("auth = \"auto\"\n");
  CHECK_FALSE(run.accepted({}).endpoints[0].auth);
  endpoint("auth = \"scram\"\n");
  CHECK(contains(run.refused({}), "auth: unknown mechanism \"scram\""));
  endpoint("auth = \"xoauth2\"\nsecurity = \"none\"\nallow_plaintext_auth = true\n");
  CHECK(contains(run.refused({}), "endpoint.one.auth: a token is not sent without TLS"));
  run.config("[endpoint.one]\nhost = \"h\"\nauth = \"plain\"\n");
  CHECK(contains(run.refused({}), "needs a user name"));
}

TEST_CASE("send settings: a token from one place, under TLS, and no password beside it") {
  Run run;
  const auto endpoint = [&run](const std::string& settings) {
    run.config("[endpoint.one]\nhost = \"h\"\nusername = \"u\"\n" + settings);
  };
  const std::string command = "oauth_token_command = \"echo token\"\n";
  endpoint(command);
  const SendSettings settings = run.accepted({});
  REQUIRE(settings.endpoints[0].read_token);
  CHECK(settings.endpoints[0].read_token().value().value == "token");
  CHECK(settings.endpoints[0].password.empty());
  endpoint(command + "oauth_token_file = \"t\"\n");
  CHECK(contains(run.refused({}), "endpoint.one.oauth_token_file: it stands beside"));
  endpoint(command + "password_command = \"echo p\"\n");
  CHECK(contains(run.refused({}), "it stands beside a password"));
  endpoint(command + "auth = \"plain\"\n");
  CHECK(contains(run.refused({}), "the mechanism of auth takes a password"));
  endpoint(command + "security = \"none\"\nallow_plaintext_auth = true\n");
  CHECK(contains(run.refused({}), "a token is not sent without TLS"));
  run.config("[endpoint.one]\nhost = \"h\"\n" + command);
  CHECK(contains(run.refused({}), "needs a username"));
}

TEST_CASE("send settings: a token's file is read anew, and its age counts") {
  Run run;
  run.config("[endpoint.one]\nhost = \"h\"\nusername = \"u\"\noauth_token_file = \"token\"\n");
  const std::string path = run.folder().path("token");
  const TokenReader read = run.accepted({}).endpoints[0].read_token;
  REQUIRE(read);
  CHECK(contains(read().error(), "oauth_token_file"));
  run.folder().write("token", "first\n");
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(contains(read().error(), "chmod 600"));
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(read().value().value == "first");
  CHECK_FALSE(read().value().lifetime);
  run.folder().write("token", "{\"access_token\": \"second\", \"expires_in\": 3600}");
  const timespec times[] = {{std::time(nullptr) - 600, 0}, {std::time(nullptr) - 600, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  const auto second = read();
  REQUIRE(second);
  CHECK(second->value == "second");
  CHECK(*second->lifetime <= 3000s);
  CHECK(*second->lifetime > 2900s);
}

TEST_CASE("send settings: a client certificate has its key, and others may not read that") {
  Run run;
  run.folder().write("key.pem", "key");
  const std::string endpoint = "[endpoint.one]\nhost = \"h\"\n";
  run.config(endpoint + "client_certificate = \"c.pem\"\nclient_key = \"key.pem\"\n");
  REQUIRE(::chmod(run.folder().path("key.pem").c_str(), 0644) == 0);
  const SendSettings settings = run.accepted({});
  CHECK(settings.endpoints[0].client_certificate_file.ends_with("/c.pem"));
  CHECK(settings.endpoints[0].client_key_file.ends_with("/key.pem"));
  REQUIRE(settings.warnings.size() == 1);
  CHECK(contains(settings.warnings[0], "other users may open client_key"));
  CHECK(contains(settings.warnings[0], "644"));
  REQUIRE(::chmod(run.folder().path("key.pem").c_str(), 0600) == 0);
  CHECK(run.accepted({}).warnings.empty());
  run.config(endpoint + "client_key = \"key.pem\"\n");
  CHECK(contains(run.refused({}), "endpoint.one.client_key: client_certificate and client_key"));
  run.config(endpoint +
             "security = \"none\"\nclient_certificate = \"c.pem\"\n"
             "client_key = \"key.pem\"\n");
  CHECK(contains(run.refused({}), "without TLS a certificate means nothing"));
}

TEST_CASE("send settings: an idempotency header is the name of a field") {
  Run run;
  const std::string endpoint = "[endpoint.one]\nhost = \"h\"\n";
  run.config(endpoint + "idempotency_header = \"Resend-Idempotency-Key\"\n");
  CHECK(run.accepted({}).endpoints[0].idempotency_header == "Resend-Idempotency-Key");
  for (const std::string& wrong :
       {std::string(), std::string("X Key"), std::string("X-Key:"), std::string(65, 'x')}) {
    run.config(endpoint + "idempotency_header = \"" + wrong + "\"\n");
    CHECK(contains(run.refused({}),
                   "idempotency_header: \"" + wrong + "\" is not the name of a header field"));
  }
}

TEST_CASE("send settings: a user without a password is told the ways, a dry run needs none") {
  Run run;
  const std::string error = run.refused({"-e", "smtp://u@mail.example.com"});
  CHECK(contains(error, "RINGPOST_ENDPOINT_MAIL_EXAMPLE_COM_PASSWORD"));
  CHECK(contains(error, "password_command"));
  CHECK(run.accepted({"--dry-run", "-e", "smtp://u@h"}).endpoints[0].password.empty());
  CHECK(run.accepted({"--dry-run"}).endpoints.empty());
  run.variable("RINGPOST_PASSWORD", "hunter2");
  CHECK(run.accepted({"-e", "smtp://u@h"}).endpoints[0].password == "hunter2");
}

TEST_CASE("send settings: one variable never serves two hosts") {
  Run run;
  run.variable("RINGPOST_PASSWORD", "hunter2");
  const std::string error = run.refused({"-e", "smtp://u@a", "-e", "smtp://u@b"});
  CHECK(contains(error, "two servers"));
  CHECK_FALSE(contains(error, "hunter2"));
  run.variable("RINGPOST_PASSWORD", "hunter2");
  const SendSettings settings = run.accepted({"-e", "smtp://u@a", "-e", "smtp://u@a:2525"});
  CHECK(settings.endpoints[1].password == "hunter2");
  run.variable("RINGPOST_PASSWORD", "hunter2");
  run.variable("RINGPOST_ENDPOINT_B_PASSWORD", "hunter3");
  CHECK(run.accepted({"-e", "smtp://u@a", "-e", "smtp://u@b"}).endpoints[1].password == "hunter3");
}

TEST_CASE("send settings: what is dangerous warns on every run") {
  Run run;
  CHECK(run.accepted({"-e", "smtp://h"}).warnings.empty());
  const SendSettings settings = run.accepted({"-e", "smtp://h?verify=off"});
  REQUIRE(settings.warnings.size() == 1);
  CHECK(contains(settings.warnings[0], "not verified"));
  run.config(
      "[endpoint.a]\nhost = \"h\"\nsecurity = \"none\"\nusername = \"u\"\n"
      "allow_plaintext_auth = true\n");
  run.variable("RINGPOST_PASSWORD", "x");
  CHECK(contains(run.accepted({}).warnings.at(0), "in clear"));
}

TEST_CASE("send settings: classes of --fail-on") {
  Run run;
  const auto classes = [&](const std::string& text) {
    return run.accepted({"-e", "smtp://h", "--fail-on", text}).fail_on;
  };
  CHECK(classes("none")->none());
  CHECK(classes("rejected, unknown invalid")->count() == 3);
  const auto error = [&](const std::string& text) {
    return run.refused({"-e", "smtp://h", "--fail-on", text});
  };
  CHECK(contains(error("rejectd"), "did you mean \"rejected\"?"));
  CHECK(contains(error("accepted"), "no failure"));
  CHECK(contains(error("none,rejected"), "alone"));
  CHECK(contains(error(","), "write classes"));
}
