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
                  {"--out", "FILE|-", "Where to", &out}};
    CommandSpec config{.name = "config", .summary = "Settings"};
    config.subcommands = {{.name = "show", .summary = "Prints"}};
    spec.subcommands = {send, config};
  }

  CommandSpec spec{.name = "ringpost", .summary = "A program"};
  std::vector<std::string> files;
  std::string mode;
  std::string out;
};

}  // namespace

TEST_CASE("completion: every command is found with its flags and what they take") {
  const Program program;
  const auto commands = completion_commands(program.spec);
  REQUIRE(commands.size() == 4);
  CHECK(commands[0].subcommands == std::vector<std::string>{"send", "config"});
  CHECK(commands[1].path == "send");
  CHECK(commands[1].takes_files);
  CHECK(commands[3].path == "config show");
  const auto& flags = commands[1].flags;
  REQUIRE(flags.size() == 3);
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
  const std::string zsh = zsh_completion(commands);
  CHECK(contains(zsh, "#compdef ringpost"));
  CHECK(contains(zsh, "'*--help[Help\\: it'\\''s \\[this\\]]'"));
  CHECK(contains(zsh, ":value:(fast slow)"));
  const std::string fish = fish_completion(commands);
  CHECK(contains(fish, "-s m -l mode -x -a 'fast slow' -d 'How'"));
  CHECK(contains(fish, "-a show -d 'Prints'"));
}
