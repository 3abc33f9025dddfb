// The problem: what a designer exports is a tree of parts, and a template is a text, an html and
// files; a part that is dropped, or an image that its html does not find any more, is seen by
// everybody it goes to. The idea: each part has a place in the template or is refused with its name
// and line, and readers' own rule decides what is shown: of alternatives a text and an html, of
// parts in a row the first. Limits: what is signed or encrypted, several texts in a row, and
// alternatives beside text and html (AMP, calendars).
#include "codec/template/eml_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/mail/content_check.h"
#include "codec/mail/mime_decoding.h"
#include "codec/mail/mime_tree.h"
#include "codec/text/ascii.h"
#include "codec/text/lexical_token.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

using Read = Result<void, std::string>;
using ReadText = Result<std::string, std::string>;

// Fields of one copy: who it was for, when it was written, and what its way has added.
constexpr std::array<Bytes, 25> fields_of_a_copy = {"Date",
                                                    "Message-ID",
                                                    "Cc",
                                                    "Bcc",
                                                    "MIME-Version",
                                                    "Received",
                                                    "X-Received",
                                                    "Received-SPF",
                                                    "Return-Path",
                                                    "Delivered-To",
                                                    "Envelope-To",
                                                    "X-Original-To",
                                                    "Apparently-To",
                                                    "DKIM-Signature",
                                                    "DomainKey-Signature",
                                                    "X-Google-DKIM-Signature",
                                                    "Authentication-Results",
                                                    "X-Unsent",
                                                    "X-Identity-Key",
                                                    "X-Account-Key",
                                                    "FCC",
                                                    "Status",
                                                    "X-Status",
                                                    "X-UID",
                                                    "X-Keywords"};
constexpr std::array<Bytes, 4> beginnings_of_such = {"Content-", "Resent-", "ARC-", "X-Mozilla-"};

bool is_of_a_copy(Bytes name) {
  return std::any_of(fields_of_a_copy.begin(), fields_of_a_copy.end(),
                     [name](Bytes one) { return equal_without_case(name, one); }) ||
         std::any_of(beginnings_of_such.begin(), beginnings_of_such.end(), [name](Bytes one) {
           return equal_without_case(name.substr(0, one.size()), one);
         });
}

// Whether it is a list of more than one mailbox.
bool has_several(Bytes text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      const std::size_t quoted = quoted_string_size(text.substr(i));
      i += quoted > 0 ? quoted - 1 : 0;
    } else if (text[i] == ',') {
      return true;
    }
  }
  return false;
}

// A phrase without its quotation marks. Words in quotes are decoded by all readers (against RFC
// 2047 5), so they are here.
std::string unquoted_phrase(Bytes text) {
  std::string out;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else {
      i += is_quoted && text[i] == '\\' && i + 1 < text.size() ? 1U : 0U;
      out += text[i];
    }
  }
  return out;
}

// As a job writes it. In a name with a tag what is between the quotation marks is the template.
std::string quoted_name(Bytes name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char character) {
    return is_atext(character) || character == ' ' || static_cast<unsigned char>(character) >= 0x80;
  });
  if (is_plain) {
    return std::string(name);
  }
  const bool is_open = name.find("{{") != Bytes::npos;
  std::string out = "\"";
  for (const char character : name) {
    if (!is_open && (character == '"' || character == '\\')) {
      out += '\\';
    }
    out += character;
  }
  return out + '"';
}

bool has_controls(Bytes text) {
  return std::any_of(text.begin(), text.end(), [](char character) {
    return (static_cast<unsigned char>(character) < 0x20 && character != '\t') ||
           character == '\x7f';
  });
}

