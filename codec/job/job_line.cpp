// The problem: a message that came by another way than a job file is to be kept in one, and comes
// out of it as it went in. The idea: content as `raw` where it is UTF-8, which a person can read,
// and as `raw_base64` where it is not; everything else by the fields that a job has for it.
// Limits: controls in an id, which no reader takes, become question marks.
#include "codec/job/job_line.h"

#include <algorithm>

#include "codec/text/base64.h"
#include "codec/text/json_text.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// What escapes and names take, beside the content.
constexpr std::size_t line_bytes_usual = 512;

void append_member(std::string& out, Bytes name, Bytes text) {
  if (!text.empty()) {
    out += ",\"";
    out += name;
    out += "\":";
    append_json_string(out, text);
  }
}

// JSON already.
void append_echo(std::string& out, Bytes name, Bytes json) {
  if (!json.empty()) {
    out += ",\"";
    out += name;
    out += "\":";
    out += json;
  }
}

void append_id(std::string& out, const std::string& id) {
  std::string sayable = id;
  std::replace_if(
      sayable.begin(), sayable.end(),
      [](char octet) { return static_cast<unsigned char>(octet) < ' ' || octet == '\x7f'; }, '?');
  append_json_string(out, sayable);
}

void append_dsn(std::string& out, const DsnRequest& dsn) {
  std::string members;
  append_member(members, "notify", dsn.notify);
  append_member(members, "ret", dsn.return_kind);
  append_member(members, "envid", dsn.envelope_id);
  if (!members.empty()) {
    out += ",\"dsn\":{";
    out += Bytes(members).substr(1);
    out += '}';
  }
}

void append_envelope(std::string& out, const Message& message) {
  out += ",\"envelope\":{\"from\":";
  append_json_string(out, message.sender.empty() ? Bytes("<>") : Bytes(message.sender));
  out += ",\"to\":[";
  for (std::size_t i = 0; i < message.recipients.size(); ++i) {
    out += i == 0 ? "" : ",";
    append_json_string(out, message.recipients[i]);
  }
  out += ']';
  append_dsn(out, message.dsn);
  out += '}';
}

void append_content(std::string& out, const Content& content) {
  std::string joined;
  const bool is_whole = content.piece_count() == 1;
  if (!is_whole) {
    joined = content.text();
  }
  const Bytes text = is_whole ? content.piece(0) : Bytes(joined);
  if (is_utf8(text)) {
    out += ",\"raw\":";
    append_json_string(out, text);
  } else {
    out += ",\"raw_base64\":\"";
    append_base64(out, text);
    out += '"';
  }
}

}  // namespace

void append_job_line(std::string& out, const Message& message) {
  out.reserve(out.size() + line_bytes_usual + message.content.bytes() + message.recipients.bytes());
  out += "{\"id\":";
  append_id(out, message.id);
  append_envelope(out, message);
  append_echo(out, "tags", message.tags_json);
  append_echo(out, "metadata", message.metadata_json);
  append_member(out, "endpoint", message.endpoint);
  append_member(out, "idempotency_key", message.idempotency_key);
  if (message.expires_at_us > 0) {
    constexpr std::int64_t second_us = 1'000'000;
    out += ",\"expires_at\":";
    append_json_number(
        out, static_cast<std::uint64_t>((message.expires_at_us + second_us - 1) / second_us));
  }
  append_content(out, message.content);
  out += "}\n";
}

}  // namespace ringpost::codec
