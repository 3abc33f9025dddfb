// In the place of client.cpp where the program was built without libnats: there is no connection,
// and the error says what to do.
#include "tools/nats/client.h"

namespace ringpost::nats {

struct Client::State {};
struct Client::Puller::State {};

bool is_built_in() { return false; }

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>, std::string> Client::connect(const ClientOptions& /*options*/) {
  return Failure(
      std::string("this ringpost was built without NATS: libnats was not there; install "
                  "libnats-dev and build it anew (docs/how-to/install.md)"));
}

std::vector<std::optional<std::string>> Client::ask(std::span<const Request> requests,
                                                    Duration /*timeout*/) {
  return std::vector<std::optional<std::string>>(requests.size());
}
std::optional<std::string> Client::ask(const Request& /*request*/, Duration /*timeout*/) {
  return std::nullopt;
}
void Client::tell(std::span<const Request> /*requests*/) {}
bool Client::is_connected() const { return false; }
std::string Client::place() const { return {}; }
std::uint64_t Client::reconnects() const { return 0; }

Client::Puller::Puller(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Puller::~Puller() = default;
Client::Puller::Puller(Puller&&) noexcept = default;

Result<std::vector<Pulled>, std::string> Client::Puller::pull(std::size_t /*count*/,
                                                              Duration /*timeout*/) {
  return Failure(std::string("this ringpost was built without NATS"));
}
Result<Client::Puller, std::string> Client::puller(const std::string& /*stream*/,
                                                   const std::string& /*consumer*/) {
  return Failure(std::string("this ringpost was built without NATS"));
}

}  // namespace ringpost::nats
