// The problem: a hash that is worth its name takes milliseconds, a platform may log in for each
// message, and strangers may try passwords all day, all of them on the thread that serves
// everybody. The idea: what was right once is remembered as an HMAC under a key of this process,
// and slow hashes that lead to nothing are rationed. Limits: while strangers use up the ration,
// somebody who logs in for the first time is refused, too, since nobody can tell them apart.
#include "tools/serve/user_accounts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/base64.h"
#include "codec/text/shown_text.h"
#include "tools/process/descriptor.h"
#include "tools/process/numbers.h"

namespace ringpost::serve {

namespace {

constexpr Bytes scheme = "pbkdf2-sha256";
// Some 30 ms of one core; who has the file has to spend them for each guess.
constexpr std::uint32_t usual_iterations = 100'000;
// Beyond this a login would hold up everybody for seconds.
constexpr std::uint64_t iterations_max = 10'000'000;
constexpr std::size_t salt_bytes_min = 8;
// Wrong passwords a second that are hashed at all: a third of a core at most.
constexpr unsigned failures_per_second = 10;
constexpr std::size_t users_file_bytes_max = 1u << 20;

// In the same time wherever they differ.
bool is_equal(Bytes a, Bytes b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  }
  return difference == 0;
}

std::optional<std::string> decoded(Bytes text) {
  std::string octets;
  if (!codec::decode_base64(text, codec::Base64Space::refused, octets)) {
    return std::nullopt;
  }
  return octets;
}

std::string hmac_key_of_process(const codec::SaslCrypto& crypto) { return crypto.nonce(); }

}  // namespace

std::string hash_of_password(Bytes password, const codec::SaslCrypto& crypto) {
  const std::string salt = crypto.nonce().substr(0, 16);
  std::string text = fmt::format("{}${}$", scheme, usual_iterations);
  codec::append_base64(text, salt);
  text += '$';
  codec::append_base64(text,
                       codec::bytes_of(crypto.pbkdf2_sha256(password, salt, usual_iterations)));
  return text;
}

Result<PasswordHash, std::string> parse_password_hash(Bytes text) {
  std::string parts[4];
  for (std::string& part : parts) {
    const std::size_t length = std::min(text.find('$'), text.size());
    part = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  if (parts[0] != scheme || !text.empty()) {
    return Failure(
        fmt::format("a hash is {}$ITERATIONS$SALT$HASH, as `ringpost serve "
                    "--hash-password` prints it",
                    scheme));
  }
  const auto iterations = cli::parse_number(parts[1], {.min = 1000, .max = iterations_max});
  const auto salt = decoded(parts[2]);
  const auto hash = decoded(parts[3]);
  if (!iterations || !salt || !hash || salt->size() < salt_bytes_min ||
      hash->size() != sizeof(codec::Sha256Digest)) {
    return Failure(
        fmt::format("its hash has to have 1000 to {} iterations, {} octets of salt or "
                    "more, and 32 of hash, both in base64",
                    iterations_max, salt_bytes_min));
  }
  return PasswordHash{static_cast<std::uint32_t>(*iterations), *salt, *hash};
}

Result<UserMap, std::string> parse_users(Bytes text) {
  UserMap users;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    Bytes line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    line.remove_suffix(line.ends_with('\r') ? 1 : 0);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == Bytes::npos || colon == 0) {
      return Failure(fmt::format("line {}: a user is NAME:HASH", number));
    }
    auto hash = parse_password_hash(line.substr(colon + 1));
    if (!hash) {
      return Failure(fmt::format("line {}: {}", number, hash.error()));
    }
    const Bytes name = line.substr(0, colon);
    if (!users.emplace(name, std::move(*hash)).second) {
      return Failure(
          fmt::format("line {}: user {} is there twice", number, codec::in_quotes(name)));
    }
  }
  if (users.empty()) {
    return Failure(std::string("no user is in it, so nobody could log in"));
  }
  return users;
}

Result<UserMap, std::string> read_users(const std::string& path) {
  const cli::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return Failure(fmt::format("users {}: {}", path, std::strerror(errno)));
  }
  if ((status.st_mode & S_IRWXO) != 0) {
    return Failure(
        fmt::format("users {}: every user may read or write it, and guess passwords by "
                    "it; mend it with chmod o=",
                    path));
  }
  std::string text(users_file_bytes_max + 1, '\0');
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  if (count < 0 || static_cast<std::size_t>(count) > users_file_bytes_max) {
    return Failure(fmt::format("users {}: {}", path,
                               count < 0 ? std::strerror(errno) : "it is larger than 1 MiB"));
  }
  text.resize(static_cast<std::size_t>(count));
  auto users = parse_users(text);
  if (!users) {
    return Failure(fmt::format("users {}: {}", path, users.error()));
  }
  return users;
}

UserAccounts::UserAccounts(UserMap users, const codec::SaslCrypto& crypto)
    : crypto_(crypto),
      key_(hmac_key_of_process(crypto)),
      users_(std::make_shared<const UserMap>(std::move(users))) {}

void UserAccounts::replace(UserMap users) {
  auto fresh = std::make_shared<const UserMap>(std::move(users));
  const std::lock_guard lock(mutex_);
  users_ = std::move(fresh);
  known_.clear();
}

bool UserAccounts::is_password(Bytes user, Bytes password) {
  const codec::Sha256Digest digest = crypto_.hmac_sha256(key_, password);
  std::shared_ptr<const UserMap> users;
  {
    const std::lock_guard lock(mutex_);
    users = users_;
    const auto known = known_.find(user);
    if (known != known_.end() &&
        is_equal(codec::bytes_of(known->second), codec::bytes_of(digest))) {
      return true;
    }
    if (has_failed_too_often(std::chrono::steady_clock::now())) {
      return false;
    }
  }
  // A stranger is told as late as somebody with a wrong password.
  const auto found = users->find(user);
  const PasswordHash& hash = found != users->end() ? found->second : users->begin()->second;
  const codec::Sha256Digest made = crypto_.pbkdf2_sha256(password, hash.salt, hash.iterations);
  const bool is_right = is_equal(codec::bytes_of(made), hash.hash) && found != users->end();
  const std::lock_guard lock(mutex_);
  if (!is_right || users != users_) {
    ++failed_;
    return false;
  }
  known_.insert_or_assign(std::string(user), digest);
  return true;
}

// Under the lock.
bool UserAccounts::has_failed_too_often(Instant now) {
  if (now - failed_from_ >= std::chrono::seconds(1)) {
    failed_from_ = now;
    failed_ = 0;
  }
  return failed_ >= failures_per_second;
}

}  // namespace ringpost::serve
