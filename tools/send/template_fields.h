// The members of a template's file: what its reader goes by, and its schema.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringpost::cli {

enum class TemplateValue : std::uint8_t {
  mailbox,  // or tags that become one
  line,     // text of a field
  url,
  text,  // of a part
  path,
  headers,
  attachments,
  texts,  // by name
  merge,
  envelope,
  sender,  // an address, nobody, or tags that become one
  base64,
  word,
};

struct TemplateRow {
  std::string_view name;
  TemplateValue value;
  std::string_view help;
};

inline constexpr std::array<TemplateRow, 15> template_rows = {{
    {"from", TemplateValue::mailbox, "The author, a@b or Name <a@b>, with tags in either"},
    {"reply_to", TemplateValue::mailbox, "Where answers go"},
    {"to", TemplateValue::mailbox, "Who is named in To; else the recipient is"},
    {"subject", TemplateValue::line, "Subject"},
    {"text", TemplateValue::text, "The message as plain text"},
    {"html", TemplateValue::text, "The message as a page; values are escaped for it"},
    {"text_file", TemplateValue::path, "A file with the text, from the template's folder on"},
    {"html_file", TemplateValue::path, "The same for the page"},
    {"headers", TemplateValue::headers,
     "More header fields, such as Precedence and Auto-Submitted"},
    {"attachments", TemplateValue::attachments, "Files, of which all messages share one copy"},
    {"partials", TemplateValue::texts, "Texts that {{>name}} puts in"},
    {"merge", TemplateValue::merge, "Values that nobody else gives"},
    {"envelope", TemplateValue::envelope, "What the server is told"},
    {"unsubscribe", TemplateValue::url,
     "An https: or mailto: URL: List-Unsubscribe, with one-click for https: (RFC 8058)"},
    {"list_id", TemplateValue::line, "List-ID (RFC 2919)"},
}};

inline constexpr std::array<TemplateRow, 5> template_attachment_rows = {{
    {"filename", TemplateValue::word, "Its name; else that of the file"},
    {"path", TemplateValue::path, "A file, from the template's folder on"},
    {"content", TemplateValue::base64, "Its octets as base64"},
    {"content_type", TemplateValue::word, "Its type; else what the name's ending says"},
    {"cid", TemplateValue::word, "Content-ID, for cid: URLs of the page"},
}};

inline constexpr std::array<TemplateRow, 1> template_envelope_rows = {{
    {"from", TemplateValue::sender, "Where bounces go, as bounce+{{id}}@example.com"},
}};

template <std::size_t count>
[[nodiscard]] constexpr std::array<std::string_view, count> names_of(
    const std::array<TemplateRow, count>& rows) {
  std::array<std::string_view, count> names;
  for (std::size_t index = 0; index < count; ++index) {
    names[index] = rows[index].name;
  }
  return names;
}

}  // namespace ringpost::cli
