// What nodes tell each other, and what follows for a job that was handed to one of them.
#include "tools/serve/nats/node_mark.h"

#include <random>
#include <set>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::serve::test {

namespace {

OtherNode node_with(std::initializer_list<std::uint64_t> in_hand,
                    std::initializer_list<std::uint64_t> told, bool is_alive) {
  OtherNode node;
  for (const std::uint64_t sequence : in_hand) {
    node.mark.in_hand.add(sequence);
  }
  for (const std::uint64_t sequence : told) {
    node.mark.told.add(sequence);
  }
  node.is_alive = is_alive;
  return node;
}

}  // namespace

TEST_CASE("ranges: hold what was added in any order, and are as few as can be") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    SequenceRanges ranges;
    std::set<std::uint64_t> oracle;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t sequence = 1 + random() % 60;
      ranges.add(sequence);
      oracle.insert(sequence);
    }
    std::size_t runs = 0;
    for (std::uint64_t sequence = 0; sequence < 64; ++sequence) {
      REQUIRE(ranges.contains(sequence) == oracle.contains(sequence));
      runs += oracle.contains(sequence) && !oracle.contains(sequence - 1) ? 1U : 0U;
    }
    REQUIRE(ranges.ranges() == runs);
    REQUIRE(ranges.last() == *oracle.rbegin());
    const auto read = SequenceRanges::read(ranges.text());
    REQUIRE(read);
    REQUIRE(read->text() == ranges.text());
  }
}

TEST_CASE("ranges: are added to others whole") {
  SequenceRanges some;
  SequenceRanges more;
  for (const std::uint64_t sequence : {1U, 2U, 3U, 9U}) {
    some.add(sequence);
  }
  for (const std::uint64_t sequence : {4U, 7U, 8U, 20U}) {
    more.add(sequence);
  }
  some.add(more);
  for (const std::uint64_t sequence : {1U, 2U, 3U, 4U, 7U, 8U, 9U, 20U}) {
    CHECK(some.contains(sequence));
  }
  for (const std::uint64_t sequence : {0U, 5U, 6U, 10U, 19U, 21U}) {
    CHECK_FALSE(some.contains(sequence));
  }
}

TEST_CASE("mark: comes back from its text, and what is none is refused") {
  NodeMark mark{"2026-11-30T13:00:00Z", {}, {}};
  CHECK(NodeMark::read(mark.text()));
  mark.in_hand.add(5);
  mark.in_hand.add(6);
  mark.told.add(1);
  CHECK(mark.text() == "stream 2026-11-30T13:00:00Z\nin-hand 5-6\ntold 1\n");
  const auto read = NodeMark::read(mark.text());
  REQUIRE(read);
  CHECK(read->text() == mark.text());
  for (const char* const text :
       {"", "stream x\n", "stream x\nin-hand 5\n", "stream x\nin-hand 5-\ntold \n",
        "stream x\nin-hand 6-5\ntold \n", "stream x\nin-hand 5,\ntold \n",
        "stream x\nin-hand a\ntold \n", "stream x\nin-hand 5 told 6\n"}) {
    INFO(text);
    CHECK_FALSE(NodeMark::read(text));
  }
}

TEST_CASE("claim: a job is free, told, elsewhere or in doubt by what others say") {
  const std::vector<OtherNode> nodes = {node_with({5}, {1}, true), node_with({6, 7}, {2}, false)};
  CHECK(claim_of(9, nodes) == JobClaim::free);
  CHECK(claim_of(1, nodes) == JobClaim::told);
  CHECK(claim_of(2, nodes) == JobClaim::told);
  CHECK(claim_of(5, nodes) == JobClaim::elsewhere);
  CHECK(claim_of(6, nodes) == JobClaim::in_doubt);
}

TEST_CASE("claim: who has told of a dead node's job settles it, and who is at work comes first") {
  const OtherNode dead = node_with({6}, {}, false);
  const OtherNode alive = node_with({6}, {}, true);
  const OtherNode teller = node_with({}, {6}, false);
  CHECK(claim_of(6, std::vector{dead, teller}) == JobClaim::told);
  CHECK(claim_of(6, std::vector{dead, alive}) == JobClaim::elsewhere);
  CHECK(claim_of(6, std::vector{alive, dead}) == JobClaim::elsewhere);
}

}  // namespace ringpost::serve::test
