// The problem: a token ages while sessions are being opened with it, and many of them are refused
// together when it has aged. The idea: tokens have numbers, so a refusal of an older one, or while
// the next is being read, says nothing new; a token is never changed, and sessions keep the one
// they have. Limits: how long one lives is believed; of refused tokens only the last is remembered,
// and only until another one is accepted.
#include "engine/login_source.h"

#include <algorithm>
#include <utility>

#include "engine/endpoint_check.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

// A token that is said to have expired when it is read is tried all the same, and not read again at
// once: clocks differ, and the server has the last word.
constexpr Duration lifetime_min = 5s;
// So long before its end a token is read anew, or a fifth of its life where that is less.
constexpr Duration refresh_ahead_max = 5min;
// Between two tries to read a token while the old one is still good.
constexpr Duration refresh_pause = 30s;

}  // namespace

codec::Credentials credentials_of(const EndpointOptions& options, std::uint16_t port) {
  codec::Credentials credentials{options.username, options.password};
  credentials.host = options.host;
  credentials.port = port;
  if (options.auth && codec::takes_token(*options.auth)) {
    credentials.token.swap(credentials.password);
  }
  return credentials;
}

LoginSource::LoginSource(const EndpointOptions& options)
    : options_(options), port_(ports_of(options).front().port) {
  if (!options.read_token && !options.username.empty()) {
    login_ = std::make_shared<const protocol::Login>(credentials_of(options, port_));
  }
}

void LoginSource::use_port(std::uint16_t port) {
  port_ = port;
  if (login_ != nullptr && login_->credentials.port != port) {
    codec::Credentials credentials = login_->credentials;
    credentials.port = port;
    login_ = std::make_shared<const protocol::Login>(std::move(credentials), login_->token_number);
  }
}

bool LoginSource::ready(Instant now) const {
  return !options_.read_token || (login_ != nullptr && now < expires_at_);
}

bool LoginSource::start_reading(Instant now) {
  const bool wanted = options_.read_token && !reading_ && (login_ == nullptr || now >= refresh_at_);
  reading_ = reading_ || wanted;
  return wanted;
}

LoginSource::Taken LoginSource::take(TokenResult token, Instant now, std::string& error) {
  RP_ASSERT(reading_);
  reading_ = false;
  codec::Credentials credentials = credentials_of(options_, port_);
  credentials.password.clear();
  if (token) {
    credentials.token = std::move(token->value);
  }
  if (!token || credentials.token.empty() || !codec::valid_credentials(credentials)) {
    if (ready(now)) {
      refresh_at_ = now + refresh_pause;  // the old one will do for a while
      return Taken::good;
    }
    login_ = nullptr;
    error = token ? "what was read is no token: it is empty, or has blanks, controls or letters "
                    "beyond ASCII"
                  : std::move(token.error());
    return Taken::failed;
  }
  if (was_refused_ && credentials.token == refused_token_) {
    return Taken::refused;
  }
  expires_at_ = never;
  refresh_at_ = never;
  if (token->lifetime) {
    const Duration lifetime = std::max(*token->lifetime, lifetime_min);
    expires_at_ = now + lifetime;
    refresh_at_ = expires_at_ - std::min(refresh_ahead_max, lifetime / 5);
  }
  login_ = std::make_shared<const protocol::Login>(std::move(credentials), ++tokens_read_);
  return Taken::good;
}

// A server that refuses tokens at MAIL takes each at the login before.
void LoginSource::accepted(std::uint64_t token_number) {
  if (token_number == tokens_read_ && refused_at_ == At::login) {
    was_refused_ = false;
    refused_token_.clear();
  }
}

void LoginSource::worked() {
  refused_at_ = At::login;
  if (login_ != nullptr) {
    accepted(login_->token_number);
  }
}

bool LoginSource::refused(std::uint64_t token_number, At at) {
  if (!options_.read_token) {
    return false;
  }
  if (token_number < tokens_read_ || login_ == nullptr) {
    return true;  // another one is there already, or is being read
  }
  if (was_refused_) {
    return false;
  }
  was_refused_ = true;
  refused_at_ = at;
  refused_token_ = login_->credentials.token;
  login_ = nullptr;
  return true;
}

}  // namespace ringpost::engine
