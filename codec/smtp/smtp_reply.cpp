// The problem: octets come in any split, from servers that may be broken or hostile, and nearly
// always in whole lines. The idea: a line that is whole is read where it stands, and only a part of
// one is kept; each bound is looked at before anything grows. Limits: what is no reply is never
// skipped in search of the next; the texts of errors repeat the numbers of limits.h and are kept in
// step by hand.
#include "codec/smtp/smtp_reply.h"

#include <array>
#include <cstring>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::array<std::string_view, reply_error_count> error_texts = {
    "a reply line is longer than 8,192 octets",
    "a reply is longer than 64 KiB",
    "a reply has more than 256 lines",
    "a reply line does not begin with a reply code",
    "the lines of a reply carry different codes",
    "a reply contains a NUL octet",
};

// The number at the front of `text`, of one to three digits; -1 when there is none.
int take_number(Bytes& text) {
  int number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && digits < 3 && is_digit(text[digits])) {
    number = number * 10 + (text[digits] - '0');
    ++digits;
  }
  text.remove_prefix(digits);
  return digits == 0 ? -1 : number;
}

bool take_dot(Bytes& text) {
  if (text.empty() || text.front() != '.') {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string_view text_of(ReplyError error) { return error_texts[static_cast<std::size_t>(error)]; }

EnhancedStatus take_enhanced_status(Bytes& text) {
  // Nearly always three digits with dots between them.
  if (text.size() > 5 && text[1] == '.' && text[3] == '.' && text[5] == ' ' && is_digit(text[2]) &&
      is_digit(text[4]) && (text[0] == '2' || text[0] == '4' || text[0] == '5')) {
    const EnhancedStatus status{static_cast<std::uint8_t>(text[0] - '0'),
                                static_cast<std::uint16_t>(text[2] - '0'),
                                static_cast<std::uint16_t>(text[4] - '0')};
    text.remove_prefix(6);
    return status;
  }
  if (text.size() < 5 || text[1] != '.' || (text[0] != '2' && text[0] != '4' && text[0] != '5')) {
    return {};
  }
  Bytes rest = text.substr(2);
  const int subject = take_number(rest);
  if (subject < 0 || !take_dot(rest)) {
    return {};
  }
  const int detail = take_number(rest);
  if (detail < 0 || (!rest.empty() && rest.front() != ' ')) {
    return {};
  }
  EnhancedStatus status;
  status.status_class = static_cast<std::uint8_t>(text[0] - '0');
  status.subject = static_cast<std::uint16_t>(subject);
  status.detail = static_cast<std::uint16_t>(detail);
  if (!rest.empty()) {
    rest.remove_prefix(1);
  }
  text = rest;
  return status;
}

Result<bool, ReplyError> ReplyParser::parse(Bytes& input, Reply& reply) {
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    const Bytes part = input.substr(0, end);
    if (line_.size() + part.size() > limits::reply_line_bytes_max) {
      line_.append(part.substr(0, limits::reply_line_bytes_max - line_.size()));
      return Failure(ReplyError::line_too_long);
    }
    if (end == Bytes::npos) {
      line_.append(part);
      input = {};
      return false;
    }
    input.remove_prefix(end + 1);
    Result<bool, ReplyError> complete = false;
    if (line_.empty()) {
      complete = take_line(part, reply);
      if (!complete) {
        line_ = part;
      }
    } else {
      line_.append(part);
      complete = take_line(line_, reply);
      if (complete) {
        line_.clear();
      }
    }
    if (!complete || *complete) {
      return complete;
    }
  }
  return false;
}

Bytes ReplyParser::line_at_hand() const {
  Bytes line = line_;
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  return line;
}

Reply ReplyParser::unfinished() const {
  return reply_open_ ? Reply{code_, enhanced_, text_, lines_} : Reply{};
}

Result<bool, ReplyError> ReplyParser::take_line(Bytes line, Reply& reply) {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (std::memchr(line.data(), '\0', line.size()) != nullptr) {
    return Failure(ReplyError::nul_octet);
  }
  const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                        is_digit(line[2]);
  // A bare code without text is what RFC 5321 4.2 asks clients to accept.
  if (!has_code || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) {
    return Failure(ReplyError::bad_code);
  }
  const auto code =
      static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  const bool last = line.size() == 3 || line[3] == ' ';
  if (!reply_open_) {
    reply_open_ = true;
    code_ = code;
    lines_ = 0;
    enhanced_ = {};
    text_.clear();
  } else if (code != code_) {
    return Failure(ReplyError::mixed_codes);
  }
  if (++lines_ > limits::reply_lines_max) {
    return Failure(ReplyError::too_many_lines);
  }
  Bytes text = line.substr(line.size() == 3 ? 3 : 4);
  const EnhancedStatus enhanced = take_enhanced_status(text);
  if (!enhanced_.present()) {
    enhanced_ = enhanced;
  }
  if (text_.size() + text.size() + 1 > limits::reply_bytes_max) {
    return Failure(ReplyError::reply_too_long);
  }
  if (lines_ > 1) {
    text_.push_back('\n');
  }
  text_.append(text);
  if (last) {
    reply_open_ = false;
    reply = Reply{code_, enhanced_, text_, lines_};
  }
  return last;
}

}  // namespace ringpost::codec
