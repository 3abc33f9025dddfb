// codec/template: whatever a template and values are made of, what is spliced from segments reads
// as what is rendered as a whole and composed then, and no value becomes anything but data.
//
// Input: a subject, a text and an html template and JSON values, with an octet FF between them; the
// first octet says which of them there are.
#include <algorithm>
#include <string>
#include <vector>

#include "codec/template/merge_json.h"
#include "codec/template/message_template.h"
#include "codec/template/template_writer.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/read_message.h"
#include "tests/support/template_oracle.h"
#include <ringpost/limits.h>

using namespace ringpost;

namespace {

// A part that says nothing is none for compose(), and an empty one for a template.
std::vector<test::ReadPart> without_empty(std::vector<test::ReadPart> parts) {
  std::erase_if(parts, [](const test::ReadPart& part) { return part.text.empty(); });
  return parts;
}

void check_same(Bytes spliced, Bytes composed) {
  const test::ReadMessage one = test::read_message(spliced);
  const test::ReadMessage other = test::read_message(composed);
  RP_ASSERT(one.fields == other.fields);
  RP_ASSERT(without_empty(one.parts) == without_empty(other.parts));
}

std::optional<std::string> given(bool is_there, Bytes text) {
  return is_there && codec::is_utf8(text) ? std::optional<std::string>(text) : std::nullopt;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::uint8_t which = input.octet();
  codec::TemplateDefinition definition;
  definition.from = "News <news@example.com>";
  definition.headers.push_back({"X-Campaign", "47"});
  definition.subject = given((which & 1U) != 0, input.until('\xff'));
  definition.text = given((which & 2U) != 0, input.until('\xff'));
  definition.html = given((which & 4U) != 0, input.until('\xff'));
  codec::MergeData values;
  if (!codec::MergeJson().read(input.rest(), values)) {
    values.clear();
  }
  codec::TemplateOptions options;
  options.missing = (which & 8U) != 0 ? codec::MissingPolicy::invalid : codec::MissingPolicy::empty;
  const codec::LineHash identity{1, 2};
  const auto compiled = codec::MessageTemplate::compile(definition, options, identity);
  if (!compiled) {
    return 0;
  }
  const codec::Mailbox mailbox{"Ann", "ann@example.net", false};
  codec::MergeData built_in;
  built_in.add(codec::MergeData::root, "email", codec::MergeData::Kind::string, mailbox.address);
  built_in.add(codec::MergeData::root, "name", codec::MergeData::Kind::string, mailbox.name);
  const codec::MergeData* const layers[] = {&values, &built_in};
  codec::TemplateRecipient recipient;
  recipient.mailbox = &mailbox;
  recipient.merge = &values;
  codec::TemplateWriter writer;
  Message message;
  message.id = "1";
  const auto written = writer.write(**compiled, recipient, message);
  recipient.merge = nullptr;
  recipient.shared = layers;
  const auto composed = test::rendered_then_composed(definition, options, recipient, identity);
  RP_ASSERT(written.has_value() == composed.has_value());
  RP_ASSERT(message.recipients.size() == 1);
  if (written) {
    RP_ASSERT(message.content.traits().longest_line_bytes <= limits::content_line_bytes_max);
    check_same(message.content.text(), *composed);
  }
  return 0;
}