// What `cid:` URLs of an html name.
std::vector<std::string> content_ids_of(Bytes html) {
  std::vector<std::string> ids;
  for (std::size_t at = html.find("cid:"); at != Bytes::npos; at = html.find("cid:", at)) {
    at += 4;
    const Bytes url = html.substr(at, html.substr(at).find_first_of("\"'<>() \t\r\n"));
    std::string& id = ids.emplace_back();
    for (std::size_t i = 0; i < url.size(); ++i) {
      const bool is_escape = url[i] == '%' && i + 2 < url.size() && is_hexadecimal(url[i + 1]) &&
                             is_hexadecimal(url[i + 2]);
      id += is_escape ? static_cast<char>(hexadecimal_value(url[i + 1]) * 16 +
                                          hexadecimal_value(url[i + 2]))
                      : url[i];
      i += is_escape ? 2 : 0;
    }
  }
  return ids;
}

// Where a part stands.
struct PartPlace {
  std::size_t index = 0;
  std::size_t group = 0;  // texts of one group are alternatives of each other
  bool is_alternative = false;
  bool is_related = false;  // a file that belongs to an html, and not the html itself
};

class EmlReader {
 public:
  explicit EmlReader(ToUtf8 to_utf8) : to_utf8_(to_utf8) {}

  Result<TemplateDefinition, std::string> run(Bytes octets) {
    text_ = octets;
    if (const auto reason = why_no_message(text_)) {
      return Failure("is no message: " + *reason);
    }
    if (auto ordered = canonicalise_text(text_, NewlinePolicy::normalize); !ordered) {
      return Failure(ordered.error().message());
    }
    auto tree = read_mime_tree(text_);
    if (!tree) {
      return Failure(at_line(tree.error().offset, tree.error().reason));
    }
    tree_ = std::move(*tree);
    Read done = read_fields().and_then([this] { return read_parts(); });
    if (!done) {
      return Failure(std::move(done.error()));
    }
    settle_content_ids();
    return std::move(definition_);
  }

 private:
  [[nodiscard]] std::string at_line(std::size_t offset, Bytes reason) const {
    const Bytes before = Bytes(text_).substr(0, offset);
    return fmt::format("line {}: {}", std::count(before.begin(), before.end(), '\n') + 1, reason);
  }

  [[nodiscard]] Failure<std::string> refuse_part(const MimePart& part, Bytes reason) const {
    const std::string name =
        part.number.empty() ? std::string("the message") : "part " + part.number;
    return Failure(at_line(part.offset, fmt::format("{} ({}) {}", name, part.type.word, reason)));
  }

  // ---- Fields
  // ----------------------------------------------------------------------------------------

  Read read_fields() {
    for (const MimeField& field : tree_.front().fields) {
      const auto is = [&field](Bytes name) { return equal_without_case(field.name, name); };
      Read done = is("From")       ? take_mailbox(field, definition_.from, false)
                  : is("Reply-To") ? take_mailbox(field, definition_.reply_to, true)
                  : is("To")       ? take_open_to(field)
                  : is("Subject")  ? take_subject(field)
                                   : take_field(field);
      if (!done) {
        return done;
      }
    }
    take_unsubscribe();
    return {};
  }

  [[nodiscard]] Failure<std::string> refuse_text(const MimeField& field, Bytes reason) const {
    return Failure(at_line(field.offset, fmt::format("{} {}", field.name, reason)));
  }

  ReadText decoded(const MimeField& field, Bytes text) const {
    auto words = decode_words(unfolded(text), to_utf8_);
    if (!words) {
      return refuse_text(field, words.error());
    }
    if (has_controls(*words)) {
      return refuse_text(field, "has a line break or another control character");
    }
    return words;
  }

  Read take_mailbox(const MimeField& field, std::optional<std::string>& to, bool may_be_several) {
    if (to) {
      return refuse_text(field, "stands twice");
    }
    if (has_several(field.value)) {
      if (!may_be_several) {
        return refuse_text(field, "has several addresses, and a template has one author");
      }
      return add_field(field, unfolded(field.value));
    }
    auto mailbox = decoded_mailbox(field);
    if (!mailbox) {
      return Failure(std::move(mailbox.error()));
    }
    // A template's own tags are nothing that an address may have.
    if (const auto parsed = parse_mailbox(*mailbox);
        !parsed && mailbox->find("{{") == std::string::npos) {
      return refuse_text(field, describe(parsed.error(), *mailbox));
    }
    to = std::move(*mailbox);
    return {};
  }

