#include "codec/journal/journal_record.h"

#include <cstring>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

JournalHeader some_header() {
  return {.created_us = 1'795'000'000'000'000,
          .date_us = -1,
          .newlines = NewlinePolicy::strict,
          .files = {{"a/jobs.jsonl", 12'345, 0x1234'5678'9abc'def0}, {"-", UINT64_MAX, 0}}};
}

JournalOutcome some_outcome() {
  return {4'000'000'000, 0xfedc'ba98'7654'3210, 3, 7, Status::unknown, "{\"id\":\"x\"}\n"};
}

// A record of each kind.
std::vector<std::string> one_of_each() {
  std::vector<std::string> records(8);
  CHECK(append_journal_header(records[0], some_header()));
  CHECK(append_journal_run(records[1], {2, 77, "1.2.3", true, "out.jsonl", 99}));
  const JournalIntent intents[] = {{1, 2, 0, 1}, {3, 4, 100, 10'000}};
  CHECK(append_journal_intents(records[2], intents));
  CHECK(append_journal_outcome(records[3], some_outcome()));
  append_journal_end(records[4], {5, 143});
  append_journal_synced(records[5], {0x1'0000'0000});
  append_journal_repair(records[6], {17, 23, {42}});
  const JournalIntent put_off[] = {{1, 2, 0, 1, true}};
  CHECK(append_journal_intents(records[7], put_off));
  return records;
}

JournalRecord parse(Bytes octets) {
  JournalRecord record;
  const auto parsed = parse_journal_record(octets, record);
  REQUIRE(parsed);
  return record;
}

JournalFault fault_of(Bytes octets) {
  JournalRecord record;
  const auto parsed = parse_journal_record(octets, record);
  REQUIRE_FALSE(parsed);
  return parsed.error();
}

// The checksum of the description, bit by bit.
std::uint32_t checksum_of(Bytes octets) {
  std::uint32_t crc = 0xffff'ffff;
  for (const char octet : octets) {
    crc ^= static_cast<std::uint8_t>(octet);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb8'8320U : 0U);
    }
  }
  return ~crc;
}

// The record with other octets at that place of its payload, and a checksum that fits.
std::string with(std::string record, std::size_t place, Bytes octets) {
  record.replace(journal_record_head_bytes + place, octets.size(), octets);
  const std::uint32_t checksum = checksum_of(Bytes(record).substr(8));
  for (std::size_t i = 0; i < 4; ++i) {
    record[4 + i] = static_cast<char>(static_cast<std::uint8_t>(checksum >> (8 * i)));
  }
  return record;
}

}  // namespace

