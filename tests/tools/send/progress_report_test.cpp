// What is drawn, and what is printed, of a run that is under way.
#include "tools/send/progress_report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tools/send/run_meter.h"

namespace ringpost::cli {

namespace {

using namespace std::chrono_literals;

Outcome progressed(Status status, std::uint32_t endpoint = 0) {
  Outcome outcome;
  outcome.status = status;
  outcome.endpoint = endpoint;
  return outcome;
}

RunFacts facts_under_way(const run::RunTally& tally) {
  RunFacts facts;
  facts.tally = &tally;
  facts.seconds = 3 * 3600 + 62;
  facts.jobs_read = 40;
  facts.endpoints = {{"relay", "DATA groups", {}, {}}, {"ses", "BDAT flights", {}, {}}};
  facts.endpoints[0].held_back_by = {{"rate", 0.75}, {"input", 0.25}};
  facts.counts.sessions = 12;
  facts.counts.waiting = 3;
  facts.counts.next_attempt_in = 11'200ms;
  facts.counts.reply_times = {.count = 9, .p50 = 1'250us, .p99 = 240ms, .max = 12s};
  facts.progress = {.messages_done = 1'234'567,
                    .messages_total = 5'000'000,
                    .total_is_estimate = false,
                    .rate = 14,
                    .seconds_left = 7504.0};
  return facts;
}

std::string joined_block(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("progress: a block has every figure once, in lines that fit") {
  run::RunTally tally;
  tally.count(progressed(Status::accepted));
  tally.count(progressed(Status::accepted, 1));
  tally.count(progressed(Status::rejected, 1));
  CHECK(joined_block(progress_block(facts_under_way(tally), {80, 24}, false)) ==
        "[#################......................................................]  24 %\n"
        "1,234,567 of 5,000,000 done  2:05:04 left\n"
        "14.0/s now  0.0/s mean  3:01:02 so far\n"
        "accepted 2  rejected 1  deferred 0  unknown 0  waiting 3, next in 0:12\n"
        "sessions 12  reply p50 1.2 ms, p99 240 ms\n"
        "relay  accepted 1  sessions 0  DATA groups\n"
        "ses  accepted 1  rejected 1  sessions 0  BDAT flights\n"
        "held back by rate 75 %\n");
  CHECK(joined_block(progress_block(facts_under_way(tally), {40, 24}, false)) ==
        "[#######........................]  24 %\n"
        "1,234,567 of 5,000,000 done\n"
        "2:05:04 left\n"
        "14.0/s now  0.0/s mean  3:01:02 so far\n"
        "accepted 2  rejected 1  deferred 0\n"
        "unknown 0  waiting 3, next in 0:12\n"
        "sessions 12\n"
        "reply p50 1.2 ms, p99 240 ms\n"
        "relay  accepted 1  sessions 0\n"
        "ses  accepted 1  rejected 1  sessions 0\n"
        "held back by rate 75 %\n");
}

TEST_CASE("progress: no line is as wide as the terminal, and no block as high") {
  run::RunTally tally;
  RunFacts facts = facts_under_way(tally);
  facts.endpoints[1].endpoint =
      "mx.\xc3\xa9\xc3\xa9\xc3\xa9.a-very-long-name.of-an-endpoint.example";
  facts.endpoints[1].away_for = 3min;
  facts.endpoints[1].trouble =
      "mx.example:587: no connection: \x1b[2J refused " + std::string(300, 'x');
  facts.endpoints.resize(40, facts.endpoints[1]);
  for (std::size_t columns = 20; columns <= 200; ++columns) {
    for (const std::size_t rows : {2u, 5u, 12u, 24u, 60u}) {
      CAPTURE(columns, rows);
      const std::vector<std::string> lines = progress_block(facts, {columns, rows}, false);
      REQUIRE(lines.size() < rows);
      for (const std::string& line : lines) {
        CAPTURE(line);
        const auto continued = std::count_if(line.begin(), line.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
        });
        REQUIRE(line.size() - static_cast<std::size_t>(continued) < columns);
        REQUIRE(line.find('\x1b') == std::string::npos);
      }
    }
  }
  const std::string text = joined_block(progress_block(facts, {80, 24}, false));
  CHECK(text.find("endpoints more\n") != std::string::npos);
  CHECK(text.find("held back by rate") != std::string::npos);
}

TEST_CASE("progress: without a total there is no bar, and an estimate is called one") {
  run::RunTally tally;
  RunFacts facts = facts_under_way(tally);
  facts.progress.total_is_estimate = true;
  CHECK(progress_block(facts, {80, 24}, false)[1].starts_with("1,234,567 of about 5,000,000 done"));
  facts.progress.messages_total.reset();
  facts.progress.seconds_left.reset();
  CHECK(progress_block(facts, {80, 24}, false)[0] == "1,234,567 done, total unknown");
  CHECK(progress_text(facts).starts_with("1,234,567 done, total unknown  14.0/s now"));
}

TEST_CASE("progress: a line has what a block has, and names the endpoints that are waited for") {
  run::RunTally tally;
  RunFacts facts = facts_under_way(tally);
  CHECK(progress_text(facts).find("waiting for") == std::string::npos);
  facts.endpoints[0].away_for = 12'300ms;
  facts.endpoints[0].trouble = "relay:25: no connection: \"refused\"";
  CHECK(progress_text(facts) ==
        "1,234,567 of 5,000,000 done  2:05:04 left  14.0/s now  0.0/s mean  3:01:02 so far  "
        "accepted 0  rejected 0  deferred 0  unknown 0  waiting 3, next in 0:12  sessions 12  "
        "reply p50 1.2 ms, p99 240 ms  waiting for relay since 12 s  held back by rate 75 %");
  const std::string json = progress_json(facts);
  CHECK(json.starts_with("{\"progress\":{\"recipients\":{\"accepted\":0,"));
  CHECK(json.find("\"endpoints_away\":[{\"endpoint\":\"relay\",\"seconds\":12.3,\"error\":"
                  "\"relay:25: no connection: \\\"refused\\\"\"}]") != std::string::npos);
  CHECK(json.ends_with("}]}}\n"));
}

TEST_CASE("run meter: a total is counted, or known at the end, or estimated from octets") {
  run::RunTally tally;
  RunFacts facts;
  facts.tally = &tally;
  RunMeter meter;
  facts.seconds = 1;
  facts.jobs_read = 100;
  meter.look(facts, 50, {});
  CHECK_FALSE(facts.progress.messages_total);
  CHECK_FALSE(facts.progress.seconds_left);
  facts.bytes_read = 1000;
  facts.bytes_total = 10'000;
  meter.look(facts, 50, {});
  CHECK(facts.progress.messages_total == 1000);
  CHECK(facts.progress.total_is_estimate);
  meter.look(facts, 50, 900);
  CHECK(facts.progress.messages_total == 900);
  CHECK_FALSE(facts.progress.total_is_estimate);
  // Lines with many recipients are many messages.
  meter.look(facts, 50, 20);
  CHECK(facts.progress.messages_total == 1000);
  CHECK(facts.progress.total_is_estimate);
  facts.all_read = true;
  meter.look(facts, 50, {});
  CHECK(facts.progress.messages_total == 100);
  CHECK_FALSE(facts.progress.total_is_estimate);
}

TEST_CASE("run meter: speed and time left are those of the last seconds") {
  run::RunTally tally;
  RunFacts facts;
  facts.tally = &tally;
  facts.all_read = true;
  facts.jobs_read = 1000;
  RunMeter meter;
  std::uint64_t done = 0;
  for (int half_second = 1; half_second <= 100; ++half_second) {
    facts.seconds = half_second * 0.5;
    const int now = half_second <= 50 ? 10 : 1;  // in half a second
    for (int i = 0; i < now; ++i) {
      tally.count(progressed(Status::accepted));
      ++done;
    }
    meter.look(facts, done, {});
  }
  CHECK(done == 550);
  CHECK(std::abs(facts.progress.rate - 2) < 0.01);
  CHECK(std::abs(*facts.progress.seconds_left - 225) < 1);
}

}  // namespace ringpost::cli
