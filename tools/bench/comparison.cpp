// The problem: a figure alone does not say whether something became slower, and two of them differ
// by chance. The idea: what is worse than the base by more than a tolerance counts, and a tenth of
// a millisecond never does: that is what a busy machine adds. Limits: nobody looks whether both ran
// on the same machine; the JSON has its facts.
#include "tools/bench/comparison.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "codec/dialect/json_tree.h"
#include "codec/job/job_reader.h"

namespace ringpost::cli {

namespace {

constexpr double noise_us = 100;
constexpr std::size_t base_bytes_max = 16u << 20;

using codec::JsonTree;

double number_at(const JsonTree& tree, JsonTree::Node object, Bytes key) {
  const JsonTree::Node node = object == JsonTree::none ? object : tree.find(object, key);
  double number = 0;
  if (node != JsonTree::none && tree.kind(node) == JsonTree::Kind::number) {
    const Bytes text = tree.text(node);
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

JsonTree::Node object_at(const JsonTree& tree, JsonTree::Node object, Bytes key,
                         JsonTree::Kind kind = JsonTree::Kind::object) {
  const JsonTree::Node node = object == JsonTree::none ? object : tree.find(object, key);
  return node != JsonTree::none && tree.kind(node) == kind ? node : JsonTree::none;
}

BaseRun base_run(const JsonTree& tree, JsonTree::Node run) {
  BaseRun base;
  if (const auto varied = object_at(tree, run, "varied", JsonTree::Kind::string);
      varied != JsonTree::none) {
    base.varied = tree.text(varied);
  }
  base.messages_per_second = number_at(tree, run, "messages_per_second");
  base.accepted_share = number_at(tree, run, "accepted_share");
  const auto latency = object_at(tree, object_at(tree, run, "times_ms"), "latency");
  if (latency != JsonTree::none) {
    constexpr double us_per_ms = 1000;
    base.p50 = number_at(tree, latency, "p50") * us_per_ms;
    base.p99 = number_at(tree, latency, "p99") * us_per_ms;
    base.p999 = number_at(tree, latency, "p99.9") * us_per_ms;
  }
  return base;
}

std::optional<double> latency_at(const BenchFinding& finding, std::string_view name) {
  const TimeSummary& latency = finding.of(Series::latency);
  for (std::size_t i = 0; latency.count > 0 && i < percentiles.size(); ++i) {
    if (percentiles[i].name == name) {
      return static_cast<double>(latency.at[i]);
    }
  }
  return std::nullopt;
}

}  // namespace

bool Comparison::is_worse() const {
  return std::any_of(figures.begin(), figures.end(),
                     [](const ComparedFigure& figure) { return figure.is_worse; });
}

Result<std::vector<BaseRun>, std::string> read_base(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty() || text.size() > base_bytes_max) {
    return Failure(fmt::format("{} cannot be read, or is empty", path));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  const std::size_t bytes = text.size();
  text.append(codec::JobReader::padding_bytes, ' ');
  JsonTree tree;
  const auto root = tree.read(Bytes(text).substr(0, bytes));
  const auto bench = root && tree.kind(*root) == JsonTree::Kind::object
                         ? object_at(tree, *root, "bench")
                         : JsonTree::none;
  const auto runs = object_at(tree, bench, "runs", JsonTree::Kind::list);
  if (runs == JsonTree::none) {
    return Failure(fmt::format("{} is not what `ringpost bench --json` writes", path));
  }
  std::vector<BaseRun> base;
  for (auto run = tree.first(runs); run != JsonTree::none; run = tree.next(run)) {
    base.push_back(base_run(tree, run));
  }
  return base;
}

Comparison compare(const BenchFinding& finding, const std::vector<BaseRun>& base,
                   double tolerance) {
  Comparison comparison;
  comparison.varied = finding.varied;
  const auto found = std::find_if(base.begin(), base.end(), [&finding](const BaseRun& run) {
    return run.varied == finding.varied;
  });
  if (found == base.end()) {
    return comparison;
  }
  comparison.has_base = true;
  const auto add_time = [&](const char* name, const std::optional<double>& before) {
    const auto now = latency_at(finding, name);
    if (before && now) {
      const bool is_worse = *now > *before * (1 + tolerance) && *now > *before + noise_us;
      comparison.figures.push_back({name, *before, *now, is_worse});
    }
  };
  add_time("p50", found->p50);
  add_time("p99", found->p99);
  add_time("p99.9", found->p999);
  const double rate = finding.messages_per_second();
  comparison.figures.push_back({"messages/s", found->messages_per_second, rate,
                                rate < found->messages_per_second * (1 - tolerance)});
  const double share = finding.accepted_share();
  comparison.figures.push_back(
      {"accepted", found->accepted_share, share, share < found->accepted_share * (1 - tolerance)});
  return comparison;
}

}  // namespace ringpost::cli
