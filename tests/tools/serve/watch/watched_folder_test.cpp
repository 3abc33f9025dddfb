// Files of a folder leave it whole, whatever a kill has left in the middle.
#include "tools/serve/watch/watched_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::serve::test {

namespace {

using ringpost::test::TemporaryFolder;

// With a folder `in` that is watched.
struct Watched {
  TemporaryFolder folder;
  std::unique_ptr<WatchedFolder> in;

  Watched() {
    std::filesystem::create_directory(folder.path("in"));
    open();
  }
  void open() {
    in.reset();
    auto opened = WatchedFolder::open(folder.path("in"));
    REQUIRE(opened);
    in = std::move(*opened);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path("in/" + name), std::ios::binary) << text;
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(folder.path("in/" + name));
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(folder.path("in/" + name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
};

}  // namespace

TEST_CASE("watched folder: job files are known by their names") {
  for (const char* const name : {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.b.jsonl"}) {
    CHECK(WatchedFolder::is_job_name(name));
  }
  for (const char* const name : {".a.jsonl", "a.json", "a.jsonl.part", "a.jsonl.journal",
                                 "a.jsonl.reason", "a.jsonl~", ""}) {
    CHECK_FALSE(WatchedFolder::is_job_name(name));
  }
}

TEST_CASE("watched folder: a done file is in `done` with its outcomes, and its journal is gone") {
  const Watched watched;
  watched.write("x.jsonl", "jobs");
  watched.write("x.jsonl.part", "outcomes");
  watched.write("x.jsonl.journal", "journal");
  CHECK(watched.in->job_names(9) == std::vector<std::string>{"x.jsonl"});
  REQUIRE(watched.in->finish("x.jsonl"));
  CHECK(watched.text("done/x.jsonl") == "jobs");
  CHECK(watched.text("done/x.jsonl.outcomes.jsonl") == "outcomes");
  CHECK_FALSE(watched.has("x.jsonl.journal"));
  CHECK(watched.in->job_names(9).empty());
}

TEST_CASE("watched folder: a bad file has its reason beside it, and keeps its journal") {
  const Watched watched;
  watched.write("x.jsonl", "jobs");
  watched.write("x.jsonl.journal", "journal");
  REQUIRE(watched.in->set_aside("x.jsonl", "why"));
  CHECK(watched.text("bad/x.jsonl") == "jobs");
  CHECK(watched.text("bad/x.jsonl.reason") == "why\n");
  CHECK(watched.text("bad/x.jsonl.journal") == "journal");
  CHECK_FALSE(watched.has("x.jsonl.journal"));
}

TEST_CASE("watched folder: no name is given to two files") {
  const Watched watched;
  watched.write("x.jsonl.gz", "1");
  CHECK(watched.in->take("x.jsonl.gz") == "x.jsonl.gz");
  REQUIRE(watched.in->finish("x.jsonl.gz"));
  watched.write("x.jsonl.gz", "2");
  CHECK(watched.in->take("x.jsonl.gz") == "x.2.jsonl.gz");
  REQUIRE(watched.in->set_aside("x.2.jsonl.gz", "why"));
  watched.write("x.jsonl.gz", "3");
  watched.write("x.3.jsonl.gz", "another one");
  CHECK(watched.in->take("x.jsonl.gz") == "x.4.jsonl.gz");
  CHECK(watched.text("x.4.jsonl.gz") == "3");
  // One that is gone on with keeps its name.
  watched.write("y.jsonl", "");
  watched.write("y.jsonl.journal", "");
  watched.write("done/y.jsonl", "");
  CHECK(watched.in->take("y.jsonl") == "y.jsonl");
}

TEST_CASE("watched folder: what a kill left in the middle of leaving is brought to its end") {
  Watched watched;
  watched.write("done/x.jsonl", "jobs");
  watched.write("x.jsonl.part", "outcomes");
  watched.write("x.jsonl.journal", "journal");
  watched.write("bad/y.jsonl", "jobs");
  watched.write("y.jsonl.journal", "journal");
  watched.write("z.jsonl", "jobs");
  watched.write("z.jsonl.journal", "journal");
  watched.write("gone.jsonl.journal", "journal");
  watched.open();
  CHECK(watched.text("done/x.jsonl.outcomes.jsonl") == "outcomes");
  CHECK_FALSE(watched.has("x.jsonl.journal"));
  CHECK(watched.text("bad/y.jsonl.journal") == "journal");
  CHECK(watched.has("z.jsonl.journal"));
  CHECK(watched.has("gone.jsonl.journal"));
  CHECK(watched.in->job_names(9) == std::vector<std::string>{"z.jsonl"});
}

TEST_CASE("watched folder: it has one watcher, and is there") {
  const Watched watched;
  const auto second = WatchedFolder::open(watched.folder.path("in"));
  REQUIRE_FALSE(second);
  CHECK(second.error().ends_with("another process watches this folder"));
  CHECK_FALSE(WatchedFolder::open(watched.folder.path("none")));
}

}  // namespace ringpost::serve::test
