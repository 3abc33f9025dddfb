#include "tools/sink/fault.h"

#include <catch2/catch_test_macros.hpp>

#include "tools/sink/fault_dice.h"

using namespace ringpost;
using namespace ringpost::sink;

namespace {

FaultChances chances_of(std::initializer_list<const char*> faults, std::uint64_t seed = 1) {
  FaultChances chances;
  chances.seed = seed;
  for (const char* const fault : faults) {
    REQUIRE(add_fault(fault, chances));
  }
  return chances;
}

double chance_at(const FaultChances& chances, FaultKind kind, FaultStage stage) {
  return chances.at_stage[static_cast<std::size_t>(kind)][static_cast<std::size_t>(stage)];
}

std::string refusal_of(Bytes text) {
  FaultChances chances;
  const auto added = add_fault(text, chances);
  REQUIRE_FALSE(added);
  REQUIRE_FALSE(chances.any());
  return added.error();
}

// What a session meets in so many messages: kinds by stage, in the order of the wire.
std::vector<std::pair<FaultStage, FaultKind>> met_by(FaultDice& dice, int messages) {
  std::vector<std::pair<FaultStage, FaultKind>> met;
  for (int i = 0; i < messages; ++i) {
    dice.begin_message();
    for (const FaultStage stage : {FaultStage::mail, FaultStage::rcpt, FaultStage::data,
                                   FaultStage::content, FaultStage::end}) {
      if (const auto kind = dice.roll(stage)) {
        met.emplace_back(stage, *kind);
      }
    }
  }
  return met;
}

}  // namespace

TEST_CASE("faults: a name, a stage and a percentage") {
  const FaultChances chances = chances_of({"late=2.5", "421@rcpt=1", "drop@content=0.01"});
  CHECK(chances.anywhere[static_cast<std::size_t>(FaultKind::late)] == 0.025);
  CHECK(chance_at(chances, FaultKind::closing, FaultStage::rcpt) == 0.01);
  CHECK(chance_at(chances, FaultKind::drop, FaultStage::content) == 0.0001);
  CHECK(chances.any());
  CHECK_FALSE(chances_of({"late=0"}).any());
}

TEST_CASE("faults: \"all\" is every kind that the stage has") {
  const FaultChances chances = chances_of({"all=1", "all@content=2"});
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
    CHECK(chances.anywhere[kind] == 0.01);
  }
  CHECK(chance_at(chances, FaultKind::stall, FaultStage::content) == 0.02);
  CHECK(chance_at(chances, FaultKind::late, FaultStage::content) == 0);
}

TEST_CASE("faults: what makes no sense is said, and changes nothing") {
  CHECK(refusal_of("dorp=1").find("did you mean \"drop\"?") != std::string::npos);
  CHECK(refusal_of("drop@mial=1").find("did you mean \"mail\"?") != std::string::npos);
  CHECK(refusal_of("late@content=1") == "in the middle of content there is no reply");
  for (const char* const text : {"drop", "drop=", "drop=-1", "drop=101", "drop=1e1", "drop=inf",
                                 "drop=1%", "drop=1.2.3", "=1", "", "drop@=1", "drop=."}) {
    INFO(text);
    CHECK_FALSE(refusal_of(text).empty());
  }
}

TEST_CASE("fault dice: the seed decides, for each session and message") {
  const FaultChances chances = chances_of({"all=10"}, 7);
  FaultDice dice(chances, 3);
  FaultDice same(chances, 3);
  FaultDice other_session(chances, 4);
  const FaultChances other_chances = chances_of({"all=10"}, 8);
  FaultDice other_seed(other_chances, 3);
  const auto met = met_by(dice, 200);
  CHECK(met == met_by(same, 200));
  CHECK(met != met_by(other_session, 200));
  CHECK(met != met_by(other_seed, 200));
}

TEST_CASE("fault dice: what one message meets does not hang on what was asked before") {
  const FaultChances chances = chances_of({"all=10"}, 7);
  FaultDice dice(chances, 3);
  FaultDice skipping(chances, 3);
  for (int i = 0; i < 99; ++i) {
    dice.begin_message();
    static_cast<void>(dice.roll(FaultStage::mail));
    skipping.begin_message();
  }
  CHECK(met_by(dice, 100) == met_by(skipping, 100));
}

TEST_CASE("fault dice: each kind comes about as often as it should, and where it may") {
  constexpr int messages = 20'000;
  const FaultChances chances = chances_of({"all=1"});
  std::array<int, fault_kind_count> met{};
  FaultDice dice(chances, 1);
  for (const auto& [stage, kind] : met_by(dice, messages)) {
    CHECK(has_stage(usual_stages_of(kind), stage));
    ++met[static_cast<std::size_t>(kind)];
  }
  for (const int count : met) {
    CHECK(count > messages / 200);  // 1 % are 200; the seed is fixed
    CHECK(count < messages / 50);
  }
}

TEST_CASE("fault dice: a stage of a message is asked once, one of the opening each time") {
  const FaultChances chances = chances_of({"421@rcpt=100", "late@ehlo=100"});
  FaultDice dice(chances, 1);
  CHECK(dice.roll(FaultStage::ehlo) == FaultKind::late);
  CHECK(dice.roll(FaultStage::ehlo) == FaultKind::late);
  CHECK_FALSE(dice.roll(FaultStage::greeting));
  dice.begin_message();
  CHECK(dice.roll(FaultStage::rcpt) == FaultKind::closing);
  CHECK_FALSE(dice.roll(FaultStage::rcpt));
  dice.begin_message();
  CHECK(dice.roll(FaultStage::rcpt) == FaultKind::closing);
}
