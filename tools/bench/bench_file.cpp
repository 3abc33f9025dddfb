// The problem: a base, and whatever a report reads, may be of another version, edited or cut off.
// The idea: what is missing is nothing, and what is another kind of value is missing; only what is
// no benchmark at all is an error. Limits: 16 MB, which is tens of thousands of runs.
#include "tools/bench/bench_file.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "codec/dialect/json_tree.h"
#include "codec/job/job_reader.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t file_bytes_max = 16u << 20;
constexpr std::string_view file_begin = R"({"bench":)";
constexpr double us_per_written_ms = 1000;

// A value of the tree, or none.
class Value {
 public:
  using Kind = codec::JsonTree::Kind;

  Value(const codec::JsonTree& tree, codec::JsonTree::Node node) : tree_(tree), node_(node) {}

  [[nodiscard]] bool is(Kind kind) const {
    return node_ != codec::JsonTree::none && tree_.kind(node_) == kind;
  }
  [[nodiscard]] Value at(Bytes key) const {
    return {tree_, is(Kind::object) ? tree_.find(node_, key) : codec::JsonTree::none};
  }
  [[nodiscard]] std::string text() const {
    return is(Kind::string) ? std::string(tree_.text(node_)) : std::string();
  }
  [[nodiscard]] double number() const {
    double number = 0;
    if (is(Kind::number)) {
      const Bytes digits = tree_.text(node_);
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    return std::isfinite(number) && number > 0 ? number : 0;
  }
  [[nodiscard]] std::uint64_t count() const {
    constexpr double most = 1e18;
    return static_cast<std::uint64_t>(std::llround(std::min(number(), most)));
  }
  [[nodiscard]] std::vector<Value> elements() const {
    std::vector<Value> all;
    for (auto each = is(Kind::list) ? tree_.first(node_) : codec::JsonTree::none;
         each != codec::JsonTree::none; each = tree_.next(each)) {
      all.emplace_back(tree_, each);
    }
    return all;
  }

 private:
  const codec::JsonTree& tree_;
  codec::JsonTree::Node node_;
};

TimeSummary times_of(const Value& value) {
  const auto us = [&value](Bytes key) {
    return std::llround(std::min(value.at(key).number() * us_per_written_ms, 1e15));
  };
  TimeSummary times;
  times.count = value.at("count").count();
  times.min = us("min");
  times.mean = value.at("mean").number() * us_per_written_ms;
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    times.at[i] = us(percentiles[i].name);
  }
  times.max = us("max");
  return times;
}

BenchFinding finding_of(const Value& run) {
  BenchFinding finding;
  finding.varied = run.at("varied").text();
  finding.is_open_loop = run.at("loop").text() == "open";
  finding.rate_wanted = run.at("rate_wanted").number();
  finding.connections = static_cast<std::uint32_t>(run.at("connections").count());
  finding.seconds = run.at("seconds").number();
  finding.messages = run.at("messages").count();
  finding.messages_answered = static_cast<std::uint64_t>(
      std::llround(run.at("messages_per_second").number() * finding.seconds));
  finding.bytes = run.at("content_bytes").count();
  const Value recipients = run.at("recipients");
  for (std::size_t i = 0; i < status_count; ++i) {
    finding.recipients[i] = recipients.at(name_of(static_cast<Status>(i))).count();
  }
  finding.not_begun = recipients.at("not_begun").count();
  finding.cpu_us_per_message = run.at("cpu_us_per_message").number();
  finding.way = run.at("way").text();
  const Value times = run.at("times_ms");
  for (std::size_t i = 0; i < series_names.size(); ++i) {
    finding.times[i] = times_of(times.at(series_names[i]));
  }
  return finding;
}

}  // namespace

bool is_bench_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return false;
  }
  std::ifstream file(path, std::ios::binary);
  std::string begin(file_begin.size(), '\0');
  return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == file_begin;
}

Result<BenchFile, std::string> read_bench_file(const std::string& path) {
  BenchFile read;
  read.path = path;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty() || text.size() > file_bytes_max) {
    return Failure(fmt::format("{} cannot be read, is empty, or has more than 16 MB", path));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  read.json = text;
  text.append(codec::JobReader::padding_bytes, ' ');
  codec::JsonTree tree;
  const auto root = tree.read(Bytes(text).substr(0, read.json.size()));
  const Value bench = Value(tree, root ? *root : codec::JsonTree::none).at("bench");
  if (!bench.at("runs").is(Value::Kind::list)) {
    return Failure(
        fmt::format("{} is not what `ringpost bench --json` writes, or a part of it", path));
  }
  read.version = bench.at("version").text();
  read.endpoint = bench.at("endpoint").text();
  read.varied = bench.at("vary").text();
  const Value machine = bench.at("machine");
  read.machine = {.cpu = machine.at("cpu").text(),
                  .cores = static_cast<std::uint32_t>(machine.at("cores").count()),
                  .memory_bytes = machine.at("memory_bytes").count(),
                  .kernel = machine.at("kernel").text()};
  for (const Value& run : bench.at("runs").elements()) {
    read.runs.push_back(finding_of(run));
  }
  return read;
}

}  // namespace ringpost::cli
