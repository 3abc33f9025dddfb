// Composition (RFC 5322, RFC 2045 to 2047, RFC 2183, RFC 2387). The tree of parts has a fixed
// shape, see the header, so it is written by one function a level and never built.
//
// Boundaries begin with `=_`, which neither quoted-printable nor base64 can produce (RFC 2045 6.7
// gives the hint). Text that would go as 7bit and has a line that begins like one is sent as
// quoted-printable instead, so no boundary can occur in a part, whatever the part's author knows
// about the hash in it.
#include "codec/mail/composition.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "codec/job/job_error.h"
#include "codec/mail/header_text.h"
#include "codec/mail/quoted_printable.h"
#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/lexical_token.h"
#include "codec/text/unix_date.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using Composed = Result<void, CompositionError>;

constexpr Bytes boundary_begin = "--=_";
constexpr int boundary_tries_max = 8;

// Fields that compose() writes and nobody else; Bcc lives in the envelope.
constexpr std::array<Bytes, 5> owned_fields = {"Content-Type", "Content-Transfer-Encoding",
                                               "MIME-Version", "Bcc", "Resent-Bcc"};
// RFC 5322 3.6: fields that may stand once.
constexpr std::array<Bytes, 10> single_fields = {
    "Date", "From",       "Sender",      "Reply-To",   "To",
    "Cc",   "Message-ID", "In-Reply-To", "References", "Subject"};
// Fields that people read, blank by blank (RFC 5322 3.6.5).
constexpr std::array<Bytes, 2> text_fields = {"Subject", "Comments"};
// Fields with a structure that encoded words would break.
constexpr std::array<Bytes, 17> ascii_fields = {"Date",
                                                "From",
                                                "Sender",
                                                "Reply-To",
                                                "To",
                                                "Cc",
                                                "Message-ID",
                                                "In-Reply-To",
                                                "References",
                                                "List-Archive",
                                                "List-Help",
                                                "List-Owner",
                                                "List-Post",
                                                "List-Subscribe",
                                                "List-Unsubscribe",
                                                "List-Unsubscribe-Post",
                                                "DKIM-Signature"};

// Fields with names beside addresses or ids, whose encoded words are phrases (RFC 2047 5).
constexpr std::array<Bytes, 8> phrase_fields = {"List-ID",           "Disposition-Notification-To",
                                                "Return-Receipt-To", "Errors-To",
                                                "Resent-From",       "Resent-Sender",
                                                "Resent-To",         "Resent-Cc"};

Failure<CompositionError> refuse(CompositionErrorKind kind, std::string field, std::string reason) {
  return Failure(CompositionError{kind, std::move(field), std::move(reason)});
}

Failure<CompositionError> refuse_header(CompositionErrorKind kind, Bytes name, std::string reason) {
  const JobPlace headers{nullptr, "headers"};
  return refuse(kind, headers.member(name).text(), std::move(reason));
}

template <std::size_t count>
bool is_among(Bytes name, const std::array<Bytes, count>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](Bytes other) { return equal_field_names(name, other); });
}

bool is_control_but_tab(char character) {
  return (static_cast<std::uint8_t>(character) < 0x20 && character != '\t') || character == '\x7f';
}

bool has_header(const Composition& draft, Bytes name) {
  return std::any_of(draft.headers.begin(), draft.headers.end(), [name](const HeaderField& field) {
    return equal_field_names(field.name, name);
  });
}

// ---- Checks of headers
// ------------------------------------------------------------------------------

bool is_structured(Bytes name) {
  return is_among(name, ascii_fields) || is_among(name, phrase_fields);
}

bool has_outer_blanks(Bytes value) {
  constexpr Bytes blanks = " \t";
  return !value.empty() &&
         (blanks.find(value.front()) != Bytes::npos || blanks.find(value.back()) != Bytes::npos);
}

