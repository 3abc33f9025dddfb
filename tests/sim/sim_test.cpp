// A whole `ringpost send` on a simulated machine: see simulation.h.
#include <catch2/catch_test_macros.hpp>

#include "tests/sim/simulation.h"
#include "tests/support/temporary_folder.h"

using namespace ringpost;
using sim::run_seed;
using sim::SeedResult;

TEST_CASE("sim: the promise holds for 500 seeds, and all that can happen has happened") {
  const test::TemporaryFolder folder;
  sim::Tally tally;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const SeedResult result = run_seed(seed, folder.path("."));
    INFO("seed " << seed << ": " << result.plan << "; tools/dev sim --seeds 1 --seed " << seed);
    REQUIRE(result.broken == "");
    tally.add(result.tally);
  }
  for (std::size_t i = 0; i < status_count; ++i) {
    INFO(name_of(static_cast<Status>(i)));
    // Nobody is left out on purpose: its runs have no lists.
    CHECK((tally.told[i] > 0) == (static_cast<Status>(i) != Status::skipped));
  }
  CHECK(tally.kills > 100);
  CHECK(tally.power_cuts > 50);
  CHECK(tally.resumes > 100);
  CHECK(tally.copies > 0);
  CHECK(tally.disks_full > 0);
  CHECK(tally.disk_failures > 0);
}

TEST_CASE("sim: a seed does the same again") {
  const test::TemporaryFolder folder;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const SeedResult first = run_seed(seed, folder.path("."));
    const SeedResult second = run_seed(seed, folder.path("."));
    INFO("seed " << seed);
    REQUIRE(first.trace == second.trace);
  }
}
