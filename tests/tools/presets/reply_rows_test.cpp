// Every refusal that is known of a provider goes through that provider's preset and comes out with
// the scope and the action that are right for it. tests/support/reply_rows.json has the refusals,
// a row each, gathered before the presets were written; a row without a stage holds at each of
// them, one without a code for a 4xx and a 5xx.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <simdjson.h>

#include "engine/protocol/reply_rules.h"
#include "tools/presets/preset_list.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t rows_count = 120;
constexpr std::size_t cases_count = 453;

struct ReplyRow {
  std::string preset;
  std::vector<std::uint16_t> codes;
  EnhancedStatus enhanced;
  std::string text;
  std::vector<Stage> stages;
  std::string scope;
  std::string action;
};

std::vector<Stage> stages_of_row(std::string_view name) {
  const std::map<std::string_view, Stage> stages = {
      {"greeting", Stage::greeting}, {"ehlo", Stage::ehlo}, {"starttls", Stage::starttls},
      {"auth", Stage::auth},         {"mail", Stage::mail}, {"rcpt", Stage::rcpt},
      {"data", Stage::data},         {"eod", Stage::eod}};
  if (!name.empty()) {
    return {stages.at(name)};
  }
  std::vector<Stage> all;
  for (const auto& [each, stage] : stages) {
    all.push_back(stage);
  }
  return all;
}

std::string text_of_row(const simdjson::dom::object& row, std::string_view key) {
  std::string_view text;
  return row[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<ReplyRow> read_reply_rows() {
  simdjson::dom::parser parser;
  std::vector<ReplyRow> rows;
  for (const simdjson::dom::object row : parser.load(RINGPOST_REPLY_ROWS).get_array()) {
    ReplyRow read;
    read.preset = text_of_row(row, "preset");
    std::uint64_t code = 0;
    read.codes = row["code"].get(code) == simdjson::SUCCESS
                     ? std::vector<std::uint16_t>{static_cast<std::uint16_t>(code)}
                     : std::vector<std::uint16_t>{450, 550};
    const std::string enhanced = text_of_row(row, "enhanced");
    Bytes status = enhanced;
    read.enhanced = codec::take_enhanced_status(status);
    REQUIRE(read.enhanced.present() == !enhanced.empty());
    read.text = text_of_row(row, "text");
    read.stages = stages_of_row(text_of_row(row, "stage"));
    read.scope = text_of_row(row, "scope");
    read.action = text_of_row(row, "action");
    rows.push_back(std::move(read));
  }
  return rows;
}

const protocol::ReplyRules& rules_of(const std::string& name) {
  static std::map<std::string, protocol::ReplyRules> known;
  if (!known.contains(name)) {
    auto preset = load_preset(name);
    REQUIRE(preset);
    known.emplace(name, protocol::ReplyRules({}, std::move(preset->replies)));
  }
  return known.at(name);
}

// As a server may say it: in the middle of more words, in capitals, over two lines.
std::vector<std::string> ways_to_say(const std::string& text) {
  std::string capitals = text;
  std::transform(capitals.begin(), capitals.end(), capitals.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  std::string lines = text;
  if (const std::size_t space = lines.find(' '); space != std::string::npos) {
    lines[space] = '\n';
  }
  return {text, "Sorry. " + text + " x12-gsmtp", capitals, lines};
}

}  // namespace

TEST_CASE("presets: each known refusal has the scope and the action that are right for it") {
  const std::vector<ReplyRow> rows = read_reply_rows();
  CHECK(rows.size() == rows_count);
  std::size_t cases = 0;
  for (const ReplyRow& row : rows) {
    for (const std::uint16_t code : row.codes) {
      for (const Stage stage : row.stages) {
        ++cases;
        for (const std::string& text : ways_to_say(row.text)) {
          INFO(row.preset << ": " << code << " " << text << " at " << static_cast<unsigned>(stage));
          const protocol::Ruling ruling =
              rules_of(row.preset).rule(stage, {code, row.enhanced, text, 1});
          REQUIRE(ruling.rule != nullptr);
          CHECK(name_of(ruling.scope) == row.scope);
          CHECK(name_of(ruling.action) == row.action);
        }
      }
    }
  }
  CHECK(cases == cases_count);
}

// The row has 4.7.5 for what its source calls 4.7.500 to 4.7.699.
TEST_CASE("presets: Microsoft's range of statuses for a machine that is put off is known") {
  const protocol::ReplyRules& rules = rules_of("m365");
  const Bytes text = "Access denied, please try again later";
  constexpr std::uint16_t details[] = {500, 599, 600, 699};
  for (const std::uint16_t detail : details) {
    CHECK(rules.rule(Stage::mail, {451, {4, 7, detail}, text, 1}).action ==
          protocol::RuleAction::slow_down);
  }
  CHECK(rules.rule(Stage::mail, {451, {4, 7, 700}, text, 1}).rule == nullptr);
}

}  // namespace ringpost::cli
