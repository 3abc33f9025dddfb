#include "tools/process/log.h"

#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

namespace {
constexpr std::int64_t time_us = 1'795'300'000'123'456;
}  // namespace

TEST_CASE("log: a text line has time, level, message and fields") {
  const std::string line = log_line({}, LogLevel::warn, time_us, "connection refused",
                                    {{"endpoint", "ses"}, {"reason", "no route"}, {"empty", ""}});
  CHECK(line ==
        "2026-11-21T22:26:40.123Z warn  connection refused endpoint=ses reason=\"no route\" "
        "empty=\"\"\n");
}

TEST_CASE("log: a JSON line has the same as members") {
  const std::string line = log_line({.format = LogFormat::json}, LogLevel::error, time_us,
                                    "it said \"no\"", {{"endpoint", "ses"}});
  CHECK(line ==
        "{\"ts\":\"2026-11-21T22:26:40.123Z\",\"level\":\"error\",\"msg\":\"it said \\\"no\\\"\","
        "\"endpoint\":\"ses\"}\n");
}

TEST_CASE("log: words of a stranger cannot steer a terminal, forge a line or grow without bound") {
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string line = log_line(
        {.format = format}, LogLevel::info, time_us,
        "\x1b[2J\r\n2026 error forged\xff" + std::string(100'000, 'x'), {{"text", "a\nb\x9b"}});
    CHECK(line.find('\x1b') == std::string::npos);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.find('\r') == std::string::npos);
    CHECK(line.size() < 10'000);
  }
}

TEST_CASE("log: quotes and backslashes of a message stay as they are") {
  const std::string line = log_line({}, LogLevel::info, time_us, "say \"a\\b\"");
  CHECK(line.ends_with("info  say \"a\\b\"\n"));
}

TEST_CASE("log: only what is grave enough is written") {
  Log log({.level = LogLevel::warn});
  std::vector<std::string> lines;
  log.redirect([&](std::string_view line) { lines.emplace_back(line); });
  log.debug("debug");
  log.info("info");
  log.warn("warn");
  log.error("error");
  CHECK(lines.size() == 2);
  CHECK(log.enabled(LogLevel::error));
  CHECK_FALSE(log.enabled(LogLevel::info));
}

TEST_CASE("log: lines of several threads stay whole") {
  Log log;
  std::vector<std::string> lines;
  log.redirect([&](std::string_view line) { lines.emplace_back(line); });
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([&log] {
      for (int line = 0; line < 200; ++line) {
        log.error("message", {{"field", "value"}});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(lines.size() == 800);
  for (const std::string& line : lines) {
    CHECK(line.ends_with("error message field=value\n"));
  }
}
