// The problem: a message is recorded if and only if it was accepted, which is known when its
// content has long gone by. The idea: digest, X-Id and file are made while it passes, the line is
// written behind the acceptance, and the file gets its name only then; what is discarded leaves
// nothing. Limits: writes to the files of contents block the thread, and files of an earlier run
// with the same names are replaced: sessions are counted anew in each run.
#include "tools/sink/message_record.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/text/json_text.h"

namespace ringpost::sink {

namespace {

constexpr Bytes x_id_name = "x-id:";
constexpr std::size_t x_id_bytes_max = 256;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void append_string_or_null(std::string& json, Bytes text) {
  if (text.empty()) {
    json.append("null");
  } else {
    codec::append_json_string(json, text);
  }
}

}  // namespace

void XIdCapture::begin() {
  at_ = At::name;
  name_matched_ = 0;
  line_empty_ = true;
  found_ = false;
  value_.clear();
}

void XIdCapture::feed(Bytes octets) {
  while (!octets.empty() && at_ != At::done) {
    if (at_ == At::name) {
      take_name(octets.front());
      octets.remove_prefix(1);
      continue;
    }
    const std::size_t lf = octets.find('\n');
    const Bytes piece = octets.substr(0, lf);
    if (at_ == At::value) {
      value_.append(piece.substr(0, x_id_bytes_max - value_.size()));
    }
    octets.remove_prefix(lf == Bytes::npos ? octets.size() : lf + 1);
    if (lf != Bytes::npos) {
      at_ = found_ ? At::done : At::name;
      name_matched_ = 0;
      line_empty_ = true;
    }
  }
}

// Octet by octet until the line is known to be another field's.
void XIdCapture::take_name(char octet) {
  if (octet == '\n') {
    // An empty line ends the header section (RFC 5322 2.1).
    at_ = line_empty_ ? At::done : At::name;
    name_matched_ = 0;
    line_empty_ = true;
  } else if (octet == '\r' && line_empty_) {
    return;
  } else if (lower(octet) == x_id_name[name_matched_]) {
    line_empty_ = false;
    found_ = ++name_matched_ == x_id_name.size();
    at_ = found_ ? At::value : At::name;
  } else {
    at_ = At::rest_of_line;
  }
}

Bytes XIdCapture::value() const {
  Bytes value = value_;
  while (!value.empty() && is_blank(value.front())) {
    value.remove_prefix(1);
  }
  while (!value.empty() && is_blank(value.back())) {
    value.remove_suffix(1);
  }
  return value;
}

MessageRecorder::MessageRecorder(RecordBuffer& buffer) : buffer_(buffer) { x_id_.begin(); }

MessageRecorder::~MessageRecorder() { discarded(); }

void MessageRecorder::content(Bytes octets) {
  if (!under_way_) {
    begin();
  }
  if (buffer_.record().has_file()) {
    if (buffer_.record().has_digests()) {
      hash_.update(octets);
    }
    x_id_.feed(octets);
  }
  write_content(octets);
}

void MessageRecorder::begin() {
  under_way_ = true;
  const std::string& folder = buffer_.record().content_folder();
  if (folder.empty()) {
    return;
  }
  // Its name comes with its acceptance; until then this object's address keeps it apart from
  // others.
  content_path_ = fmt::format("{}/.{}.part", folder, fmt::ptr(this));
  content_descriptor_ =
      ::open(content_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (content_descriptor_ < 0) {
    buffer_.record().fail(fmt::format("{}: {}", content_path_, std::strerror(errno)));
  }
}

void MessageRecorder::write_content(Bytes octets) {
  while (!octets.empty() && content_descriptor_ >= 0) {
    const ssize_t written = ::write(content_descriptor_, octets.data(), octets.size());
    if (written >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      buffer_.record().fail(fmt::format("{}: {}", content_path_, std::strerror(errno)));
      return;
    }
  }
}

void MessageRecorder::accepted(const AcceptedMessage& message) {
  if (!under_way_) {
    begin();  // a message without content
  }
  keep_content(message);
  if (buffer_.record().has_file()) {
    append_line(message);
    buffer_.line_added();
  }
  x_id_.begin();
  under_way_ = false;
}

void MessageRecorder::keep_content(const AcceptedMessage& message) {
  if (content_descriptor_ < 0) {
    return;
  }
  ::close(content_descriptor_);
  content_descriptor_ = -1;
  const std::string name = fmt::format("{}/{}-{}.eml", buffer_.record().content_folder(),
                                       message.session, message.message);
  if (std::rename(content_path_.c_str(), name.c_str()) != 0) {
    buffer_.record().fail(fmt::format("{}: {}", name, std::strerror(errno)));
  }
}

void MessageRecorder::append_line(const AcceptedMessage& message) {
  std::string& json = buffer_.text();
  const auto out = std::back_inserter(json);
  json += record_line_begin;
  fmt::format_to(out, R"({},"message":{},"queue_id":"{}","from":)", message.session,
                 message.message, message.queue_id);
  codec::append_json_string(json, message.sender);
  Bytes recipients = message.recipients;
  for (Bytes separator = R"(,"to":[)"; !recipients.empty(); separator = ",") {
    const std::size_t end = recipients.find('\n');
    json.append(separator);
    codec::append_json_string(json, recipients.substr(0, end));
    recipients.remove_prefix(end + 1);
  }
  fmt::format_to(out, R"(],"bytes":{},"sha256":)", message.bytes);
  if (buffer_.record().has_digests()) {
    const std::array<char, 64> digest = hash_.finish_hex();
    fmt::format_to(out, R"("{}")", Bytes(digest.data(), digest.size()));
  } else {
    json.append("null");
  }
  json.append(R"(,"x_id":)");
  if (x_id_.found()) {
    codec::append_json_string(json, x_id_.value());
  } else {
    json.append("null");
  }
  json.append(R"(,"auth":)");
  append_string_or_null(json, message.user);
  json.append(R"(,"tls":)");
  append_string_or_null(json, message.tls_version);
  fmt::format_to(out, R"(,"via":"{}","violations":{{)", message.chunked ? "BDAT" : "DATA");
  Bytes separator;
  for (std::size_t i = 0; i < violation_count; ++i) {
    if (message.violations[i] != 0) {
      fmt::format_to(out, R"({}"{}":{})", separator, name_of(static_cast<Violation>(i)),
                     message.violations[i]);
      separator = ",";
    }
  }
  json.append(R"(},"ts":")");
  buffer_.append_timestamp();
  json.append("\"}\n");
}

void MessageRecorder::discarded() {
  if (!under_way_) {
    return;
  }
  under_way_ = false;
  hash_.reset();
  x_id_.begin();
  if (content_descriptor_ >= 0) {
    ::close(content_descriptor_);
    content_descriptor_ = -1;
    ::unlink(content_path_.c_str());
  }
}

}  // namespace ringpost::sink