  ReadText decoded_mailbox(const MimeField& field) const {
    const Bytes value = field.value;
    const std::size_t bracket = value.ends_with('>') ? value.rfind('<') : Bytes::npos;
    if (bracket == Bytes::npos) {
      return unfolded(value);
    }
    auto name = decoded(field, unquoted_phrase(value.substr(0, bracket)));
    if (!name) {
      return name;
    }
    const std::size_t begin = std::min(name->find_first_not_of(" \t"), name->size());
    const Bytes trimmed = Bytes(*name).substr(begin, name->find_last_not_of(" \t") + 1 - begin);
    const std::string address = unfolded(value.substr(bracket));
    return trimmed.empty() ? address : fmt::format("{} {}", quoted_name(trimmed), address);
  }

  Read take_open_to(const MimeField& field) {
    return field.value.find("{{") == Bytes::npos ? Read{}
                                                 : take_mailbox(field, definition_.to, false);
  }

  Read take_subject(const MimeField& field) {
    if (definition_.subject) {
      return refuse_text(field, "stands twice");
    }
    auto text = decoded(field, field.value);
    if (!text) {
      return Failure(std::move(text.error()));
    }
    definition_.subject = std::move(*text);
    return {};
  }

  // Encoded words of addresses and phrases stay as they are; the others' are made anew, since a
  // value may be filled in beside them.
  Read take_field(const MimeField& field) {
    if (is_of_a_copy(field.name)) {
      return {};
    }
    if (is_structured(field_kind(field.name))) {
      return add_field(field, unfolded(field.value));
    }
    auto text = decoded(field, field.value);
    if (!text) {
      return Failure(std::move(text.error()));
    }
    return add_field(field, std::move(*text));
  }

  Read add_field(const MimeField& field, std::string value) {
    if (!is_utf8(value)) {
      return refuse_text(field, "has octets that are neither ASCII nor UTF-8");
    }
    definition_.headers.push_back({std::string(field.name), std::move(value)});
    return {};
  }

  // RFC 8058's pair of fields is what a template writes for one URL, and then percent-encodes what
  // is filled into it. Whatever else they say stays as it is.
  void take_unsubscribe() {
    const auto find = [this](Bytes name) {
      return std::find_if(
          definition_.headers.begin(), definition_.headers.end(),
          [name](const HeaderField& one) { return equal_field_names(one.name, name); });
    };
    const auto url = find("List-Unsubscribe");
    const auto post = find("List-Unsubscribe-Post");
    if (url == definition_.headers.end()) {
      return;
    }
    const Bytes value = url->value;
    const bool is_one = value.starts_with('<') && value.find('>') == value.size() - 1;
    const bool is_web = value.starts_with("<https://");
    const bool has_post = post != definition_.headers.end();
    if (!is_one || is_web != has_post || (!is_web && !value.starts_with("<mailto:")) ||
        (has_post && post->value != "List-Unsubscribe=One-Click")) {
      return;
    }
    definition_.unsubscribe = value.substr(1, value.size() - 2);
    std::erase_if(definition_.headers, [](const HeaderField& one) {
      return equal_field_names(one.name, "List-Unsubscribe") ||
             equal_field_names(one.name, "List-Unsubscribe-Post");
    });
  }

  // ---- Parts
  // -----------------------------------------------------------------------------------------

