// codec/template/eml_reader: whatever it reads of a message is text in UTF-8, and a message
// composed of that reads the same again.
//
// Input: a message as a file.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "codec/mail/composition.h"
#include "codec/mail/content_check.h"
#include "codec/template/eml_reader.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::TemplateDefinition;

namespace {

// Two charsets are enough to be told something wrong about either.
Result<std::string, std::string> to_utf8(Bytes charset, Bytes octets) {
  if (charset != "latin") {
    return codec::is_utf8(octets) ? Result<std::string, std::string>(std::string(octets))
                                  : Failure(std::string("no UTF-8"));
  }
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | octet >> 6);
      text += static_cast<char>(0x80 | (octet & 0x3f));
    }
  }
  return text;
}

// Line ends in order, and none at the end: a composed part has one there.
std::optional<std::string> in_order(const std::optional<std::string>& given) {
  std::string text = given.value_or("");
  if (!codec::canonicalise_text(text, NewlinePolicy::normalize)) {
    return std::nullopt;
  }
  while (text.ends_with("\r\n")) {
    text.erase(text.size() - 2);
  }
  return text;
}

std::optional<std::string> composed(const TemplateDefinition& read) {
  auto text = in_order(read.text);
  auto html = in_order(read.html);
  const auto from = codec::parse_mailbox(read.from.value_or("a@example.com"));
  if (!text || !html || !from) {
    return std::nullopt;
  }
  const codec::TextPart text_part{*text, *codec::canonicalise_text(*text, NewlinePolicy::strict)};
  const codec::TextPart html_part{*html, *codec::canonicalise_text(*html, NewlinePolicy::strict)};
  codec::Composition draft;
  draft.from = {&*from, 1};
  draft.attachments = read.attachments;
  draft.message_id_domain = "example.com";
  draft.subject = read.subject ? std::optional<Bytes>(*read.subject) : std::nullopt;
  draft.text = text->empty() ? std::nullopt : std::optional(text_part);
  draft.html = html->empty() ? std::nullopt : std::optional(html_part);
  std::string octets;
  return codec::compose(draft, octets) ? std::optional(octets) : std::nullopt;
}

void check_texts(const TemplateDefinition& read) {
  for (const auto* const text : {&read.subject, &read.text, &read.html}) {
    RP_ASSERT(!*text || codec::is_utf8(**text));
  }
  for (const codec::HeaderField& field : read.headers) {
    RP_ASSERT(codec::is_utf8(field.value));
    RP_ASSERT(field.value.find_first_of("\r\n") == std::string::npos);
  }
  RP_ASSERT(read.attachments.size() <= limits::mime_parts_max);
}

void check_same(const TemplateDefinition& one, const TemplateDefinition& other) {
  RP_ASSERT(one.subject.value_or("") == other.subject.value_or(""));
  RP_ASSERT(in_order(one.text) == in_order(other.text));
  RP_ASSERT(in_order(one.html) == in_order(other.html));
  RP_ASSERT(one.attachments.size() == other.attachments.size());
  // Those of the html stand in front of the others.
  std::vector<std::string> contents[2];
  for (std::size_t i = 0; i < one.attachments.size(); ++i) {
    for (const auto* const attachment : {&one.attachments[i], &other.attachments[i]}) {
      const bool is_message = codec::is_message_type(attachment->content_type);
      contents[attachment == &one.attachments[i] ? 0 : 1].push_back(
          attachment->file_name + '\n' +
          (is_message ? in_order(attachment->content).value_or("") : attachment->content));
    }
  }
  std::sort(contents[0].begin(), contents[0].end());
  std::sort(contents[1].begin(), contents[1].end());
  RP_ASSERT(contents[0] == contents[1]);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  const auto read = codec::read_eml(octets, to_utf8);
  if (!read) {
    RP_ASSERT(!read.error().empty());
    return 0;
  }
  check_texts(*read);
  const auto again = composed(*read);
  if (!again) {
    return 0;
  }
  const auto second = codec::read_eml(*again, to_utf8);
  RP_ASSERT(second.has_value());
  check_same(*read, *second);
  return 0;
}
