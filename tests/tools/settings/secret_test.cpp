#include "tools/settings/secret.h"

#include <string>
#include <string_view>
#include <sys/prctl.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

std::string value_of(const Result<std::optional<Secret>, std::string>& secret) {
  INFO((secret ? "" : secret.error()));
  REQUIRE(secret);
  REQUIRE(*secret);
  return (*secret)->value;
}

}  // namespace

TEST_CASE("secret: the order is file, command, systemd, own variable, common variable") {
  const Folder folder;
  Environment environment;
  environment.set("RINGPOST_PASSWORD", "common");
  environment.set("RINGPOST_ENDPOINT_SES_PASSWORD", "own");
  environment.set("CREDENTIALS_DIRECTORY", folder.path());
  const std::string file = folder.write("file", "filed\n");
  folder.write("ses", "systemd\n", 0440);
  const PasswordVariables variables = PasswordVariables::take();

  SecretPlace place{"ses", file, "echo commanded"};
  CHECK(value_of(read_secret(place, variables)) == "filed");
  place.password_file.clear();
  CHECK(value_of(read_secret(place, variables)) == "commanded");
  place.password_command.clear();
  CHECK(value_of(read_secret(place, variables)) == "systemd");
  environment.unset("CREDENTIALS_DIRECTORY");
  const auto own = read_secret(place, variables);
  CHECK(value_of(own) == "own");
  CHECK((*own)->variable == "RINGPOST_ENDPOINT_SES_PASSWORD");
  place.endpoint_name = "other";
  CHECK(value_of(read_secret(place, variables)) == "common");
}

TEST_CASE("secret: none at all is no error") {
  Environment environment;
  environment.unset("RINGPOST_PASSWORD");
  environment.unset("CREDENTIALS_DIRECTORY");
  const auto secret = read_secret({.endpoint_name = "ses"}, PasswordVariables::take());
  REQUIRE(secret);
  CHECK_FALSE(*secret);
  CHECK_FALSE(secret_place_text({.endpoint_name = "ses"}));
  CHECK(contains(ways_to_give_a_password("ses"), "RINGPOST_ENDPOINT_SES_PASSWORD"));
}

TEST_CASE("secret: the variables are gone from the environment and from the memory it stood in") {
  Environment environment;
  environment.set("RINGPOST_PASSWORD", "hunter2");
  environment.set("RINGPOST_ENDPOINT_A_B_PASSWORD", "hunter3");
  environment.set("RINGPOST_RATE", "14/s");
  const char* const place = std::getenv("RINGPOST_PASSWORD");
  const PasswordVariables variables = PasswordVariables::take();
  CHECK(*variables.find("RINGPOST_PASSWORD") == "hunter2");
  CHECK(*variables.find("RINGPOST_ENDPOINT_A_B_PASSWORD") == "hunter3");
  CHECK(variables.find("RINGPOST_RATE") == nullptr);
  CHECK(std::getenv("RINGPOST_PASSWORD") == nullptr);
  CHECK(std::getenv("RINGPOST_ENDPOINT_A_B_PASSWORD") == nullptr);
  CHECK(std::getenv("RINGPOST_RATE") != nullptr);
  CHECK(*place == '\0');
  CHECK(PasswordVariables::take().find("RINGPOST_PASSWORD") == nullptr);
}

TEST_CASE("secret: a name becomes a variable") {
  CHECK(password_variable("ses") == "RINGPOST_ENDPOINT_SES_PASSWORD");
  CHECK(password_variable("smtp.example-1.com") == "RINGPOST_ENDPOINT_SMTP_EXAMPLE_1_COM_PASSWORD");
  CHECK(password_variable("::1") == "RINGPOST_ENDPOINT___1_PASSWORD");
}

TEST_CASE("secret: a file that others may read is refused with the way to mend it") {
  const Folder folder;
  for (const ::mode_t mode : {0644U, 0640U, 0604U, 0602U}) {
    const std::string file = folder.write("file", "hunter2\n", mode);
    const auto secret = read_secret({.endpoint_name = "ses", .password_file = file}, {});
    REQUIRE_FALSE(secret);
    CHECK(contains(secret.error(), "chmod 600"));
    CHECK_FALSE(contains(secret.error(), "hunter2"));
  }
}

TEST_CASE("secret: one line end is taken off, and what then is no password is refused") {
  const Folder folder;
  const auto read = [&](const std::string& content) {
    return read_secret({.endpoint_name = "ses", .password_file = folder.write("file", content)},
                       {});
  };
  CHECK(value_of(read("hunter2")) == "hunter2");
  CHECK(value_of(read("hunter2\n")) == "hunter2");
  CHECK(value_of(read("hunter2\r\n")) == "hunter2");
  CHECK(value_of(read(" with blanks ")) == " with blanks ");
  CHECK(value_of(read(std::string(8192, 'x') + "\n")).size() == 8192);
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("\r\n"), std::string("a\nb"),
        std::string("hunter2\n\n"), std::string("a\rb"), std::string("a\0b", 3),
        std::string(8193, 'x'), std::string(100'000, 'x')}) {
    const auto secret = read(content);
    REQUIRE_FALSE(secret);
    CHECK(secret.error().size() < 400);
  }
}

TEST_CASE("secret: a file that is missing or none is an error, not a reason to look further") {
  const Folder folder;
  Environment environment;
  environment.set("RINGPOST_PASSWORD", "common");
  const PasswordVariables variables = PasswordVariables::take();
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& file : {folder.path("none"), folder.path(), pipe}) {
    CHECK_FALSE(read_secret({.endpoint_name = "ses", .password_file = file}, variables));
  }
}

TEST_CASE("secret: an empty variable is named, so that a forgotten CI secret shows") {
  Environment environment;
  environment.unset("CREDENTIALS_DIRECTORY");
  environment.set("RINGPOST_PASSWORD", "");
  const auto secret = read_secret({.endpoint_name = "ses"}, PasswordVariables::take());
  REQUIRE_FALSE(secret);
  CHECK(secret.error() == "RINGPOST_PASSWORD: it is empty");
}

TEST_CASE("secret: a failing command shows its words and not its own text") {
  const SecretPlace place{.endpoint_name = "ses",
                          .password_command = "echo no such entry >&2; : hunter2; exit 3"};
  const auto secret = read_secret(place, {});
  REQUIRE_FALSE(secret);
  CHECK(contains(secret.error(), "status 3"));
  CHECK(contains(secret.error(), "no such entry"));
  CHECK_FALSE(contains(secret.error(), "hunter2"));
}

TEST_CASE("secret: the process keeps its memory to itself") {
  const int before = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  protect_process_memory();
  CHECK(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
  ::prctl(PR_SET_DUMPABLE, before, 0, 0, 0);
}
