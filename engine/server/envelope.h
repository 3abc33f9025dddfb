// The envelope of a message as a client has said it (RFC 5321 4.1.1), with the parameters of
// extensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/server/command_syntax.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::server {

// NOTIFY and ORCPT of one recipient; empty: not given.
struct RecipientDsn {
  std::string notify;
  std::string original_recipient;
};

struct Envelope {
  std::string sender;  // without brackets; empty is the null sender
  std::optional<std::uint64_t> size;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  std::string return_kind;
  std::string envelope_id;

  RecipientList recipients;  // the accepted ones
  // By recipient, up to the last of them who has asked for anything.
  std::vector<RecipientDsn> recipient_dsn;

  // Keeps what MAIL has said; without its text, only what decides about content.
  void begin(const MailArguments& mail, bool with_text);
  void add(const RcptArguments& rcpt);
  // Empty; memory is kept for the next one, up to a bound.
  void clear();
};

}  // namespace ringpost::server
