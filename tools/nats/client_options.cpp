// A user has a password, which stands in a file that nobody else may read, as an endpoint's; a file
// of credentials has a key in it, and is looked at the same way.
#include "tools/nats/client_options.h"

#include <utility>

#include <fmt/format.h>

#include "tools/settings/secret.h"

namespace ringpost::nats {

namespace {

constexpr std::size_t password_bytes_max = 4096;
constexpr std::size_t credentials_bytes_max = 65536;

}  // namespace

Result<ClientOptions, std::string> client_options(const cli::NatsOptions& options) {
  if (options.user.empty() != options.password_file.empty()) {
    return Failure(std::string("[nats]: user and password_file go together"));
  }
  if (!options.user.empty() && !options.credentials_file.empty()) {
    return Failure(std::string("[nats]: there are credentials and a user; one of them logs in"));
  }
  ClientOptions made{.url = options.url,
                     .user = options.user,
                     .password = {},
                     .credentials_file = options.credentials_file,
                     .ca_file = options.ca_file};
  if (!options.password_file.empty()) {
    auto password = cli::read_private_file(options.password_file, password_bytes_max);
    if (!password) {
      return Failure(
          fmt::format("[nats]: password_file {}: {}", options.password_file, password.error()));
    }
    while (password->ends_with('\n') || password->ends_with('\r')) {
      password->pop_back();
    }
    made.password = std::move(*password);
  }
  if (!options.credentials_file.empty()) {
    const auto readable = cli::read_private_file(options.credentials_file, credentials_bytes_max);
    if (!readable) {
      return Failure(
          fmt::format("[nats]: credentials {}: {}", options.credentials_file, readable.error()));
    }
  }
  return made;
}

}  // namespace ringpost::nats
