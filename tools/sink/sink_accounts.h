// The one account of a sink, and the OAuth tokens that it takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/server/accounts.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// Which OAuth tokens are good. Each of them is good for so many logins, then only the next one is;
// behind the last none is.
struct TokenOptions {
  std::vector<std::string> tokens;
  std::uint64_t uses_max = 0;  // of each; 0: the first one is good for ever
};

struct AccountOptions {
  std::string user = "ringpost";
  // In its place patterns of which a name must fit one; case does not count.
  std::vector<std::string> user_forms{};
  std::string password = "ringpost";
  bool user_is_password = false;  // both are one token, and `user` does not count
  TokenOptions tokens;
};

// Of all sessions of a sink together; any thread.
class SinkAccounts final : public server::Accounts {
 public:
  // `options` outlive it.
  explicit SinkAccounts(const AccountOptions& options) : options_(options) {}

  [[nodiscard]] bool is_password(Bytes user, Bytes password) override;
  [[nodiscard]] std::optional<Bytes> password_of(Bytes user) override;
  [[nodiscard]] bool use_token(Bytes user, Bytes token) override;

 private:
  [[nodiscard]] bool is_user(Bytes user) const;

  const AccountOptions& options_;
  std::atomic<std::uint64_t> token_uses_{0};
};

}  // namespace ringpost::sink
