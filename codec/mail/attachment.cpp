// The problem: what a job calls a file becomes a part of a message, and its names and types stand
// in fields. The idea: all of it is checked here, so that whoever writes the part can trust it.
// Limits: a type that nobody says is guessed by the ending of the name alone.
#include "codec/mail/attachment.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/content_check.h"
#include "codec/mail/header_field.h"
#include "codec/mail/header_text.h"
#include "codec/text/blanks.h"
#include "codec/text/lexical_token.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

Failure<CompositionError> refuse_attachment(CompositionErrorKind kind, std::string field,
                                            std::string reason) {
  return Failure(CompositionError{kind, std::move(field), std::move(reason)});
}

// RFC 2045 5.1: `*(";" attribute "=" value)`, with spaces around the semicolons.
bool are_parameters(Bytes text) {
  const auto skip_spaces = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  };
  for (skip_spaces(); !text.empty(); skip_spaces()) {
    if (text.front() != ';') {
      return false;
    }
    text.remove_prefix(1);
    skip_spaces();
    const std::size_t equals = text.find('=');
    if (equals == Bytes::npos || !is_mime_token(text.substr(0, equals))) {
      return false;
    }
    text.remove_prefix(equals + 1);
    const bool quoted = text.starts_with('"');
    const std::size_t size =
        quoted ? quoted_string_size(text) : std::min(text.find_first_of("; "), text.size());
    if (size == 0 || (!quoted && !is_mime_token(text.substr(0, size)))) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

bool is_content_type(Bytes text) {
  const std::size_t slash = text.find('/');
  const std::size_t end = std::min(text.find_first_of("; "), text.size());
  return text.size() <= limits::content_type_bytes_max && slash < end &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
         is_mime_token(text.substr(0, slash)) &&
         is_mime_token(text.substr(slash + 1, end - slash - 1)) && are_parameters(text.substr(end));
}

bool is_content_id(Bytes text) {
  return text.size() <= limits::content_id_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char character) {
           constexpr Bytes specials = "<>()[]\\\",;:";
           return character > ' ' && character <= '~' && specials.find(character) == Bytes::npos;
         });
}

bool is_of_type(Bytes content_type, Bytes type) {
  return equal_field_names(content_type.substr(0, content_type.find('/')), type);
}

// What is more than a file with a type: a multipart has a boundary that only its author knows, and
// these two would have the reader fetch something or wait for the rest (RFC 2046 5.2.2, 5.2.3).
bool cannot_be_attached(Bytes content_type) {
  const Bytes type = content_type.substr(0, content_type.find_first_of("; "));
  return is_of_type(type, "multipart") || equal_field_names(type, "message/partial") ||
         equal_field_names(type, "message/external-body");
}

// RFC 2045 6.4 and RFC 2046 5.2.1: messages may not be encoded.
Composed check_attached_message(const Attachment& attachment, std::size_t index) {
  const std::string place = fmt::format("attachments[{}]", index);
  constexpr Bytes way_out = "; as application/octet-stream it can be attached";
  if (const auto reason = why_no_message(attachment.content)) {
    return refuse_attachment(CompositionErrorKind::attached_message, place,
                             fmt::format("is no message: {}{}", *reason, way_out));
  }
  const LineScan scan = scan_lines(attachment.content);
  const std::size_t longest = std::max(scan.longest_ended_bytes, scan.last_line_bytes + 1);
  if (scan.has_nul || scan.has_unpaired || longest > limits::content_line_bytes_max + 1) {
    return refuse_attachment(
        CompositionErrorKind::attached_message, place,
        fmt::format("has a line that no message may have: NUL, a bare CR or LF, or more "
                    "than 998 octets{}",
                    way_out));
  }
  return {};
}

// By the ending of the file's name; what newsletters and receipts carry.
Bytes guessed_content_type(Bytes file_name) {
  constexpr std::array<std::pair<Bytes, Bytes>, 21> types = {
      {{"pdf", "application/pdf"},
       {"png", "image/png"},
       {"jpg", "image/jpeg"},
       {"jpeg", "image/jpeg"},
       {"gif", "image/gif"},
       {"webp", "image/webp"},
       {"svg", "image/svg+xml"},
       {"txt", "text/plain; charset=utf-8"},
       {"csv", "text/csv; charset=utf-8"},
       {"html", "text/html; charset=utf-8"},
       {"htm", "text/html; charset=utf-8"},
       {"ics", "text/calendar; charset=utf-8"},
       {"vcf", "text/vcard; charset=utf-8"},
       {"json", "application/json"},
       {"xml", "application/xml"},
       {"zip", "application/zip"},
       {"gz", "application/gzip"},
       {"doc", "application/msword"},
       {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
       {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
       {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"}}};
  file_name = file_name.substr(0, file_name.find_last_not_of(' ') + 1);
  const std::size_t dot = file_name.rfind('.');
  if (dot != Bytes::npos) {
    for (const auto& [ending, type] : types) {
      if (equal_field_names(file_name.substr(dot + 1), ending)) {
        return type;
      }
    }
  }
  return "application/octet-stream";
}

}  // namespace

void Attachment::clear() {
  file_name.clear();
  content_type.clear();
  content_id.clear();
  content.clear();
}

bool is_message_type(Bytes content_type) { return is_of_type(content_type, "message"); }

bool is_text_type(Bytes content_type) { return is_of_type(content_type, "text"); }

Composed check_attachment(const Attachment& attachment, std::size_t index) {
  const auto place = [index](Bytes member) {
    return fmt::format("attachments[{}].{}", index, member);
  };
  if (attachment.file_name.size() > limits::file_name_bytes_max) {
    return refuse_attachment(CompositionErrorKind::file_name, place("filename"),
                             fmt::format("is longer than {} octets: it has {}",
                                         limits::file_name_bytes_max, attachment.file_name.size()));
  }
  if (std::any_of(attachment.file_name.begin(), attachment.file_name.end(), is_control_but_tab)) {
    return refuse_attachment(CompositionErrorKind::file_name, place("filename"),
                             "has a control character");
  }
  if (!attachment.content_type.empty() && !is_content_type(attachment.content_type)) {
    return refuse_attachment(CompositionErrorKind::content_type, place("content_type"),
                             "must look like type/subtype or type/subtype; name=value");
  }
  if (cannot_be_attached(attachment.content_type)) {
    return refuse_attachment(
        CompositionErrorKind::content_type, place("content_type"),
        "multipart/*, message/partial and message/external-body cannot be attached: use "
        "application/octet-stream");
  }
  if (!is_content_id(attachment.content_id)) {
    return refuse_attachment(CompositionErrorKind::content_id, place("cid"),
                             "must be printable ASCII without brackets, quotes, commas and spaces");
  }
  return is_message_type(attachment.content_type) ? check_attached_message(attachment, index)
                                                  : Composed{};
}

Bytes content_type_of(const Attachment& attachment) {
  return attachment.content_type.empty() ? guessed_content_type(attachment.file_name)
                                         : Bytes(attachment.content_type);
}

bool has_name_parameter(Bytes content_type) {
  for (std::size_t at = content_type.find(';'); at != Bytes::npos;
       at = content_type.find(';', at + 1)) {
    Bytes parameter = content_type.substr(at + 1);
    parameter.remove_prefix(std::min(parameter.find_first_not_of(' '), parameter.size()));
    const Bytes name = parameter.substr(0, parameter.find_first_of("=*"));
    if (equal_field_names(name, "name")) {
      return true;
    }
  }
  return false;
}

}  // namespace ringpost::codec