TEST_CASE("journal record: what is appended is read again") {
  const auto records = one_of_each();
  CHECK(parse(records[0]).header == some_header());
  CHECK(parse(records[1]).run == JournalRun{2, 77, "1.2.3", true, "out.jsonl", 99});
  const JournalRecord intents = parse(records[2]);
  REQUIRE(intents.intents.size() == 2);
  CHECK(intents.intents[0] == JournalIntent{1, 2, 0, 1});
  CHECK(intents.intents[1] == JournalIntent{3, 4, 100, 10'000});
  CHECK(parse(records[3]).outcome == some_outcome());
  CHECK(parse(records[4]).end == JournalEnd{5, 143});
  CHECK(parse(records[5]).synced == JournalSynced{0x1'0000'0000});
  CHECK(parse(records[6]).repair == JournalRepair{17, 23, {42}});
  CHECK(parse(records[7]).intents == std::vector{JournalIntent{1, 2, 0, 1, true}});
  for (std::size_t index = 0; index < records.size(); ++index) {
    const JournalRecord record = parse(records[index] + "what follows");
    CHECK(static_cast<std::size_t>(record.kind) == index + 1);
    CHECK(record.bytes == records[index].size());
  }
}

// Files outlive programs: these octets were written down by hand from queue/JOURNAL.md, and their
// checksum comes from Python's zlib.
TEST_CASE("journal record: its octets are those of the description") {
  std::string octets;
  append_journal_end(octets, {0x0102030405060708, 143});
  CHECK(octets.size() == 18);
  CHECK(octets.substr(0, 4) == std::string("\x09\0\0\0", 4));
  CHECK(octets.substr(4, 4) == "\x0a\xde\x0e\x07");
  CHECK(octets.substr(8) == "\x05\x08\x07\x06\x05\x04\x03\x02\x01\x8f");
}

TEST_CASE("journal record: one that is cut anywhere is cut short") {
  for (const std::string& record : one_of_each()) {
    for (std::size_t length = 0; length < record.size(); ++length) {
      CHECK(fault_of(Bytes(record).substr(0, length)) == JournalFault::cut_short);
    }
  }
}

TEST_CASE("journal record: each bit that is flipped is found") {
  for (const std::string& record : one_of_each()) {
    for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
      std::string flipped = record;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      JournalRecord parsed;
      INFO("kind " << static_cast<int>(record[8]) << ", bit " << bit);
      CHECK_FALSE(parse_journal_record(flipped, parsed));
      CHECK_FALSE(parse_journal_record(flipped + std::string(4096, '\0'), parsed));
    }
  }
}

TEST_CASE("journal record: lengths and kinds that cannot be are told by the head") {
  std::string record = one_of_each()[4];
  record[3] = '\x7f';
  CHECK(journal_record_bytes(record).error() == JournalFault::too_long);
  record = one_of_each()[4];
  for (const char kind : {'\0', '\x09', '\xff'}) {
    record[8] = kind;
    CHECK(journal_record_bytes(record).error() == JournalFault::unknown_kind);
  }
}

TEST_CASE("journal record: a right checksum does not make sense of what cannot be") {
  const auto records = one_of_each();
  CHECK(with(records[3], 0, "") == records[3]);
  struct Case {
    std::size_t record;
    std::size_t place;
    std::string octets;
  };
  const Case cases[] = {
      {0, 0, std::string("\4\0\0\0", 4)},             // a later version
      {0, 0, std::string("\0\0\0\0", 4)},             // none
      {0, 20, "\2"},                                  // newlines
      {0, 21, std::string("\0", 1)},                  // the hash of older versions
      {0, 21, "\2"},                                  // a hash that nobody knows
      {0, 22, "\xff\xff\xff\xff"},                    // files
      {1, 12, "\2"},                                  // durability
      {2, 0, std::string("\0\0\0\0", 4)},             // no intents
      {2, 0, std::string("\3\0\0\0", 4)},             // more of them than there are
      {2, 24, std::string("\0\0\0\0", 4)},            // nobody
      {2, 48, std::string("\1\0\0\2", 4)},            // more than a line can name
      {3, 16, "\7"},                                  // recipient 7 of 7
      {3, 20, std::string("\1\0\0\2", 4)},            // more than a line can name
      {3, 24, "\10"},                                 // no status
      {3, 25 + some_outcome().line.size() - 1, "x"},  // no newline
  };
  for (const Case& each : cases) {
    INFO("record " << each.record << ", octet " << each.place);
    CHECK(fault_of(with(records[each.record], each.place, each.octets)) == JournalFault::content);
  }
  CHECK(parse(with(records[3], 0, "\xff\xff\xff\xff")).outcome.ordinal ==
        limits::journal_jobs_max - 1);
  std::string empty_stretch;
  append_journal_repair(empty_stretch, {17, 0, {42}});
  CHECK(fault_of(empty_stretch) == JournalFault::content);
}

TEST_CASE("journal record: each version has its bounds of sources and recipients") {
  JournalHeader header = some_header();
  const auto rules = [&header](std::uint32_t version) {
    header.version = version;
    return JournalRules::behind(header);
  };
  const JournalIntent second_source = {job_ordinal(1, 0), 0, 0, 1};
  const JournalIntent third_source = {job_ordinal(2, 0), 0, 0, 1};
  const JournalIntent many = {0, 0, 0, 10'001};
  const JournalIntent most = {0, 0, 0, limits::journal_recipients_max};
  const JournalIntent too_many = {0, 0, 0, limits::journal_recipients_max + 1};
  const auto reads = [](const JournalIntent& intent, const JournalRules& wanted) {
    std::string octets;
    JournalRecord record;
    const bool written = append_journal_intents(octets, {&intent, 1}, wanted);
    // What one does not write, none reads.
    JournalRules lenient;
    lenient.recipients_max = ~std::uint32_t{0};
    std::string forced;
    REQUIRE(append_journal_intents(forced, {&intent, 1}, lenient));
    CHECK(parse_journal_record(forced, record, wanted).has_value() == written);
    return written;
  };
  for (const std::uint32_t version : {1U, 2U}) {
    CHECK_FALSE(reads(second_source, rules(version)));
    CHECK_FALSE(reads(many, rules(version)));
  }
  CHECK(reads(second_source, rules(3)));
  CHECK_FALSE(reads(third_source, rules(3)));
  CHECK(reads(many, rules(3)));
  CHECK(reads(most, rules(3)));
  CHECK_FALSE(reads(too_many, rules(3)));
}

TEST_CASE("journal record: a repair has a word on each source, and in older versions one") {
  JournalHeader header = some_header();
  JournalRecord record;
  for (const std::uint32_t version : {1U, 2U, 3U}) {
    header.version = version;
    const std::size_t wanted = version < 3 ? 1 : header.files.size();
    for (std::size_t ordinals = 0; ordinals < 4; ++ordinals) {
      std::string octets;
      append_journal_repair(octets, {17, 23, std::vector<std::uint64_t>(ordinals, 42)});
      INFO("version " << version << ", " << ordinals << " ordinals");
      CHECK(parse_journal_record(octets, record, JournalRules::behind(header)).has_value() ==
            (ordinals == wanted));
      CHECK(parse_journal_record(octets, record).has_value() == (ordinals > 0));
    }
  }
}

TEST_CASE("journal record: one that nobody would read again is not begun") {
  std::string out = "before";
  const std::string line = std::string(limits::journal_record_bytes_max, 'x') + "\n";
  CHECK_FALSE(append_journal_outcome(out, {0, 0, 0, 1, Status::accepted, line}));
  JournalHeader header;
  header.files.push_back({std::string(limits::journal_record_bytes_max, 'x'), 0, 0});
  CHECK_FALSE(append_journal_header(out, header));
  CHECK_FALSE(append_journal_run(
      out, {1, 0, "", false, std::string(limits::journal_record_bytes_max, 'x'), 0}));
  CHECK_FALSE(append_journal_outcome(out, {0, 0, 1, 1, {}, "\n"}));
  CHECK_FALSE(append_journal_outcome(out, {0, 0, 0, limits::journal_recipients_max + 1, {}, "\n"}));
  CHECK_FALSE(append_journal_outcome(out, {0, 0, 0, 1, {}, "no newline"}));
  const JournalIntent intents[] = {{0, 0, 0, 1}, {0, 0, 0, JournalRules().recipients_max + 1}};
  CHECK_FALSE(append_journal_intents(out, intents));
  CHECK(out == "before");
}

TEST_CASE("journal record: a header of an older version is read, and written again as it was") {
  JournalHeader header = some_header();
  std::string newest;
  REQUIRE(append_journal_header(newest, header));
  for (const char version : {'\1', '\2'}) {
    header.version = static_cast<std::uint32_t>(version);
    std::string octets;
    REQUIRE(append_journal_header(octets, header));
    CHECK(octets.substr(journal_record_head_bytes, 4) == version + std::string("\0\0\0", 3));
    CHECK(octets.size() == newest.size() - 1);
    CHECK(parse(octets).header == header);
    CHECK(parse(octets).header.line_hash() == LineHashKind::legacy);
  }
}

TEST_CASE("journal record: intents and what was put off keep their order, in records apart") {
  const std::vector<JournalIntent> intents = {
      {1, 2, 0, 1, true}, {1, 2, 0, 1}, {3, 4, 0, 2}, {5, 6, 0, 1, true}};
  std::string out;
  REQUIRE(append_journal_intents(out, intents));
  std::vector<JournalIntent> read;
  std::vector<JournalRecordKind> kinds;
  JournalRecord record;
  for (Bytes rest = out; !rest.empty(); rest.remove_prefix(record.bytes)) {
    REQUIRE(parse_journal_record(rest, record));
    kinds.push_back(record.kind);
    read.insert(read.end(), record.intents.begin(), record.intents.end());
  }
  CHECK(read == intents);
  CHECK(kinds == std::vector{JournalRecordKind::put_off, JournalRecordKind::intents,
                             JournalRecordKind::put_off});
}

TEST_CASE("journal record: more intents than one record holds go into several") {
  std::vector<JournalIntent> intents;
  for (std::uint64_t ordinal = 0; ordinal < 200'000; ++ordinal) {
    intents.push_back({ordinal, ordinal * 3, 0, 1});
  }
  std::string out;
  CHECK(append_journal_intents(out, intents));
  std::vector<JournalIntent> read;
  Bytes rest = out;
  JournalRecord record;
  std::size_t records = 0;
  while (!rest.empty()) {
    REQUIRE(parse_journal_record(rest, record));
    CHECK(record.bytes <= limits::journal_record_bytes_max);
    read.insert(read.end(), record.intents.begin(), record.intents.end());
    rest.remove_prefix(record.bytes);
    ++records;
  }
  CHECK(records == 2);
  CHECK(read == intents);
  CHECK(append_journal_intents(out, {}));
  CHECK(out.size() == 200'000 * 24 + 2 * 13);
}

}  // namespace ringpost::codec
