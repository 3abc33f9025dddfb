// Tokens run out after so many logins, so that a client can be seen to fetch the next one. All
// threads share one count of uses, and a login takes its use by compare-and-exchange: of two
// sessions at the last use of a token one gets in. The password is kept as it is, because CRAM-MD5
// and SCRAM are computed from it here; that does for tests, not for a server with users.
#include "tools/sink/sink_accounts.h"

#include <algorithm>

#include "codec/text/ascii.h"
#include "codec/text/wildcard.h"

namespace ringpost::sink {

namespace {

std::string in_lower_case(Bytes text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

}  // namespace

bool SinkAccounts::is_user(Bytes user) const {
  if (options_.user_is_password) {
    return user == options_.password;
  }
  if (options_.user_forms.empty()) {
    return user == options_.user;
  }
  return std::any_of(options_.user_forms.begin(), options_.user_forms.end(),
                     [&](const std::string& form) {
                       return codec::fits_wildcard(in_lower_case(user), in_lower_case(form));
                     });
}

bool SinkAccounts::is_password(Bytes user, Bytes password) {
  return is_user(user) && password == options_.password;
}

std::optional<Bytes> SinkAccounts::password_of(Bytes user) {
  return is_user(user) ? std::optional<Bytes>(options_.password) : std::nullopt;
}

bool SinkAccounts::use_token(Bytes user, Bytes token) {
  const TokenOptions& book = options_.tokens;
  if (!is_user(user)) {
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
