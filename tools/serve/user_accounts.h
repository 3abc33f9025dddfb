// Who may log in at the smart host: a file of names and hashes of passwords.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "codec/smtp/sasl_crypto.h"
#include "engine/server/accounts.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// A line a user, docs/how-to/smart-host.md:
//
//   blog:pbkdf2-sha256$100000$SALT$HASH
//
// with salt and hash in base64; lines that are empty or begin with # say nothing.
struct PasswordHash {
  std::uint32_t iterations = 0;
  std::string salt;
  std::string hash;
};

// Of a new password, with a salt of its own: what stands behind the colon.
[[nodiscard]] std::string hash_of_password(Bytes password, const codec::SaslCrypto& crypto);
[[nodiscard]] Result<PasswordHash, std::string> parse_password_hash(Bytes text);

using UserMap = std::map<std::string, PasswordHash, std::less<>>;
// The error is a clause with the number of the line, and quotes no hash.
[[nodiscard]] Result<UserMap, std::string> parse_users(Bytes text);
// The error is a sentence that names the file: it cannot be read, other users may read it, or it is
// no such file.
[[nodiscard]] Result<UserMap, std::string> read_users(const std::string& path);

// Hashing takes long on purpose, so a password that was right is known again by a fast hash under a
// key that this process has made up, and wrong ones are hashed a few times a second at most,
// whoever offers them. Any thread.
class UserAccounts final : public server::Accounts {
 public:
  // `crypto` outlives it.
  UserAccounts(UserMap users, const codec::SaslCrypto& crypto);

  // Others from now on: who is logged in stays, and nobody's password is known any more.
  void replace(UserMap users);

  [[nodiscard]] bool is_password(Bytes user, Bytes password) override;
  // Only hashes are known.
  [[nodiscard]] std::optional<Bytes> password_of(Bytes /*user*/) override { return std::nullopt; }
  [[nodiscard]] bool use_token(Bytes /*user*/, Bytes /*token*/) override { return false; }

 private:
  [[nodiscard]] bool has_failed_too_often(Instant now);

  const codec::SaslCrypto& crypto_;
  const std::string key_;
  std::mutex mutex_;  // guards the rest
  std::shared_ptr<const UserMap> users_;
  std::map<std::string, codec::Sha256Digest, std::less<>> known_;  // by user
  Instant failed_from_{};  // the second in which wrong passwords are counted
  unsigned failed_ = 0;
};

}  // namespace ringpost::serve
