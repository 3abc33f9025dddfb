#include "tools/program/command_parser.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/tools/support.h"
#include "tools/program/help_text.h"

using namespace ringpost::cli;
using namespace ringpost::cli::test;

namespace {

using Words = std::vector<std::string>;
using enum ParsedLine::Wanted;

// One of each kind of flag, and a command within a command.
struct Shop {
  Shop() {
    CommandSpec buy{.name = "buy", .summary = "Buys"};
    buy.flags = {
        {"-h,--help", "", "Help", HelpAsked{}},
        {"THING", "", "What to buy", &things},
        {"-n,--note", "TEXT", "A note", &note},
        {"--tag", "TAG", "A tag", &tags},
        {"--coin", "COIN", "Coins", &coins},
        {"-v,--verbose", "", "Says more", &verbose},
        {"!--no-bag", "", "Without a bag", &bag},
        with_usual({"--count", "N", "How many", NumberTarget{&count, 1, 9}}),
        with_usual({"--colour", "red|blue", "Its colour", &colour}),
    };
    buy.flags[4].takes_words_behind = true;
    buy.flags.back().words = {"red", "blue"};
    buy.flags.back().may_be_repeated = true;
    CommandSpec till{.name = "till", .summary = "The till"};
    till.subcommands = {{.name = "open", .summary = "Opens it"}};
    CommandSpec list{.name = "list", .summary = "Lists"};
    list.subcommands = {{.name = "show", .summary = "Shows one"}};
    list.run = [] { return 0; };
    program.subcommands = {buy, till, list};
  }

  ParsedLine parse(Words words) { return parse_words(program, std::move(words)); }

  CommandSpec program{.name = "shop", .summary = "A shop"};
  Words things;
  std::string note;
  Words tags;
  Words coins;
  std::optional<std::int64_t> verbose;
  bool bag = true;
  std::size_t count = 2;
  std::string colour = "red";
};

}  // namespace

TEST_CASE("command parser: each kind of flag takes what it says") {
  Shop shop;
  const ParsedLine line =
      shop.parse({"buy", "--tag", "a", "tea", "--tag=b", "-n", "fast", "-vv", "--no-bag", "milk",
                  "--count", "9", "--colour", "blue", "--colour", "red", "--coin", "1", "2"});
  REQUIRE(line.wanted == command);
  CHECK(line.command->name == "buy");
  CHECK(line.path == "shop buy");
  CHECK(shop.things == Words{"tea", "milk"});
  CHECK(shop.tags == Words{"a", "b"});
  CHECK(shop.coins == Words{"1", "2"});
  CHECK(shop.note == "fast");
  CHECK(shop.verbose == 2);
  CHECK_FALSE(shop.bag);
  CHECK(shop.count == 9);
  CHECK(shop.colour == "red");
}

TEST_CASE("command parser: a switch that was not said has no count, and one said off has one") {
  Shop shop;
  REQUIRE(shop.parse({"buy"}).wanted == command);
  CHECK_FALSE(shop.verbose);
  CHECK(shop.bag);
  REQUIRE(shop.parse({"buy", "--verbose=false"}).wanted == command);
  REQUIRE(shop.verbose);
  CHECK(*shop.verbose <= 0);
}

TEST_CASE("command parser: a mistake is told with the command that it was made with") {
  Shop shop;
  for (const Words& words : {Words{"buy", "--count", "10"},
                             {"buy", "--colour", "green"},
                             {"buy", "--note"},
                             {"buy", "--note", "a", "--note", "b"}}) {
    const ParsedLine line = shop.parse(words);
    CHECK(line.wanted == nothing);
    CHECK(line.path == "shop buy");
    CHECK(contains(line.mistake, words[1]));
    CHECK_FALSE(line.unexpected);
  }
  const ParsedLine unknown = shop.parse({"buy", "--nte", "a"});
  CHECK(unknown.unexpected == "--nte");
  CHECK(unknown.mistake.empty());
  const ParsedLine missing = shop.parse({"till"});
  CHECK(missing.wanted == nothing);
  CHECK(missing.command->name == "till");
  CHECK_FALSE(missing.unexpected);
  // The innermost command has nothing to do with it.
  const ParsedLine outer = shop.parse({"till", "-x", "open"});
  CHECK(outer.unexpected == "-x");
  CHECK(outer.path == "shop till");
}

TEST_CASE("command parser: a command that does something itself needs none of its own") {
  Shop shop;
  const ParsedLine alone = shop.parse({"list"});
  REQUIRE(alone.wanted == command);
  CHECK(alone.command->name == "list");
  CHECK(contains(help_of(*alone.command, alone.path), "Usage: shop list [COMMAND] [FLAGS]\n"));
  const ParsedLine inner = shop.parse({"list", "show"});
  REQUIRE(inner.wanted == command);
  CHECK(inner.path == "shop list show");
  const ParsedLine wrong = shop.parse({"list", "shwo"});
  CHECK(wrong.wanted == nothing);
  CHECK(wrong.unexpected == "shwo");
  CHECK(wrong.path == "shop list");
}

TEST_CASE("command parser: help is wanted whatever else is wrong") {
  Shop shop;
  const ParsedLine line = shop.parse({"buy", "--nte", "-h"});
  REQUIRE(line.wanted == help);
  const std::string text = help_of(*line.command, line.path);
  CHECK(contains(text, "Usage: shop buy [FLAGS] [THING...]\n"));
  CHECK(contains(text, "      --no-bag                    Without a bag\n"));
  CHECK(contains(text, "      --colour red|blue           Its colour [red]\n"));
  CHECK(contains(text, "  -v, --verbose                   Says more\n"));
}
