// What a server's words tell of a mistake in the configuration: whoever dials a wrong port, or
// names himself in a way that the server does not like, reads what to change.
#pragma once

#include <string_view>

#include <ringpost/base.h>

namespace ringpost::protocol {

// What speaks on a port whose first octets are these, and where mail is handed in instead, as a
// clause; empty when they are nothing that is known.
[[nodiscard]] std::string_view foreign_protocol_hint(Bytes first_octets);

// Whether a refusal is about the name that the client gave in EHLO. Servers say so in the greeting,
// behind EHLO, behind MAIL and, as Postfix does by default, not before RCPT.
[[nodiscard]] bool is_about_client_name(Bytes reply_text);

}  // namespace ringpost::protocol
