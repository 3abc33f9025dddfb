// The problem: what the engine knows of limits are times, and what people want to know is which
// screw to turn. The idea: shares of the time that was not spent computing, and with the largest
// one the setting that moves it. Limits: a share says what held the run back, and not by how much
// faster it would be without.
#include "tools/send/limits_report.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// Runs that are over in a moment are held back by nothing.
constexpr double seconds_min = 1;

// Which setting changes it; empty: none does.
std::string_view advice_on(std::string_view factor) {
  constexpr std::pair<std::string_view, std::string_view> all[] = {
      {"cpu", "--cores"},
      {"rate", "rate, where the account allows more"},
      {"connections", "connections, where the provider allows more"},
      {"round trips", "connections, or pipelining"},
      {"server", "connections, if its answers do not become slower by that"},
      {"input", "--readers, or a faster source of jobs"},
      {"disk", "--outcome-threads, or a faster place for outcomes and journal"},
      {"pause", "rate, below what the server refuses"},
      {"retries", "--max-attempts"},
      {"away", "--patience, or another endpoint"}};
  const auto* const found = std::find_if(std::begin(all), std::end(all),
                                         [&](const auto& one) { return one.first == factor; });
  return found == std::end(all) ? "" : found->second;
}

// What a core computed, it did not wait for.
std::vector<FactorShare> shares_of(const EndpointReport& endpoint, const RunFacts& facts) {
  const double cpu = facts.statistics.worker_cpu_share;
  std::vector<FactorShare> shares = endpoint.held_back_by;
  for (FactorShare& one : shares) {
    one.share *= 1 - cpu;
  }
  if (!shares.empty()) {
    shares.push_back({"cpu", cpu});
    std::stable_sort(shares.begin(), shares.end(),
                     [](const auto& a, const auto& b) { return a.share > b.share; });
  }
  return shares;
}

// "rate 97 %, cpu 2 %"
std::string shares_text(std::span<const FactorShare> shares) {
  constexpr double worth_telling = 0.02;
  std::string text;
  for (const FactorShare& one : shares) {
    if (one.share >= worth_telling) {
      fmt::format_to(std::back_inserter(text), "{}{} {:.0f} %", text.empty() ? "" : ", ",
                     one.factor, 100 * one.share);
    }
  }
  return text;
}

}  // namespace

void append_limits(std::string& text, const RunFacts& facts) {
  for (const EndpointReport& endpoint : facts.endpoints) {
    const std::vector<FactorShare> shares = shares_of(endpoint, facts);
    if (shares.empty() || facts.seconds < seconds_min) {
      continue;
    }
    const std::string name = facts.endpoints.size() > 1
                                 ? printable(endpoint.endpoint) + " was held back by "
                                 : "held back by ";
    const std::string_view advice = advice_on(shares.front().factor);
    fmt::format_to(std::back_inserter(text), "{}{}{}{}\n", name, shares_text(shares),
                   advice.empty() ? "" : "; what would change that: ", advice);
  }
}

void append_json_limits(std::string& json, const EndpointReport& endpoint, const RunFacts& facts) {
  json += ",\"held_back_by\":{";
  for (const FactorShare& one : shares_of(endpoint, facts)) {
    fmt::format_to(std::back_inserter(json), "{}\"{}\":{:.3f}", json.back() == '{' ? "" : ",",
                   one.factor, one.share);
  }
  json += "}";
}

std::string foremost_limit(const RunFacts& facts) {
  const auto first =
      std::find_if(facts.endpoints.begin(), facts.endpoints.end(),
                   [](const EndpointReport& endpoint) { return !endpoint.held_back_by.empty(); });
  if (first == facts.endpoints.end() || facts.seconds < seconds_min) {
    return {};
  }
  const FactorShare most = shares_of(*first, facts).front();
  return fmt::format("held back by {} {:.0f} %", most.factor, 100 * most.share);
}

}  // namespace ringpost::cli
