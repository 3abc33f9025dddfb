// MIME (RFC 2045, RFC 2046, RFC 2183, RFC 2387). The tree of parts has a fixed shape, see the
// header, so it is written by one function a level and never built.
//
// Boundaries begin with `=_`, which neither quoted-printable nor base64 can produce (RFC 2045 6.7
// gives the hint). Text that would go as 7bit and has a line that begins like one is sent as
// quoted-printable instead, so no boundary can occur in a part, whatever the part's author knows
// about the hash in it.
#include "codec/mail/part_tree.h"

#include <algorithm>
#include <cstdint>

#include "codec/mail/header_text.h"
#include "codec/mail/quoted_printable.h"
#include "codec/text/base64.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr Bytes boundary_begin = "--=_";
constexpr int boundary_tries_max = 8;

// How a text part goes out.
enum class TextEncoding : std::uint8_t { seven_bit, quoted_printable, base64 };

class PartWriter {
 public:
  PartWriter(const PartTree& tree, std::string& out, std::vector<OpenText>* open)
      : tree_(tree), out_(out), open_(open), begin_(out.size()), boundary_(tree.identity) {
    // An empty text is what is left when all are empty.
    const bool has_html = has_character(tree.html);
    html_ = has_html ? tree.html : nullptr;
    const bool has_text = has_character(tree.text) || (tree.text != nullptr && !has_html);
    const bool stands_in = tree.html != nullptr && !has_html && tree.attachments.empty();
    text_ = has_text ? tree.text : stands_in ? tree.html : nullptr;
    for (const Attachment& attachment : tree.attachments) {
      ++(is_inline(attachment) ? inline_count_ : attached_count_);
    }
  }

  Composed run() {
    if (!find_boundary()) {
      return Failure(
          CompositionError{CompositionErrorKind::attached_message, "attachments",
                           "have a message that was made to break this one into other parts"});
    }
    write_mixed();
    return {};
  }

 private:
  static bool has_character(const TextPart* part) {
    return part != nullptr && (part->is_open || !part->text.empty());
  }

  // Beside the html that shows it.
  [[nodiscard]] bool is_inline(const Attachment& attachment) const {
    return html_ != nullptr && !attachment.content_id.empty() &&
           !is_message_type(attachment.content_type);
  }

  // An attached message stands in this one as it is, and may have been made by somebody who knows
  // how boundaries are made.
  bool find_boundary() {
    const auto is_message = [](const Attachment& one) { return is_message_type(one.content_type); };
    if (std::none_of(tree_.attachments.begin(), tree_.attachments.end(), is_message)) {
      return true;
    }
    for (int tries = 0; tries < boundary_tries_max; ++tries, ++boundary_.low) {
      std::string stem;
      append_hex(stem, boundary_);
      const bool occurs = std::any_of(
          tree_.attachments.begin(), tree_.attachments.end(), [&](const Attachment& one) {
            return is_message(one) && one.content.find(stem) != std::string::npos;
          });
      if (!occurs) {
        return true;
      }
    }
    return false;
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
    for (const Attachment& attachment : tree_.attachments) {
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
    for (const Attachment& attachment : tree_.attachments) {
      if (is_inline(attachment)) {
        begin_part(several, 'r');
        const bool text = is_text_type(content_type_of(attachment));
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
    if (part.is_open) {
      return TextEncoding::quoted_printable;
    }
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
        if (part.is_open) {
          RP_ASSERT(open_ != nullptr);
          open_->push_back({out_.size() - begin_, &part == html_, !within});
        } else {
          append_quoted_printable(out_, part.text);
        }
        break;
      case TextEncoding::base64:
        out_ += "base64\r\n\r\n";
        append_base64_lines(out_, part.text);
        return;
    }
    if (within || (!part.is_open && !part.traits.ends_with_crlf())) {
      out_ += "\r\n";
    }
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

  const PartTree& tree_;
  std::string& out_;
  std::vector<OpenText>* const open_;
  const std::size_t begin_;
  LineHash boundary_;  // what the boundaries are made of
  const TextPart* text_ = nullptr;
  const TextPart* html_ = nullptr;
  std::size_t inline_count_ = 0;
  std::size_t attached_count_ = 0;
};

}  // namespace

Composed append_parts(const PartTree& tree, std::string& out, std::vector<OpenText>* open) {
  return PartWriter(tree, out, open).run();
}

std::size_t size_of_parts(const PartTree& tree) {
  std::size_t bytes = 4096;
  for (const TextPart* const part : {tree.text, tree.html}) {
    bytes += part != nullptr ? part->text.size() * 5 / 4 : 0;
  }
  for (const Attachment& attachment : tree.attachments) {
    bytes += base64_size(attachment.content.size()) * 78 / 76 + 512;
  }
  return bytes;
}

}  // namespace ringpost::codec