Composed check_header(const HeaderField& field) {
  if (!is_field_name(field.name)) {
    return refuse_header(
        CompositionErrorKind::header_name, field.name,
        "is no field name: 1 to 75 printable ASCII characters, no colon, no space");
  }
  if (is_among(field.name, owned_fields)) {
    return refuse_header(CompositionErrorKind::header_owned, field.name,
                         "is made from the other fields and cannot be given");
  }
  if (std::any_of(field.value.begin(), field.value.end(), is_control_but_tab)) {
    return refuse_header(CompositionErrorKind::header_value, field.name,
                         "has a line break or another control character");
  }
  if (has_outer_blanks(field.value) && !is_among(field.name, text_fields)) {
    return refuse_header(
        CompositionErrorKind::header_value, field.name,
        "begins or ends with a blank, which would be lost on the way: leave it out");
  }
  if (!is_ascii(field.value) && is_among(field.name, ascii_fields)) {
    return refuse_header(
        CompositionErrorKind::header_value, field.name,
        "must be ASCII; for names that are not there are from, to, cc and reply_to");
  }
  const Bytes value = field.value;
  if (equal_field_names(field.name, "Message-ID") &&
      (!value.starts_with('<') || !value.ends_with('>') || value.find(' ') != Bytes::npos)) {
    return refuse_header(CompositionErrorKind::header_value, field.name,
                         "must look like <left@right>");
  }
  return {};
}

Composed check_repeated(const Composition& draft) {
  std::array<bool, single_fields.size()> seen{};
  for (const HeaderField& field : draft.headers) {
    for (std::size_t index = 0; index < single_fields.size(); ++index) {
      if (equal_field_names(field.name, single_fields[index])) {
        if (std::exchange(seen[index], true)) {
          return refuse_header(CompositionErrorKind::header_repeated, field.name, "may stand once");
        }
      }
    }
  }
  return {};
}

Composed check_conflicts(const Composition& draft) {
  const std::array<std::pair<Bytes, bool>, 5> given = {{{"From", !draft.from.empty()},
                                                        {"Reply-To", !draft.reply_to.empty()},
                                                        {"To", !draft.to.empty()},
                                                        {"Cc", !draft.cc.empty()},
                                                        {"Subject", draft.subject.has_value()}}};
  for (const auto& [name, is_given] : given) {
    if (is_given && has_header(draft, name)) {
      return refuse_header(CompositionErrorKind::header_conflict, name,
                           "the job has a field of its own for it, and gives both");
    }
  }
  return {};
}

Composed check_headers(const Composition& draft) {
  for (const HeaderField& field : draft.headers) {
    if (Composed checked = check_header(field); !checked) {
      return checked;
    }
  }
  if (draft.from.empty() && !has_header(draft, "From")) {
    return refuse(CompositionErrorKind::no_author, "from", "is missing: a message needs an author");
  }
  return check_repeated(draft).and_then([&draft] { return check_conflicts(draft); });
}

// ---- Checks of attachments
// --------------------------------------------------------------------------

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
    return refuse(CompositionErrorKind::attached_message, place,
                  fmt::format("is no message: {}{}", *reason, way_out));
  }
  const LineScan scan = scan_lines(attachment.content);
  const std::size_t longest = std::max(scan.longest_ended_bytes, scan.last_line_bytes + 1);
  if (scan.has_nul || scan.has_unpaired || longest > limits::content_line_bytes_max + 1) {
    return refuse(CompositionErrorKind::attached_message, place,
                  fmt::format("has a line that no message may have: NUL, a bare CR or LF, or more "
                              "than 998 octets{}",
                              way_out));
  }
  return {};
}

Composed check_attachment(const Attachment& attachment, std::size_t index) {
  const auto place = [index](Bytes member) {
    return fmt::format("attachments[{}].{}", index, member);
  };
  if (attachment.file_name.size() > limits::file_name_bytes_max) {
    return refuse(CompositionErrorKind::file_name, place("filename"),
                  fmt::format("is longer than {} octets: it has {}", limits::file_name_bytes_max,
                              attachment.file_name.size()));
  }
  if (std::any_of(attachment.file_name.begin(), attachment.file_name.end(), is_control_but_tab)) {
    return refuse(CompositionErrorKind::file_name, place("filename"), "has a control character");
  }
  if (!attachment.content_type.empty() && !is_content_type(attachment.content_type)) {
    return refuse(CompositionErrorKind::content_type, place("content_type"),
                  "must look like type/subtype or type/subtype; name=value");
  }
  if (cannot_be_attached(attachment.content_type)) {
    return refuse(CompositionErrorKind::content_type, place("content_type"),
                  "multipart/*, message/partial and message/external-body cannot be attached: use "
                  "application/octet-stream");
  }
  if (!is_content_id(attachment.content_id)) {
    return refuse(CompositionErrorKind::content_id, place("cid"),
                  "must be printable ASCII without brackets, quotes, commas and spaces");
  }
  return is_message_type(attachment.content_type) ? check_attached_message(attachment, index)
                                                  : Composed{};
}

