// What a body of a service says, in words that all of them share, and the job line it becomes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/mail/address.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Text that goes out, or a template (codec/template/mustache.h) that a service's own was made into.
struct ServiceText {
  std::string text;
  bool is_template = false;
};

struct ServiceHeader {
  std::string name;
  std::vector<ServiceText> values;
};

struct ServiceAttachment {
  std::string file_name;
  std::string content_type;
  std::string content_id;
  std::string base64;  // or
  std::string path;
  std::string place;  // in the body
};

// A name and JSON.
using JsonMember = std::pair<std::string, std::string>;

// A message of its own, which all that it names get.
struct ServiceCopy {
  std::vector<Mailbox> to;
  std::vector<Mailbox> cc;
  std::vector<Mailbox> bcc;
  std::string id;
  std::vector<JsonMember> merge;
  std::vector<JsonMember> metadata;
  std::vector<ServiceHeader> headers;  // instead of those of that name

  [[nodiscard]] bool has_one_reader() const { return to.size() == 1 && cc.empty() && bcc.empty(); }
};

struct ServiceMessage {
  std::string id;
  std::optional<Mailbox> from;
  std::vector<Mailbox> reply_to;
  std::optional<ServiceText> subject;
  std::optional<ServiceText> text;
  std::optional<ServiceText> html;
  std::string text_file;
  std::string html_file;
  std::optional<std::string> raw;
  std::string raw_base64;
  std::string raw_file;
  std::vector<ServiceHeader> headers;
  std::vector<ServiceAttachment> attachments;
  std::optional<std::string> envelope_sender;  // empty: the null sender
  std::vector<Mailbox> envelope_recipients;
  std::vector<JsonMember> dsn;
  std::vector<std::string> tags;
  std::vector<JsonMember> metadata;
  std::vector<JsonMember> merge;  // what all copies share
  std::vector<ServiceCopy> copies;

  [[nodiscard]] bool has_raw() const { return raw || !raw_base64.empty() || !raw_file.empty(); }
};

// A template that puts a brace where one may not stand: what stands there otherwise begins a tag.
inline constexpr std::string_view brace_name = "__brace";
inline constexpr std::string_view brace_tag = "{{&__brace}}";

// As templates have it: braces that are no tags. Whether a tag follows decides about the last.
void append_template_literal(std::string& out, Bytes literal, bool tag_follows);

// Appends the job, without a line end. Precondition: what it needs is there.
void append_job(std::string& out, const ServiceMessage& message);
// Appends a job of nobody but its id and recipients.
void append_refused_job(std::string& out, const ServiceMessage& message);

// "Name <a@b>, c@d" as a header field has it, in 7 bits unless an address is not ASCII.
[[nodiscard]] std::string mailboxes_as_value(const std::vector<Mailbox>& mailboxes);

}  // namespace ringpost::codec
