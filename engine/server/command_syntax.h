// The grammar of RFC 5321 4.1.2 and of the extensions' parameters, seen from the server.
//
// Written apart from the client's own codec, so that both cannot be wrong in the same way. Stricter
// than a server on the Internet should be: source routes, doubled spaces and unknown parameters
// fail.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/server/extensions.h"
#include "engine/server/server_count.h"
#include <ringpost/base.h>

namespace ringpost::server {

enum class Verb : std::uint8_t {
  helo,
  ehlo,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  help,
  quit,
  unknown,
};

struct Command {
  Verb verb = Verb::unknown;
  Bytes arguments;  // behind the verb and one space; trailing white space is off (RFC 5321 4.1.1)
};

// Takes a line without its CRLF apart.
[[nodiscard]] Command split_command(Bytes line);

// Octets a line may have, CRLF included: 512 and what the extensions add for this verb.
[[nodiscard]] std::size_t command_line_bytes_max(Verb verb);
// The most of any verb.
inline constexpr std::size_t any_command_line_bytes_max = 12'288;  // RFC 4954 4, AUTH

// Why a command's arguments are refused. All texts are literals.
struct SyntaxError {
  std::uint16_t code = 501;
  Bytes enhanced = "5.5.4";
  Bytes text;
  Violation violation = Violation::syntax;
};

struct MailArguments {
  Bytes sender;  // without brackets; empty is the null sender
  Bytes local_part;
  std::optional<std::uint64_t> size;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  // RFC 3461, in the client's spelling; empty: not given.
  Bytes return_kind;  // FULL or HDRS
  Bytes envelope_id;  // xtext
};

struct RcptArguments {
  Bytes recipient;
  Bytes local_part;
  // Likewise.
  Bytes notify;              // NEVER, or SUCCESS, FAILURE and DELAY with commas
  Bytes original_recipient;  // with its type: "rfc822;" and xtext
};

struct BdatArguments {
  std::uint64_t bytes = 0;
  bool last = false;
};

// How a client has to say it.
enum class Grammar : std::uint8_t {
  // By the letter of RFC 5321: whoever tries a client finds its mistakes.
  strict,
  // As relays take it from the programs that there are (Postfix 3.7, Exim 4.96): spaces behind the
  // colon and between parameters, a path without brackets, and any name behind EHLO that can stand
  // in a header field.
  tolerant,
};

// `offered` is what this session was told in the reply to EHLO. Views point into `arguments`.
[[nodiscard]] Result<MailArguments, SyntaxError> parse_mail(Bytes arguments,
                                                            const Extensions& offered,
                                                            Grammar grammar = Grammar::strict);
[[nodiscard]] Result<RcptArguments, SyntaxError> parse_rcpt(Bytes arguments,
                                                            const Extensions& offered,
                                                            bool smtputf8,
                                                            Grammar grammar = Grammar::strict);
[[nodiscard]] Result<BdatArguments, SyntaxError> parse_bdat(Bytes arguments);

// A domain or an address literal, as EHLO wants (RFC 5321 4.1.1.1).
[[nodiscard]] bool is_host_name(Bytes text, Grammar grammar = Grammar::strict);

}  // namespace ringpost::server