// ---- Parts ------------------------------------------------------------------------------------

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

// How a text part goes out.
enum class TextEncoding : std::uint8_t { seven_bit, quoted_printable, base64 };

class Composer {
 public:
  Composer(const Composition& draft, std::string& out)
      : draft_(draft), out_(out), boundary_(draft.identity) {
    // An empty text is what is left when all are empty.
    const bool has_html = draft.html && !draft.html->text.empty();
    html_ = has_html ? &*draft.html : nullptr;
    const bool has_text = draft.text && (!draft.text->text.empty() || !has_html);
    const bool stands_in = draft.html && !has_html && draft.attachments.empty();
    text_ = has_text ? &*draft.text : stands_in ? &*draft.html : nullptr;
    for (const Attachment& attachment : draft.attachments) {
      ++(is_inline(attachment) ? inline_count_ : attached_count_);
    }
  }

  Composed run() {
    if (!find_boundary()) {
      return refuse(CompositionErrorKind::attached_message, "attachments",
                    "have a message that was made to break this one into other parts");
    }
    reserve();
    Composed written = write_fields();
    if (written) {
      write_mixed();
    }
    return written;
  }

 private:
  // Beside the html that shows it.
  [[nodiscard]] bool is_inline(const Attachment& attachment) const {
    return html_ != nullptr && !attachment.content_id.empty() &&
           !is_message_type(attachment.content_type);
  }

  // An attached message stands in this one as it is, and may have been made by somebody who knows
  // how boundaries are made.
  bool find_boundary() {
    const auto is_message = [](const Attachment& one) { return is_message_type(one.content_type); };
    if (std::none_of(draft_.attachments.begin(), draft_.attachments.end(), is_message)) {
      return true;
    }
    for (int tries = 0; tries < boundary_tries_max; ++tries, ++boundary_.low) {
      std::string stem;
      append_hex(stem, boundary_);
      const bool occurs = std::any_of(
          draft_.attachments.begin(), draft_.attachments.end(), [&](const Attachment& one) {
            return is_message(one) && one.content.find(stem) != std::string::npos;
          });
      if (!occurs) {
        return true;
      }
    }
    return false;
  }

  // Roughly what it will take, so that large parts are not copied while the string grows.
  void reserve() {
    std::size_t bytes = 4096;
    for (const std::optional<TextPart>* part : {&draft_.text, &draft_.html}) {
      bytes += part->has_value() ? (*part)->text.size() * 5 / 4 : 0;
    }
    for (const Attachment& attachment : draft_.attachments) {
      bytes += base64_size(attachment.content.size()) * 78 / 76 + 512;
    }
    out_.reserve(out_.size() + bytes);
  }

  // ---- Fields of the message
  // -------------------------------------------------------------------------

  void write_mailboxes(Bytes name, std::span<const Mailbox> mailboxes) {
    if (!mailboxes.empty()) {
      append_mailbox_field(out_, name, mailboxes);
    }
  }

  Composed write_text_field(Bytes name, Bytes value, const JobPlace& place) {
    const auto append = is_among(name, text_fields) ? append_text_field
                        : is_structured(name)       ? append_structured_field
                                                    : append_field;
    if (append(out_, name, value)) {
      return {};
    }
    return refuse(CompositionErrorKind::header_too_long, place.text(),
                  "has a word that is too long for a line of 998 octets");
  }

