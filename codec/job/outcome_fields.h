// The fields of an outcome line (docs/CONTRACT.md section 3): how each begins, what stands there,
// and whether it always does. The writer takes the beginnings, and the schema that `ringpost
// validate --schema outcomes` prints is written from the rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::codec {

// In the order in which a line has them, and of their rows.
enum class OutcomeField : std::uint8_t {
  id,
  rcpt_id,
  rcpt,
  status,
  code,
  enhanced,
  text,
  stage,
  queue_id,
  attempts,
  endpoint,
  peer,
  ts,
  ms,
  bytes,
  tags,
  metadata,
  reason,
  final,
};

enum class OutcomeValue : std::uint8_t {
  text,
  words,      // text that is cut at limits::outcome_text_bytes_max
  recipient,  // an address, or null where none could be named
  status,
  stage,
  code,      // of a reply (RFC 5321 4.2)
  enhanced,  // RFC 3463
  count,
  moment,  // RFC 3339, UTC, milliseconds
  durations,
  tags,
  json,
  not_final,  // false; a line without it is final
};

struct OutcomeRow {
  OutcomeField field;
  // The name, and what stands around it up to the value: a line is made of twenty of them, and each
  // is appended in one piece.
  std::string_view head;
  OutcomeValue value;
  bool is_always_there;
  std::string_view help;  // one line for people

  [[nodiscard]] constexpr std::string_view name() const {
    return head.substr(2, head.find('"', 2) - 2);
  }
};

inline constexpr std::array outcome_rows = std::to_array<OutcomeRow>({
    {OutcomeField::id, R"({"id":)", OutcomeValue::text, true,
     "The job's id, or the hash of its line"},
    {OutcomeField::rcpt_id, R"(,"rcpt_id":)", OutcomeValue::text, false,
     "The id of this recipient, where the job gives him one"},
    {OutcomeField::rcpt, R"(,"rcpt":)", OutcomeValue::recipient, true,
     "The recipient's address; null where the job has none that could be named"},
    {OutcomeField::status, R"(,"status":")", OutcomeValue::status, true, "What became of him"},
    {OutcomeField::code, R"(,"code":)", OutcomeValue::code, false, "The server's own number"},
    {OutcomeField::enhanced, R"(,"enhanced":")", OutcomeValue::enhanced, false,
     "The server's enhanced status code"},
    {OutcomeField::text, R"(,"text":)", OutcomeValue::words, false, "The server's own words"},
    {OutcomeField::stage, R"(,"stage":")", OutcomeValue::stage, true,
     "How far the message had come when it was decided"},
    {OutcomeField::queue_id, R"(,"queue_id":)", OutcomeValue::words, false,
     "What the server called the message, where it said"},
    {OutcomeField::attempts, R"(,"attempts":)", OutcomeValue::count, true,
     "How often it was tried"},
    {OutcomeField::endpoint, R"(,"endpoint":)", OutcomeValue::text, false,
     "The endpoint, by its name in the configuration"},
    {OutcomeField::peer, R"(,"peer":)", OutcomeValue::text, false,
     "Address and port of the server, where one was reached"},
    {OutcomeField::ts, R"(,"ts":")", OutcomeValue::moment, true, "When it was decided, in UTC"},
    {OutcomeField::ms, R"(,"ms":{"queue":)", OutcomeValue::durations, false,
     "Milliseconds of waiting for a session, of the transaction, and of both"},
    {OutcomeField::bytes, R"(,"bytes":)", OutcomeValue::count, false, "Octets of the message"},
    {OutcomeField::tags, R"(,"tags":)", OutcomeValue::tags, false, "The job's own"},
    {OutcomeField::metadata, R"(,"metadata":)", OutcomeValue::json, false, "The job's own"},
    {OutcomeField::reason, R"(,"reason":)", OutcomeValue::words, false,
     "Our words, where no reply says it all"},
    {OutcomeField::final, R"(,"final":false)", OutcomeValue::not_final, false,
     "False for a try that another one follows"},
});

// Compiled in where it is asked for: a literal.
[[nodiscard]] consteval Bytes head_of(OutcomeField field) {
  const OutcomeRow& row = outcome_rows[static_cast<std::size_t>(field)];
  RP_ASSERT(row.field == field);
  return row.head;
}

}  // namespace ringpost::codec
