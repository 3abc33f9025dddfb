// The problem: "the server broke the protocol" is true of an IMAP server and helps nobody. The
// idea: the protocols that are met on a wrong port give themselves away in their first octets, and
// a refusal that is about our name has HELO or EHLO in its words. Limits: a server that waits for
// the client to speak first shows nothing to judge by; the two words are found within other words,
// too.
#include "engine/protocol/opening_hint.h"

#include <algorithm>
#include <array>

#include "codec/text/ascii.h"

namespace ringpost::protocol {

namespace {

struct Greeting {
  Bytes prefix;
  std::string_view hint;
};

constexpr std::string_view tls_hint =
    "this port speaks TLS from the first octet, as 465 does: use smtps://";
constexpr std::string_view imap_hint =
    "an IMAP server answers on this port; mail is handed in on 587 (smtp://) or 465 (smtps://)";

constexpr std::array<Greeting, 10> greetings = {{
    // A record of TLS: an alert or a handshake message, version 3.x (RFC 8446 5.1).
    {Bytes("\x15\x03", 2), tls_hint},
    {Bytes("\x16\x03", 2), tls_hint},
    {"* OK", imap_hint},
    {"* PREAUTH", imap_hint},
    {"* BYE", imap_hint},
    {"* BAD", imap_hint},
    {"+OK",
     "a POP3 server answers on this port; mail is handed in on 587 (smtp://) or 465 (smtps://)"},
    {"HTTP/", "an HTTP server or proxy answers on this port"},
    {"<", "something that sends HTML or XML answers on this port"},
    {"SSH-", "an SSH server answers on this port"},
}};

bool same_letter(char a, char lower_case) { return codec::lower(a) == lower_case; }

bool contains_word(Bytes text, Bytes lower_case) {
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same_letter) !=
         text.end();
}

}  // namespace

std::string_view foreign_protocol_hint(Bytes first_octets) {
  for (const Greeting& greeting : greetings) {
    if (first_octets.starts_with(greeting.prefix)) {
      return greeting.hint;
    }
  }
  return {};
}

bool is_about_client_name(Bytes reply_text) {
  return contains_word(reply_text, "helo") || contains_word(reply_text, "ehlo");
}

}  // namespace ringpost::protocol
