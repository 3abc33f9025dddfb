// Runs seeds of the simulation:
//
//   sim_seeds [--seeds N] [--seed FIRST] [--keep FOLDER]
//
// The folder, which must be there, keeps job file, journal and outcomes of the last seed.
// Each seed that breaks the promise is named, with the command that runs it again. Prints what has
// happened in all of them, and ends with 1 when a promise was broken.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/sim/simulation.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace ringpost;

struct Arguments {
  std::uint64_t seeds = 500;
  std::uint64_t first = 1;
  std::string folder;
};

bool read_arguments(int count, char** values, Arguments& arguments) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = values[i];
    if (name == "--keep") {
      arguments.folder = values[i + 1];
      continue;
    }
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(values[i + 1], &end, 10);
    if (*end != '\0' || (name != "--seeds" && name != "--seed")) {
      return false;
    }
    (name == "--seeds" ? arguments.seeds : arguments.first) = number;
  }
  return count % 2 == 1 && arguments.seeds > 0;
}

std::string summary(const sim::Tally& tally) {
  std::string told;
  for (std::size_t i = 0; i < status_count; ++i) {
    told +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", tally.told[i], name_of(static_cast<Status>(i)));
  }
  return fmt::format(
      "{} seeds: {}\n{} kills, {} power cuts, {} resumes with work left, {} connections, {} "
      "messages taken, {} of them copies\n{} writes without room, {} failures of the disk\n",
      tally.seeds, told, tally.kills, tally.power_cuts, tally.resumes, tally.connections,
      tally.messages, tally.copies, tally.disks_full, tally.disk_failures);
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  if (!read_arguments(count, values, arguments)) {
    fmt::print(stderr, "usage: sim_seeds [--seeds N] [--seed FIRST] [--keep FOLDER]\n");
    return 2;
  }
  const test::TemporaryFolder temporary;
  const std::string folder = arguments.folder.empty() ? temporary.path(".") : arguments.folder;
  sim::Tally tally;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    const sim::SeedResult result = sim::run_seed(seed, folder);
    tally.add(result.tally);
    if (!result.broken.empty()) {
      ++broken;
      fmt::print("seed {}: {}\n  {}\n  once more: tools/dev sim --seeds 1 --seed {}\n", seed,
                 result.broken, result.plan, seed);
      std::fflush(stdout);
    }
  }
  fmt::print("{}{} broken\n", summary(tally), broken);
  return broken == 0 ? 0 : 1;
}