  Composed write_fields() {
    write_mailboxes("From", draft_.from);
    write_mailboxes("Reply-To", draft_.reply_to);
    write_mailboxes("To", draft_.to);
    write_mailboxes("Cc", draft_.cc);
    const bool names_recipients = !draft_.to.empty() || !draft_.cc.empty() ||
                                  has_header(draft_, "To") || has_header(draft_, "Cc");
    if (!names_recipients) {
      // RFC 5322 A.1.3 shows it; a message without any recipient looks like spam to many filters.
      out_ += "To: undisclosed-recipients:;\r\n";
    }
    if (draft_.subject) {
      if (Composed written = write_text_field("Subject", *draft_.subject, {nullptr, "subject"});
          !written) {
        return written;
      }
    }
    write_generated_fields();
    const JobPlace headers{nullptr, "headers"};
    for (const HeaderField& field : draft_.headers) {
      Composed written = write_text_field(field.name, field.value, headers.member(field.name));
      if (!written) {
        return written;
      }
    }
    out_ += "MIME-Version: 1.0\r\n";
    return {};
  }

  void write_generated_fields() {
    if (!has_header(draft_, "Date")) {
      out_ += "Date: ";
      append_rfc5322_date(out_, draft_.date_us / 1'000'000);
      out_ += "\r\n";
    }
    if (!has_header(draft_, "Message-ID")) {
      out_ += "Message-ID: <";
      append_hex(out_, draft_.identity);
      out_ += '@';
      out_ += draft_.message_id_domain;
      out_ += ">\r\n";
    }
  }

  // ---- The tree
  // -------------------------------------------------------------------------------------

  void write_mixed() {
    const bool has_body = text_ != nullptr || html_ != nullptr;
    const bool several = attached_count_ + (has_body ? 1 : 0) > 1;
    if (several) {
      begin_multipart("mixed", 'm', "");
    }
    if (has_body) {
      begin_part(several, 'm');
      write_alternative(several);
    }
    for (const Attachment& attachment : draft_.attachments) {
      if (!is_inline(attachment)) {
        begin_part(several, 'm');
        write_attachment(attachment, "attachment", several);
      }
    }
    end_multipart(several, 'm');
  }

  void write_alternative(bool within) {
    const bool several = text_ != nullptr && html_ != nullptr;
    if (several) {
      begin_multipart("alternative", 'a', "");
    }
    if (text_ != nullptr) {
      begin_part(several, 'a');
      write_text(*text_, "plain", within || several);
    }
    if (html_ != nullptr) {
      begin_part(several, 'a');
      write_related(within || several);
    }
    end_multipart(several, 'a');
  }

  void write_related(bool within) {
    const bool several = inline_count_ != 0;
    if (several) {
      begin_multipart("related", 'r', "; type=\"text/html\"");
    }
    begin_part(several, 'r');
    write_text(*html_, "html", within || several);
    for (const Attachment& attachment : draft_.attachments) {
      if (is_inline(attachment)) {
        begin_part(several, 'r');
        const bool text = is_of_type(content_type_of(attachment), "text");
        write_attachment(attachment, text ? "attachment" : "inline", several);
      }
    }
    end_multipart(several, 'r');
  }

  // Boundaries differ in their last letter, one for each level, so none is the beginning of
  // another.
  void write_boundary(char level) {
    out_ += "=_";
    append_hex(out_, boundary_);
    out_ += level;
  }

  void begin_multipart(Bytes subtype, char level, Bytes parameters) {
    out_ += "Content-Type: multipart/";
    out_ += subtype;
    out_ += parameters;
    out_ += ";\r\n boundary=\"";
    write_boundary(level);
    out_ += "\"\r\n\r\n";
  }

  // Everything before ends with CRLF, which belongs to the boundary (RFC 2046 5.1.1).
  void begin_part(bool several, char level) {
    if (several) {
      out_ += "--";
      write_boundary(level);
      out_ += "\r\n";
    }
  }

  void end_multipart(bool several, char level) {
    if (several) {
      out_ += "--";
      write_boundary(level);
      out_ += "--\r\n";
    }
  }

  // ---- Leaves -----------------------------------------------------------------------------------

