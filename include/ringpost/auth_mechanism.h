// The SASL mechanisms (RFC 4422) that ringpost can log in with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringpost {

// In which order they are preferred, and how each is called, says
// codec/smtp/auth_mechanism.cpp.
enum class AuthMechanism : std::uint8_t {
  plain,
  login,
  cram_md5,
  scram_sha_256,
  xoauth2,
  oauthbearer,
};
inline constexpr std::size_t auth_mechanism_count = 6;

}  // namespace ringpost
