// Runs a fuzz target over the files of its seed corpus, where there is no libFuzzer to do so: each
// seed is a regression test under every compiler.
//
//   NAME_replay FOLDER...
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/fuzz_input.h"

namespace {

int replay(int count, char** folders) {
  namespace fs = std::filesystem;
  std::size_t seeds = 0;
  for (int i = 1; i < count; ++i) {
    std::size_t seeds_here = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folders[i])) {
      if (!entry.is_regular_file()) {
        continue;
      }
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string seed((std::istreambuf_iterator<char>(file)), {});
      // Said first: the last line is the one that failed.
      std::fprintf(stderr, "%s\n", entry.path().c_str());
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size());
      ++seeds_here;
    }
    if (seeds_here == 0) {
      std::fprintf(stderr, "no seeds in %s\n", folders[i]);
      return 1;
    }
    seeds += seeds_here;
  }
  std::fprintf(stderr, "%zu seeds\n", seeds);
  return seeds == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return replay(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
