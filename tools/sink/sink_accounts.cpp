// Tokens run out after so many logins, so that a client can be seen to fetch the next one. All
// threads share one count of uses, and a login takes its use by compare-and-exchange: of two
// sessions at the last use of a token one gets in. The password is kept as it is, because CRAM-MD5
// and SCRAM are computed from it here; that does for tests, not for a server with users.
#include "tools/sink/sink_accounts.h"

namespace ringpost::sink {

bool SinkAccounts::is_password(Bytes user, Bytes password) {
  return user == options_.user && password == options_.password;
}

std::optional<Bytes> SinkAccounts::password_of(Bytes user) {
  return user == options_.user ? std::optional<Bytes>(options_.password) : std::nullopt;
}

bool SinkAccounts::use_token(Bytes user, Bytes token) {
  const TokenOptions& book = options_.tokens;
  if (user != options_.user) {
    return false;
  }
  if (book.uses_max == 0) {
    return !book.tokens.empty() && token == book.tokens.front();
  }
  std::uint64_t uses = token_uses_.load();
  do {
    const std::uint64_t index = uses / book.uses_max;
    if (index >= book.tokens.size() || token != book.tokens[index]) {
      return false;
    }
  } while (!token_uses_.compare_exchange_weak(uses, uses + 1));
  return true;
}

}  // namespace ringpost::sink
