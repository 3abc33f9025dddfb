// codec/text/json_text and codec/job/outcome_writer: whatever a server says becomes valid JSON in
// one line, which gives the text back or its documented replacement.
//
// Input: one octet each for status and stage, six for numbers; then the server's text.
#include <string>

#include <simdjson.h>

#include "codec/job/outcome_writer.h"
#include "codec/text/json_text.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;

namespace {

constexpr Bytes ellipsis = "\xe2\x80\xa6";
constexpr Bytes replacement = "\xef\xbf\xbd";

std::string ascii_of(Bytes text) {
  std::string ascii(text);
  std::erase_if(ascii, [](char c) { return (static_cast<unsigned char>(c) & 0x80u) != 0; });
  return ascii;
}

// In one line, without a control that a terminal would obey.
void check_visible(Bytes json) {
  RP_ASSERT(simdjson::validate_utf8(json));
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto octet = static_cast<unsigned char>(json[i]);
    RP_ASSERT(octet >= 0x20 && octet != 0x7f);
    RP_ASSERT(octet != 0xc2 || static_cast<unsigned char>(json[i + 1]) >= 0xa0);
  }
}

// What simdjson makes of a JSON string.
std::string value_of(const std::string& json) {
  check_visible(json);
  simdjson::dom::parser parser;
  std::string_view value;
  RP_ASSERT(parser.parse(json).get(value) == simdjson::SUCCESS);
  return std::string(value);
}

std::string whole_value(Bytes text) {
  std::string json;
  codec::append_json_string(json, text);
  const std::string value = value_of(json);
  if (simdjson::validate_utf8(text)) {
    RP_ASSERT(value == text);
  } else {
    RP_ASSERT(value.find(replacement) != std::string::npos);
    RP_ASSERT(ascii_of(value) == ascii_of(text));
    RP_ASSERT(value.size() <= text.size() * replacement.size());
  }
  return value;
}

void check_cut(Bytes text, const std::string& whole, std::size_t bytes_max) {
  std::string json;
  codec::append_json_string_cut(json, text, bytes_max);
  const std::string value = value_of(json);
  RP_ASSERT(value.size() <= bytes_max);
  if (whole.size() <= bytes_max) {
    RP_ASSERT(value == whole);
  } else if (bytes_max >= ellipsis.size()) {
    RP_ASSERT(value.ends_with(ellipsis));
    const std::size_t kept = value.size() - ellipsis.size();
    RP_ASSERT(whole.starts_with(value.substr(0, kept)));
    // No more is cut than must be: a character has four octets at most.
    RP_ASSERT(value.size() + 4 > bytes_max);
  }
}

void check_line(const Outcome& outcome, Bytes text, const std::string& whole) {
  Message job;
  job.id = "u-1";
  job.recipients.add("a@b.example");
  codec::OutcomeWriter writer;
  std::string lines;
  writer.append(lines, job, 0, outcome);
  RP_ASSERT(lines.ends_with("}\n"));
  lines.pop_back();
  check_visible(lines);
  simdjson::dom::parser parser;
  simdjson::dom::element line;
  RP_ASSERT(parser.parse(lines).get(line) == simdjson::SUCCESS);
  std::string_view value;
  RP_ASSERT(line["status"].get(value) == simdjson::SUCCESS && value == name_of(outcome.status));
  RP_ASSERT(line["stage"].get(value) == simdjson::SUCCESS && value == name_of(outcome.stage));
  RP_ASSERT(line["ts"].get(value) == simdjson::SUCCESS && value.size() == 24);
  std::uint64_t number = 0;
  RP_ASSERT((line["code"].get(number) == simdjson::SUCCESS) == (outcome.code != 0));
  RP_ASSERT(number == outcome.code);
  for (const char* const field : {"text", "queue_id", "reason"}) {
    RP_ASSERT((line[field].get(value) == simdjson::SUCCESS) == !text.empty());
    RP_ASSERT(text.empty() || value.size() <= limits::outcome_text_bytes_max);
    RP_ASSERT(whole.size() > limits::outcome_text_bytes_max || text.empty() || value == whole);
  }
  RP_ASSERT(text.empty() || (line["peer"].get(value) == simdjson::SUCCESS && value == whole));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  Outcome outcome;
  outcome.status = static_cast<Status>(input.up_to(status_count - 1));
  outcome.stage = static_cast<Stage>(input.up_to(stage_count - 1));
  outcome.code = static_cast<std::uint16_t>(input.octet() * 3u);
  outcome.enhanced = {static_cast<std::uint8_t>(input.up_to(5)), input.octet(), input.octet()};
  const unsigned bytes_max = input.octet();
  // Up to the year 2059, in steps that are no whole milliseconds.
  outcome.timestamp_us = static_cast<std::int64_t>(input.octet()) * 11'000'000'000'123;
  outcome.queue_ms = static_cast<float>(bytes_max) / 7.0F;
  const std::string text = fuzz::own_copy(input.rest());
  outcome.text = text;
  outcome.queue_id = text;
  outcome.reason = text;
  outcome.peer = text;
  const std::string whole = whole_value(text);
  check_cut(text, whole, bytes_max);
  check_cut(text, whole, limits::outcome_text_bytes_max);
  check_line(outcome, text, whole);
  return 0;
}
