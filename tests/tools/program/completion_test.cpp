#include "tools/program/completion.h"

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

// A program with all that a completion can meet.
struct Program {
  Program() {
    spec.flags = {{"-h,--help", "", "Help: it's [this]", HelpAsked{}}};
    CommandSpec send{.name = "send", .summary = "Sends"};
    send.flags = {{"-h,--help", "", "Help: it's [this]", HelpAsked{}},
                  {"FILE", "", "Files", &files},
                  {"-m,--mode", "fast|slow|N", "How", &mode},
                  {"--out", "FILE|-", "Where to", &out},
                  {"--profile", "PRESET", "Whom to play", &profile}};
    CommandSpec config{.name = "config", .summary = "Settings"};
    config.subcommands = {{.name = "show", .summary = "Prints"}};
    CommandSpec probe{.name = "probe", .summary = "Looks"};
    probe.flags = {{"ENDPOINT", "", "A name", &mode}};
    spec.subcommands = {send, config, probe};
  }

  CommandSpec spec{.name = "ringpost", .summary = "A program"};
  std::vector<std::string> files;
  std::string mode;
  std::string out;
  std::string profile;
};

}  // namespace

TEST_CASE("completion: every command is found with its flags and what they take") {
  const Program program;
  const auto commands = completion_commands(program.spec);
  REQUIRE(commands.size() == 5);
  CHECK(commands[0].subcommands == std::vector<std::string>{"send", "config", "probe"});
  CHECK(commands[1].path == "send");
  CHECK(commands[1].takes_files);
  CHECK(commands[3].path == "probe");
  CHECK(commands[3].names_of == NamesOf::endpoints);
  CHECK(commands[4].path == "config show");
  const auto& flags = commands[1].flags;
  REQUIRE(flags.size() == 4);
  CHECK(flags[3].names_of == NamesOf::presets);
  CHECK_FALSE(flags[0].takes_value);
  CHECK(flags[1].names == std::vector<std::string>{"-m", "--mode"});
  CHECK(flags[1].words == std::vector<std::string>{"fast", "slow"});
  CHECK(flags[2].takes_file);
  CHECK(flags[2].words.empty());
}

TEST_CASE("completion: the scripts name commands, flags and values") {
  const Program program;
  const auto commands = completion_commands(program.spec);
  const std::string bash = bash_completion(commands);
  CHECK(contains(bash, "'send -m'|'send --mode') COMPREPLY=($(compgen -W 'fast slow'"));
  CHECK(contains(bash, "'config show')"));
  CHECK(contains(bash, "'send --profile') _ringpost_names presets; return"));
  CHECK(contains(bash, "names='endpoints'"));
  const std::string zsh = zsh_completion(commands);
  CHECK(contains(zsh, "#compdef ringpost"));
  CHECK(contains(zsh, "'*--help[Help\\: it'\\''s \\[this\\]]'"));
  CHECK(contains(zsh, ":value:(fast slow)"));
  CHECK(contains(zsh, "'1:name:_ringpost_endpoints'"));
  const std::string fish = fish_completion(commands);
  CHECK(contains(fish, "-s m -l mode -x -a 'fast slow' -d 'How'"));
  CHECK(contains(fish, "-a show -d 'Prints'"));
  CHECK(contains(fish, "-a '(__ringpost_names presets)'"));
}
