// The problem: listmonk bars a subscriber for one hard bounce, while a provider refuses messages
// for many reasons that are none of the subscriber's. The idea: a bounce is hard where the provider
// spoke of the address or its mailbox (X.1.X and X.2.X of RFC 3463, or at RCPT without such a
// code), and soft otherwise, which listmonk by default counts and does nothing for. Limits: who the
// campaign and the subscriber are is known where listmonk's own header fields or payload said so;
// else listmonk looks for the address.
#include "tools/serve/webhook/webhook_body.h"

#include <algorithm>

#include "codec/text/ascii.h"
#include "codec/text/json_text.h"

namespace ringpost::serve {

namespace {

using codec::MergeData;

Bytes text_in(const MergeData& data, MergeData::Node object, Bytes name) {
  const MergeData::Node node = object == MergeData::none ? object : data.find(object, name);
  return node == MergeData::none ? Bytes() : data.text(node);
}

// listmonk refuses a bounce whose UUIDs are none.
bool is_uuid(Bytes text) {
  constexpr std::size_t uuid_bytes = 36;
  if (text.size() != uuid_bytes) {
    return false;
  }
  constexpr std::size_t dashes[] = {8, 13, 18, 23};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = std::find(std::begin(dashes), std::end(dashes), i) != std::end(dashes);
    if (is_dash ? text[i] != '-' : !codec::is_hexadecimal(text[i])) {
      return false;
    }
  }
  return true;
}

bool is_about_recipient(Bytes enhanced, Bytes stage) {
  const std::size_t subject = enhanced.find('.');
  const Bytes rest = subject == Bytes::npos ? Bytes() : enhanced.substr(subject + 1);
  if (rest.empty() || rest.starts_with("0.")) {
    return stage == "rcpt";
  }
  return rest.starts_with("1.") || rest.starts_with("2.");
}

void append_member(std::string& out, Bytes name, Bytes value) {
  out += out.empty() ? "{" : ",";
  codec::append_json_string(out, name);
  out += ':';
  codec::append_json_string(out, value);
}

}  // namespace

std::string array_of(Bytes lines) {
  std::string array;
  array.reserve(lines.size() + 1);
  array += '[';
  array += lines;
  std::replace(array.begin(), array.end(), '\n', ',');  // within a line each is an escape
  if (array.back() == ',') {
    array.pop_back();
  }
  array += ']';
  return array;
}

Result<std::string, std::string> BounceWriter::write(Bytes line) {
  if (!json_.read(line, values_)) {
    return Failure(std::string("it is no JSON object"));
  }
  const auto text = [this](Bytes name) { return text_in(values_, MergeData::root, name); };
  if (text("status") != "rejected" || text("rcpt").empty()) {
    return Failure(std::string("it names no recipient who was rejected"));
  }
  const MergeData::Node metadata = values_.find(MergeData::root, "metadata");
  const Bytes campaign = text_in(values_, metadata, "listmonk_campaign");
  const Bytes subscriber = text_in(values_, metadata, "listmonk_subscriber");
  std::string reply;
  for (const Bytes name : {Bytes("code"), Bytes("enhanced"), Bytes("text")}) {
    const Bytes part = text(name);
    reply += reply.empty() || part.empty() ? "" : " ";
    reply += part;
  }
  std::string meta;
  append_member(meta, "id", text("id"));
  append_member(meta, "endpoint", text("endpoint"));
  append_member(meta, "stage", text("stage"));
  append_member(meta, "reply", reply);
  meta += '}';

  std::string bounce;
  append_member(bounce, "email", text("rcpt"));
  if (is_uuid(subscriber)) {
    append_member(bounce, "subscriber_uuid", subscriber);
  }
  if (is_uuid(campaign)) {
    append_member(bounce, "campaign_uuid", campaign);
  }
  append_member(bounce, "source", "ringpost");
  append_member(bounce, "type",
                is_about_recipient(text("enhanced"), text("stage")) ? "hard" : "soft");
  append_member(bounce, "meta", meta);  // a text that has JSON in it, as listmonk says
  bounce += "}";
  return bounce;
}

}  // namespace ringpost::serve
