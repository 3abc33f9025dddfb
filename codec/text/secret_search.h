// Where a server's words tell a password in clear, and where they only use the same word.
#pragma once

#include <cstddef>

#include <ringpost/base.h>

namespace ringpost::codec {

// The next place, from `from` on, at which `text` tells `secret`; Bytes::npos: nowhere.
//
// - A secret of less than four octets tells nothing: it would match by chance, and its absence
//   would tell more than it hides.
// - One that is made of words of servers' replies (`wrong`, `password`, `access denied`) is told
//   only where it is quoted: in quotation marks or brackets, or right behind = or :. To cross it
//   out of "535 wrong password" would eat the server's words, and tell whoever knows them what the
//   password is.
// - A short one of letters alone or of digits alone (`mango`, `2024`) is told where it stands by
//   itself, and not within a longer word or number.
// - Every other one is told wherever its octets stand.
[[nodiscard]] std::size_t find_clear_secret(Bytes text, Bytes secret, std::size_t from);

}  // namespace ringpost::codec
