// What was found out about a provider, in the state file of its account: how long it holds, and
// that later runs begin with it.
#include "engine/quota_keeper.h"

#include <filesystem>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t day_ns = 24 * 3'600'000'000'000;

EngineOptions options_in(const std::string& folder) {
  EngineOptions options;
  options.state_folder = folder;
  EndpointOptions& endpoint = options.endpoints.emplace_back();
  endpoint.name = "esp";
  endpoint.host = "mx.example";
  endpoint.username = "user";
  endpoint.unknown_rate = QuotaUnit::messages;
  return options;
}

// What a run knows that begins when something was found out so long ago.
queue::LearntLimits known_behind(std::int64_t age_ns) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path(queue::quota_file_name("mx.example", "user"));
  const queue::QuotaClocks clocks = queue::read_quota_clocks();
  {
    auto opened = queue::QuotaFile::open(path, clocks);
    REQUIRE(opened);
    opened->file->set_learnt({.rate_amount = 14,
                              .rate_length_ns = 1'000'000'000,
                              .sessions_max = 3,
                              .learnt_at_unix_ns = clocks.unix_ns - age_ns});
  }
  const auto keeper = QuotaKeeper::open(options_in(std::filesystem::path(path).parent_path()));
  REQUIRE(keeper);
  return (*keeper)->memories().front()->learnt();
}

}  // namespace

TEST_CASE("quota keeper: what was found out holds for a week") {
  for (const std::int64_t age_ns : {std::int64_t{0}, day_ns, 7 * day_ns - day_ns / 24}) {
    CAPTURE(age_ns);
    const queue::LearntLimits known = known_behind(age_ns);
    CHECK(known.rate_amount == 14);
    CHECK(known.sessions_max == 3);
  }
  // Nor what comes from the future: the clock was wrong.
  for (const std::int64_t age_ns : {7 * day_ns + day_ns / 24, 400 * day_ns, -day_ns}) {
    CAPTURE(age_ns);
    const queue::LearntLimits known = known_behind(age_ns);
    CHECK(known.rate_amount == 0);
    CHECK(known.sessions_max == 0);
  }
}

}  // namespace ringpost::engine
