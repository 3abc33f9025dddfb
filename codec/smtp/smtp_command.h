// SMTP commands as octets. The one place that puts text into a command line.
#pragma once

#include <cstdint>
#include <string>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

struct MailParameters {
  std::uint64_t size_bytes = 0;  // SIZE= (RFC 1870) when not 0
  bool body_8bit = false;        // BODY=8BITMIME (RFC 6152)
  bool smtputf8 = false;         // SMTPUTF8 (RFC 6531)
  bool dsn = false;              // RET= and ENVID= (RFC 3461) of the job's request
};

// Each appends one command line with its CRLF. Arguments have been validated before; a CR, LF or
// NUL in one would be a mistake of ours and is asserted against, so that no input can become a
// command.
void append_ehlo(std::string& out, Bytes client_name);
void append_helo(std::string& out, Bytes client_name);
void append_starttls(std::string& out);
// `initial_response` is base64, or empty when the mechanism has none.
void append_auth(std::string& out, Bytes mechanism, Bytes initial_response);
// A base64 answer to a 334 challenge; "*" cancels (RFC 4954 4).
void append_auth_response(std::string& out, Bytes response);
void append_mail(std::string& out, Bytes sender, const MailParameters& parameters,
                 const DsnRequest& dsn);
// `notify` is empty without DSN; ORCPT is the address itself, as xtext, or as RFC 6533 writes one
// that is not ASCII.
void append_rcpt(std::string& out, Bytes address, Bytes notify);
void append_data(std::string& out);
void append_bdat_last(std::string& out, std::uint64_t size_bytes);
// Of a chunk that others follow.
void append_bdat(std::string& out, std::uint64_t size_bytes);
void append_rset(std::string& out);
void append_quit(std::string& out);

}  // namespace ringpost::codec
