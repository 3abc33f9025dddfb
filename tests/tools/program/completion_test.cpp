#include "tools/program/completion.h"

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"

using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

// A program with all that a completion can meet.
struct Program {
  Program() {
    app.set_help_flag("-h,--help", "Help: it's [this]");
    CLI::App* const send = app.add_subcommand("send", "Sends");
    send->add_option("FILE", files, "Files");
    send->add_option("-m,--mode", mode, "How")->type_name("fast|slow|N");
    send->add_option("--out", out, "Where to")->type_name("FILE|-");
    CLI::App* const config = app.add_subcommand("config", "Settings");
    config->add_subcommand("show", "Prints");
  }

  CLI::App app{"A program", "ringpost"};
  std::vector<std::string> files;
  std::string mode;
  std::string out;
};

}  // namespace

TEST_CASE("completion: every command is found with its flags and what they take") {
  const Program program;
  const auto commands = completion_commands(program.app);
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
  const auto commands = completion_commands(program.app);
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
