// SMTP replies (RFC 5321 4.2), from a byte stream split anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::codec {

// One complete reply. `text` points into the parser and dies at its next call.
struct Reply {
  std::uint16_t code = 0;
  EnhancedStatus enhanced;  // of the first line that has one (RFC 2034), whatever was announced
  Bytes text;               // without codes; lines separated by '\n'
  std::uint16_t lines = 0;

  [[nodiscard]] bool positive() const { return code / 100 == 2; }
  [[nodiscard]] bool intermediate() const { return code / 100 == 3; }
  [[nodiscard]] bool transient() const { return code / 100 == 4; }
  [[nodiscard]] bool permanent() const { return code / 100 == 5; }
};

// Why octets are no reply. Each of them ends the session: what stands behind cannot be trusted.
enum class ReplyError : std::uint8_t {
  line_too_long,
  reply_too_long,
  too_many_lines,
  bad_code,     // no three digits, a first digit other than 2 to 5, or no space or hyphen behind
  mixed_codes,  // `250-` followed by `550 `
  nul_octet,
};
inline constexpr std::size_t reply_error_count = 6;
[[nodiscard]] std::string_view text_of(ReplyError error);

// Lines end with LF, a CR before it is dropped; bare CRs are text. Bounded by limits.h.
class ReplyParser {
 public:
  // Consumes from the front of `input` up to the end of one reply and returns it, or consumes all
  // and returns false. After an error the parser must not be used again.
  [[nodiscard]] Result<bool, ReplyError> parse(Bytes& input, Reply& reply);
  // Whether a reply has begun and not ended.
  [[nodiscard]] bool in_reply() const { return !line_.empty() || reply_open_; }
  // Behind an error, the line that was none of a reply, as far as it was read; else what has come
  // of a line whose end has not. Line breaks are not in it.
  [[nodiscard]] Bytes line_at_hand() const;
  // The lines of a reply that stand before it; code 0 when there are none. Lives like a Reply.
  [[nodiscard]] Reply unfinished() const;

 private:
  [[nodiscard]] Result<bool, ReplyError> take_line(Bytes line, Reply& reply);

  std::string line_;  // whose end has not come yet, or that was an error
  std::string text_;
  std::uint16_t code_ = 0;
  std::uint16_t lines_ = 0;
  EnhancedStatus enhanced_;
  bool reply_open_ = false;
};

// "5.1.1" at the front of `text`, followed by a space or the end; removes it and the space.
[[nodiscard]] EnhancedStatus take_enhanced_status(Bytes& text);

}  // namespace ringpost::codec