  Read read_parts() {
    std::vector<PartPlace> waiting = {{}};
    while (!waiting.empty()) {
      const PartPlace place = waiting.back();
      waiting.pop_back();
      const MimePart& part = tree_[place.index];
      if (!part.is_multipart()) {
        if (Read done = take_part(place); !done) {
          return done;
        }
        continue;
      }
      auto children = places_of_children(place);
      if (!children) {
        return Failure(std::move(children.error()));
      }
      // In the order in which they stand.
      waiting.insert(waiting.end(), children->rbegin(), children->rend());
    }
    return {};
  }

  Result<std::vector<PartPlace>, std::string> places_of_children(const PartPlace& place) {
    const MimePart& part = tree_[place.index];
    const Bytes kind = Bytes(part.type.word).substr(Bytes("multipart/").size());
    if (kind == "signed" || kind == "encrypted") {
      return refuse_part(part,
                         "is signed or encrypted, which would not be true of what is made of "
                         "it: save it without");
    }
    if (kind != "mixed" && kind != "alternative" && kind != "related") {
      return refuse_part(part,
                         "is none of multipart/mixed, multipart/alternative and "
                         "multipart/related, which is what a template can be made of");
    }
    const Bytes encoding = encoding_of(part);
    if (const auto body = decode_body("", encoding); !body || is_encoded(encoding)) {
      return refuse_part(part, "has a Content-Transfer-Encoding, which only its parts may have");
    }
    std::vector<PartPlace> children;
    const std::size_t root = kind == "related" ? root_of(part) : 0;
    for (std::size_t i = 0; i < part.children.size(); ++i) {
      PartPlace child = place;
      child.index = part.children[i];
      child.is_alternative = kind == "alternative" || (place.is_alternative && kind == "related");
      if (kind == "related") {
        child.is_related = place.is_related || i != root;
      } else if (kind == "mixed" && i > 0) {
        child.group = ++groups_;
      }
      children.push_back(child);
    }
    return children;
  }

  // RFC 2387 3.2: the one that `start` names, else the first.
  std::size_t root_of(const MimePart& related) const {
    const Bytes start = related.type.text("start");
    for (std::size_t i = 0; i < related.children.size() && !start.empty(); ++i) {
      const MimeField* const id = tree_[related.children[i]].find("Content-ID");
      if (id != nullptr && id->value == start) {
        return i;
      }
    }
    return 0;
  }

  static Bytes encoding_of(const MimePart& part) {
    const MimeField* const field = part.find("Content-Transfer-Encoding");
    return field == nullptr ? Bytes{} : field->value;
  }

  static bool is_encoded(Bytes encoding) {
    return equal_without_case(encoding, "base64") ||
           equal_without_case(encoding, "quoted-printable");
  }

