// Who sessions log in as.
#pragma once

#include <cstdint>
#include <utility>

#include "codec/smtp/sasl.h"

namespace ringpost::protocol {

// Made once and shared by all sessions that log in with it, since the secrets in it may be long.
// Never changed: another token is another Login.
struct Login {
  explicit Login(codec::Credentials with, std::uint64_t token = 0)
      : credentials(std::move(with)), redactor(credentials), token_number(token) {}

  codec::Credentials credentials;
  codec::Redactor redactor;
  std::uint64_t token_number;  // counts the tokens of an endpoint; 0 with a password
};

}  // namespace ringpost::protocol
