// The problem: every recipient costs a line of some twenty fields, a few of them in a stranger's
// words. The idea: octets are appended straight to the caller's string, field by field in a fixed
// order, each name in one piece with its punctuation; what a server said is escaped and cut.
// Limits: tags and metadata are trusted to be JSON; addresses and ids are written whole.
#include "codec/job/outcome_writer.h"

#include "codec/job/outcome_fields.h"
#include "codec/text/json_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

// Each of these appends `head` and a value. The first field of a line is id, which is always there.

void append_text(std::string& lines, Bytes head, Bytes value) {
  if (!value.empty()) {
    lines += head;
    append_json_string(lines, value);
  }
}

void append_stranger_text(std::string& lines, Bytes head, Bytes value) {
  if (!value.empty()) {
    lines += head;
    append_json_string_cut(lines, value, limits::outcome_text_bytes_max);
  }
}

void append_number(std::string& lines, Bytes head, std::uint64_t value) {
  lines += head;
  append_json_number(lines, value);
}

void append_raw_json(std::string& lines, Bytes head, Bytes json) {
  if (!json.empty()) {
    lines += head;
    lines += json;
  }
}

void append_enhanced(std::string& lines, const EnhancedStatus& enhanced) {
  if (enhanced.present()) {
    append_number(lines, head_of(OutcomeField::enhanced), enhanced.status_class);
    append_number(lines, ".", enhanced.subject);
    append_number(lines, ".", enhanced.detail);
    lines += '"';
  }
}

void append_durations(std::string& lines, const Outcome& outcome) {
  if (outcome.queue_ms == 0 && outcome.submit_ms == 0 && outcome.total_ms == 0) {
    return;
  }
  lines += head_of(OutcomeField::ms);
  append_json_milliseconds(lines, outcome.queue_ms);
  lines += ",\"submit\":";
  append_json_milliseconds(lines, outcome.submit_ms);
  lines += ",\"total\":";
  append_json_milliseconds(lines, outcome.total_ms);
  lines += '}';
}

OutcomeLine line_of(const Message& message, Bytes recipient) {
  OutcomeLine line;
  line.id = message.id;
  line.recipient_id = message.recipient_id;
  line.recipient = recipient;
  line.tags_json = message.tags_json;
  line.metadata_json = message.metadata_json;
  return line;
}

}  // namespace

void OutcomeWriter::append(std::string& lines, const OutcomeLine& line, const Outcome& outcome) {
  lines += head_of(OutcomeField::id);
  append_json_string(lines, line.id);
  append_text(lines, head_of(OutcomeField::rcpt_id), line.recipient_id);
  lines += head_of(OutcomeField::rcpt);
  if (line.recipient.empty()) {
    lines += "null";
  } else {
    append_json_string(lines, line.recipient);
  }
  lines += head_of(OutcomeField::status);
  lines += name_of(outcome.status);
  lines += '"';
  if (outcome.code != 0) {
    append_number(lines, head_of(OutcomeField::code), outcome.code);
  }
  append_enhanced(lines, outcome.enhanced);
  append_stranger_text(lines, head_of(OutcomeField::text), outcome.text);
  lines += head_of(OutcomeField::stage);
  lines += name_of(outcome.stage);
  lines += '"';
  append_stranger_text(lines, head_of(OutcomeField::queue_id), outcome.queue_id);
  append_number(lines, head_of(OutcomeField::attempts), outcome.attempts);
  append_text(lines, head_of(OutcomeField::endpoint), line.endpoint);
  append_text(lines, head_of(OutcomeField::peer), outcome.peer);
  lines += head_of(OutcomeField::ts);
  timestamps_.append(lines, outcome.timestamp_us);
  lines += '"';
  append_durations(lines, outcome);
  if (line.message_bytes != 0) {
    append_number(lines, head_of(OutcomeField::bytes), line.message_bytes);
  }
  append_raw_json(lines, head_of(OutcomeField::tags), line.tags_json);
  append_raw_json(lines, head_of(OutcomeField::metadata), line.metadata_json);
  append_stranger_text(lines, head_of(OutcomeField::reason), outcome.reason);
  if (!line.final) {
    lines += head_of(OutcomeField::final);
  }
  lines += "}\n";
}

void OutcomeWriter::append(std::string& lines, const Message& message, std::size_t recipient_index,
                           const Outcome& outcome) {
  RP_ASSERT(recipient_index < message.recipients.size());
  OutcomeLine line = line_of(message, message.recipients[recipient_index]);
  line.message_bytes = message.content.bytes();
  if (outcome.stage != Stage::local && outcome.endpoint < endpoint_names_.size()) {
    line.endpoint = endpoint_names_[outcome.endpoint];
  }
  append(lines, line, outcome);
}

}  // namespace ringpost::codec
