// The problem: one line end in a name or an address makes two commands of one. The idea: whatever
// comes from outside goes into a line through append_argument(), which asserts, or in an encoding
// that has no control characters; numbers and keywords are ours. Limits: lengths, blanks and
// brackets are not looked at here; whether an argument is an address was decided before.
#include "codec/smtp/smtp_command.h"

#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

constexpr Bytes crlf = "\r\n";

// The choke point: whatever came from outside passes here on its way into a command line.
void append_argument(std::string& out, Bytes argument) {
  for (const char c : argument) {
    RP_ASSERT(c != '\r' && c != '\n' && c != '\0');
  }
  out.append(argument);
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

// RFC 3461 section 4: everything but printable ASCII without '+' and '=' becomes +HH.
void append_xtext(std::string& out, Bytes text) {
  constexpr Bytes hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7f && c != '+' && c != '=') {
      out.push_back(c);
    } else {
      out.push_back('+');
      out.push_back(hex[octet >> 4]);
      out.push_back(hex[octet & 0xf]);
    }
  }
}

// RFC 6533 section 3, utf-8-addr-xtext, which is ASCII and goes through every server: what is not
// printable ASCII, and `\`, `+` and `=`, becomes \x{HEX} by its code point.
void append_utf8_address(std::string& out, Bytes address) {
  while (!address.empty()) {
    const Utf8Character character = first_utf8_character(address);
    const char32_t code_point = character.code_point;
    const bool plain = code_point > 0x20 && code_point < 0x7f && code_point != '+' &&
                       code_point != '=' && code_point != '\\';
    if (plain) {
      out.append(address.substr(0, 1));
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{{{:02X}}}",
                     static_cast<std::uint32_t>(code_point));
    }
    address.remove_prefix(character.bytes);
  }
}

// An address that is not ASCII has a type of its own (RFC 6533): who reads "rfc822" expects ASCII.
void append_original_recipient(std::string& out, Bytes address) {
  if (is_ascii(address)) {
    out.append(" ORCPT=rfc822;");
    append_xtext(out, address);
  } else {
    out.append(" ORCPT=utf-8;");
    append_utf8_address(out, address);
  }
}

}  // namespace

void append_ehlo(std::string& out, Bytes client_name) {
  out.append("EHLO ");
  append_argument(out, client_name);
  out.append(crlf);
}

void append_helo(std::string& out, Bytes client_name) {
  out.append("HELO ");
  append_argument(out, client_name);
  out.append(crlf);
}

void append_starttls(std::string& out) { out.append("STARTTLS\r\n"); }

void append_auth(std::string& out, Bytes mechanism, Bytes initial_response) {
  out.append("AUTH ");
  append_argument(out, mechanism);
  if (!initial_response.empty()) {
    out.push_back(' ');
    append_argument(out, initial_response);
  }
  out.append(crlf);
}

void append_auth_response(std::string& out, Bytes response) {
  append_argument(out, response);
  out.append(crlf);
}

void append_mail(std::string& out, Bytes sender, const MailParameters& parameters,
                 const DsnRequest& dsn) {
  out.append("MAIL FROM:<");
  append_argument(out, sender);
  out.push_back('>');
  if (parameters.size_bytes != 0) {
    out.append(" SIZE=");
    append_number(out, parameters.size_bytes);
  }
  if (parameters.body_8bit) {
    out.append(" BODY=8BITMIME");
  }
  if (parameters.smtputf8) {
    out.append(" SMTPUTF8");
  }
  if (parameters.dsn && !dsn.return_kind.empty()) {
    out.append(" RET=");
    append_argument(out, dsn.return_kind);
  }
  if (parameters.dsn && !dsn.envelope_id.empty()) {
    out.append(" ENVID=");
    append_xtext(out, dsn.envelope_id);
  }
  out.append(crlf);
}

void append_rcpt(std::string& out, Bytes address, Bytes notify) {
  out.append("RCPT TO:<");
  append_argument(out, address);
  out.push_back('>');
  if (!notify.empty()) {
    out.append(" NOTIFY=");
    append_argument(out, notify);
    append_original_recipient(out, address);
  }
  out.append(crlf);
}

void append_data(std::string& out) { out.append("DATA\r\n"); }

void append_bdat_last(std::string& out, std::uint64_t size_bytes) {
  out.append("BDAT ");
  append_number(out, size_bytes);
  out.append(" LAST\r\n");
}

void append_bdat(std::string& out, std::uint64_t size_bytes) {
  out.append("BDAT ");
  append_number(out, size_bytes);
  out.append(crlf);
}

void append_rset(std::string& out) { out.append("RSET\r\n"); }

void append_quit(std::string& out) { out.append("QUIT\r\n"); }

}  // namespace ringpost::codec