  static TextEncoding encoding_of(const TextPart& part, bool within) {
    const bool lines_fit = part.traits.longest_line_bytes <= limits::content_line_bytes_max;
    if (!part.traits.has_8bit) {
      const bool boundary_is_safe = !within || part.text.find(boundary_begin) == Bytes::npos;
      return lines_fit && boundary_is_safe ? TextEncoding::seven_bit
                                           : TextEncoding::quoted_printable;
    }
    const auto high = static_cast<std::size_t>(std::count_if(
        part.text.begin(), part.text.end(),
        [](char character) { return (static_cast<std::uint8_t>(character) & 0x80U) != 0; }));
    return high > part.text.size() / 2 ? TextEncoding::base64 : TextEncoding::quoted_printable;
  }

  // `within` a multipart the last CRLF is the boundary's, so the text gets one more.
  void write_text(const TextPart& part, Bytes subtype, bool within) {
    const TextEncoding encoding = encoding_of(part, within);
    out_ += "Content-Type: text/";
    out_ += subtype;
    out_ += "; charset=utf-8\r\nContent-Transfer-Encoding: ";
    switch (encoding) {
      case TextEncoding::seven_bit:
        out_ += "7bit\r\n\r\n";
        out_ += part.text;
        break;
      case TextEncoding::quoted_printable:
        out_ += "quoted-printable\r\n\r\n";
        append_quoted_printable(out_, part.text);
        break;
      case TextEncoding::base64:
        out_ += "base64\r\n\r\n";
        append_base64_lines(out_, part.text);
        return;
    }
    if (within || !part.traits.ends_with_crlf()) {
      out_ += "\r\n";
    }
  }

  static Bytes content_type_of(const Attachment& attachment) {
    return attachment.content_type.empty() ? guessed_content_type(attachment.file_name)
                                           : Bytes(attachment.content_type);
  }

  // On one line: check_attachment() has bounded its length, and quoted values may have spaces.
  void write_content_type(const Attachment& attachment) {
    const Bytes content_type = content_type_of(attachment);
    out_ += "Content-Type: ";
    out_ += content_type;
    if (!attachment.file_name.empty() && !has_name_parameter(content_type)) {
      append_file_name_for_old_readers(out_, attachment.file_name);
    }
    out_ += "\r\n";
  }

  void write_attachment(const Attachment& attachment, Bytes disposition, bool within) {
    const bool verbatim = is_message_type(attachment.content_type);
    write_content_type(attachment);
    out_ += "Content-Transfer-Encoding: ";
    out_ += !verbatim ? "base64" : is_ascii(attachment.content) ? "7bit" : "8bit";
    out_ += "\r\nContent-Disposition: ";
    out_ += disposition;
    if (!attachment.file_name.empty()) {
      append_file_name(out_, attachment.file_name);
    }
    out_ += "\r\n";
    if (!attachment.content_id.empty()) {
      out_ += "Content-ID: <";
      out_ += attachment.content_id;
      out_ += ">\r\n";
    }
    out_ += "\r\n";
    if (!verbatim) {
      append_base64_lines(out_, attachment.content);
      return;
    }
    out_ += attachment.content;
    if (within || !attachment.content.ends_with("\r\n")) {
      out_ += "\r\n";
    }
  }

  const Composition& draft_;
  std::string& out_;
  LineHash boundary_;  // what the boundaries are made of
  const TextPart* text_ = nullptr;
  const TextPart* html_ = nullptr;
  std::size_t inline_count_ = 0;
  std::size_t attached_count_ = 0;
};

}  // namespace

void HeaderField::clear() {
  name.clear();
  value.clear();
}

void Attachment::clear() {
  file_name.clear();
  content_type.clear();
  content_id.clear();
  content.clear();
}

bool equal_field_names(Bytes left, Bytes right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

bool is_message_type(Bytes content_type) { return is_of_type(content_type, "message"); }

Result<void, CompositionError> compose(const Composition& draft, std::string& content) {
  if (Composed checked = check_headers(draft); !checked) {
    return checked;
  }
  if (!draft.text && !draft.html && draft.attachments.empty()) {
    return refuse(CompositionErrorKind::no_content, "",
                  "there is no content: \"text\", \"html\", \"attachments\" or \"raw\" is needed");
  }
  for (std::size_t index = 0; index < draft.attachments.size(); ++index) {
    Composed checked = check_attachment(draft.attachments[index], index);
    if (!checked) {
      return checked;
    }
  }
  return Composer(draft, content).run();
}

}  // namespace ringpost::codec
