// What programs print, and files hold, that give OAuth access tokens: the token alone, or the JSON
// object of an authorisation server (RFC 6749 5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

struct TokenReply {
  std::string access_token;
  std::optional<std::uint64_t> expires_in_s;
};

// White space around it is passed over, and so are other members of the object. `expires_in` may be
// a number or the text of one. The error is a clause that does not quote the text, which is secret.
[[nodiscard]] Result<TokenReply, std::string> parse_token_reply(Bytes text);

}  // namespace ringpost::codec
