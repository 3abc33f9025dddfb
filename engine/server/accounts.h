// Who may log in at a server.
#pragma once

#include <optional>

#include <ringpost/base.h>

namespace ringpost::server {

// Asked by all sessions of a server; thread-safe where these have several threads.
class Accounts {
 public:
  Accounts() = default;
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;
  virtual ~Accounts() = default;

  // PLAIN and LOGIN: whether it is this user's.
  [[nodiscard]] virtual bool is_password(Bytes user, Bytes password) = 0;
  // CRAM-MD5 and SCRAM, whose proofs are made of the password itself. Nothing: there is no such
  // user, or only a hash of it is known.
  [[nodiscard]] virtual std::optional<Bytes> password_of(Bytes user) = 0;
  // OAUTHBEARER and XOAUTH2: whether the token lets this user in, now.
  [[nodiscard]] virtual bool use_token(Bytes user, Bytes token) = 0;
};

}  // namespace ringpost::server