  Read take_part(const PartPlace& place) {
    const MimePart& part = tree_[place.index];
    const Bytes type = part.type.word;
    if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") {
      return refuse_part(part, "is signed or encrypted (S/MIME): save the message without");
    }
    MimeValue disposition;
    if (const MimeField* const field = part.find("Content-Disposition")) {
      auto value = read_mime_value(field->value);
      if (!value) {
        return refuse_text(*field, value.error());
      }
      disposition = std::move(*value);
    }
    const bool is_file =
        disposition.word == "attachment" || disposition.find("filename") || part.type.find("name");
    const bool is_body_type = type == "text/plain" || type == "text/html";
    if (is_body_type && !is_file && !place.is_related) {
      return take_body(place);
    }
    if (place.is_alternative && !place.is_related && !is_file) {
      return refuse_part(part,
                         "is an alternative that a template cannot have: it has text and "
                         "html");
    }
    return take_attachment(place, disposition);
  }

  Read take_body(const PartPlace& place) {
    const MimePart& part = tree_[place.index];
    std::optional<std::string>& to =
        part.type.word == "text/html" ? definition_.html : definition_.text;
    if ((body_group_ && *body_group_ != place.group) || to) {
      return refuse_part(part,
                         "is one text more than a template can have: a text and an html, in "
                         "multipart/alternative");
    }
    body_group_ = place.group;
    auto octets = decode_body(part.body, encoding_of(part));
    if (!octets) {
      return refuse_part(part, octets.error());
    }
    const MimeParameter* const charset = part.type.find("charset");
    auto text = to_utf8_(charset == nullptr ? Bytes("us-ascii") : Bytes(charset->value), *octets);
    if (!text) {
      return refuse_part(part, "cannot be read: " + text.error());
    }
    const bool is_flowed =
        part.type.word == "text/plain" && equal_without_case(part.type.text("format"), "flowed");
    if (!is_flowed) {
      to = std::move(*text);
      return {};
    }
    if (auto ordered = canonicalise_text(*text, NewlinePolicy::normalize); !ordered) {
      return refuse_part(part, ordered.error().message());
    }
    to = unflowed(*text, equal_without_case(part.type.text("delsp"), "yes"));
    return {};
  }

  Read take_attachment(const PartPlace& place, const MimeValue& disposition) {
    const MimePart& part = tree_[place.index];
    auto octets = decode_body(part.body, encoding_of(part));
    if (!octets) {
      return refuse_part(part, octets.error());
    }
    Attachment attachment;
    attachment.content = std::move(*octets);
    const MimeParameter* name = disposition.find("filename");
    name = name == nullptr ? part.type.find("name") : name;
    if (name != nullptr) {
      auto text = decode_parameter(*name, to_utf8_);
      if (!text) {
        return refuse_part(part, "has a file name that " + text.error());
      }
      attachment.file_name = std::move(*text);
    }
    if (Read done = take_type(part, attachment.content_type); !done) {
      return done;
    }
    if (const MimeField* const id = part.find("Content-ID")) {
      const Bytes value = id->value;
      attachment.content_id = value.starts_with('<') && value.ends_with('>')
                                  ? value.substr(1, value.size() - 2)
                                  : value;
    }
    definition_.attachments.push_back(std::move(attachment));
    is_inline_.push_back(place.is_related && disposition.word != "attachment");
    return {};
  }

  // With its parameters, but for the name, which is written where the file's is.
  Read take_type(const MimePart& part, std::string& to) const {
    to = part.type.word;
    for (const MimeParameter& one : part.type.parameters) {
      if (one.name == "name") {
        continue;
      }
      const bool is_token =
          !one.value.empty() && std::all_of(one.value.begin(), one.value.end(), [](char character) {
            return is_alphanumeric(character) || Bytes("-_.+").find(character) != Bytes::npos;
          });
      if (!is_ascii(one.value) || one.value.find_first_of("\"\\") != std::string::npos) {
        return refuse_part(part, fmt::format("has a parameter \"{}\" in its Content-Type that is "
                                             "not plain ASCII",
                                             one.name));
      }
      to += is_token ? fmt::format("; {}={}", one.name, one.value)
                     : fmt::format("; {}=\"{}\"", one.name, one.value);
    }
    return {};
  }

  // Mail programs give ids to files as well that no html shows; with one, a file would be written
  // as an image of the html.
  void settle_content_ids() {
    const std::vector<std::string> shown =
        definition_.html ? content_ids_of(*definition_.html) : std::vector<std::string>{};
    for (std::size_t i = 0; i < definition_.attachments.size(); ++i) {
      std::string& id = definition_.attachments[i].content_id;
      if (!is_inline_[i] && std::find(shown.begin(), shown.end(), id) == shown.end()) {
        id.clear();
      }
    }
  }

  ToUtf8 to_utf8_;
  std::string text_;
  MimeTree tree_;
  TemplateDefinition definition_;
  std::vector<bool> is_inline_;  // of each attachment: it belongs to the html
  std::optional<std::size_t> body_group_;
  std::size_t groups_ = 0;
};

}  // namespace

Result<TemplateDefinition, std::string> read_eml(Bytes octets, ToUtf8 to_utf8) {
  return EmlReader(to_utf8).run(octets);
}

}  // namespace ringpost::codec
