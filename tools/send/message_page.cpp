// The problem: in a finished message a page is quoted-printable between boundaries, and its images
// are parts that no browser knows. The idea: it is read as any reader would, not taken from what it
// was made of, so that what is shown is what arrives. Limits: what mail programs do with html on
// top (images that are blocked, styles that are left out) is not shown.
#include "tools/send/message_page.h"

#include <optional>

#include "codec/mail/mime_decoding.h"
#include "codec/mail/mime_tree.h"
#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/utf8.h"
#include "tools/send/charset.h"

namespace ringpost::cli {

namespace {

Bytes field_of(const codec::MimePart& part, Bytes name) {
  const codec::MimeField* const field = part.find(name);
  return field == nullptr ? Bytes{} : field->value;
}

bool is_file(const codec::MimePart& part) {
  const auto disposition = codec::read_mime_value(field_of(part, "Content-Disposition"));
  return part.type.find("name") != nullptr || (disposition && disposition->word == "attachment");
}

Result<std::string, std::string> text_in(const codec::MimePart& part) {
  auto octets = codec::decode_body(part.body, field_of(part, "Content-Transfer-Encoding"));
  if (!octets) {
    return Failure("the " + part.type.word + " part " + octets.error());
  }
  const codec::MimeParameter* const charset = part.type.find("charset");
  auto text = to_utf8(charset == nullptr ? Bytes("us-ascii") : Bytes(charset->value), *octets);
  if (!text) {
    return Failure("the " + part.type.word + " part cannot be read: " + text.error());
  }
  std::erase(*text, '\r');
  return text;
}

Result<std::string, std::string> shown_in(const codec::MimeTree& tree, ShownPart wanted) {
  const Bytes type = wanted == ShownPart::html ? "text/html" : "text/plain";
  for (const codec::MimePart& part : tree) {
    if (part.type.word == type && !is_file(part)) {
      return text_in(part);
    }
  }
  return Failure(std::string(wanted == ShownPart::html ? "the message has no html"
                                                       : "the message has no text"));
}

// `data:` URLs in the place of those that name a part.
void embed_images(const codec::MimeTree& tree, std::string& html) {
  for (const codec::MimePart& part : tree) {
    Bytes id = field_of(part, "Content-ID");
    const auto octets = codec::decode_body(part.body, field_of(part, "Content-Transfer-Encoding"));
    if (!id.starts_with('<') || !id.ends_with('>') || id.size() < 3 || !octets) {
      continue;
    }
    const std::string url = "cid:" + std::string(id.substr(1, id.size() - 2));
    std::string data = "data:" + part.type.word + ";base64,";
    codec::append_base64(data, *octets);
    for (std::size_t at = html.find(url); at != std::string::npos;
         at = html.find(url, at + data.size())) {
      html.replace(at, url.size(), data);
    }
  }
}

Result<codec::MimeTree, std::string> parts_of(Bytes text) {
  auto tree = codec::read_mime_tree(text);
  if (!tree) {
    return Failure("the message is not to be read as MIME: a line of it " + tree.error().reason);
  }
  return std::move(*tree);
}

}  // namespace

Result<std::string, std::string> shown_part(const Content& content, ShownPart part) {
  const std::string text = content.text();
  const auto tree = parts_of(text);
  return tree ? shown_in(*tree, part) : Failure(tree.error());
}

Result<std::string, std::string> page_of(const Content& content) {
  const std::string text = content.text();
  const auto tree = parts_of(text);
  auto html = tree ? shown_in(*tree, ShownPart::html) : Failure(tree.error());
  if (html) {
    embed_images(*tree, *html);
    // Stronger than whatever charset the page names for the octets that it once had.
    html->insert(0, codec::byte_order_mark);
  }
  return html;
}

}  // namespace ringpost::cli
