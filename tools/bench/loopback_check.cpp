// Every address that the name has must be of loopback: which of them will be used, nobody knows by
// now. Limits: a name that leads elsewhere a moment later is not seen.
#include "tools/bench/loopback_check.h"

#include <array>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "engine/io/socket_address.h"

namespace ringpost::cli {

namespace {

bool is_loopback(const addrinfo& found) {
  io::SocketAddress address;
  std::memcpy(&address.storage, found.ai_addr, found.ai_addrlen);
  return address.is_loopback();
}

std::string text_of(const addrinfo& found) {
  std::array<char, NI_MAXHOST> text{};
  const int error = ::getnameinfo(found.ai_addr, found.ai_addrlen, text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text.data() : "an address without a text";
}

}  // namespace

Result<void, std::string> check_loopback(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return Failure(
        fmt::format("{}: it cannot be looked up, so nobody knows whether it is on this "
                    "machine: {}",
                    host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, ::freeaddrinfo);
  for (const addrinfo* found = list; found != nullptr; found = found->ai_next) {
    if (!is_loopback(*found)) {
      return Failure(fmt::format(
          "{} ({}) is not on this machine, and bench sends as much mail as it can: to a server of "
          "somebody else's that is an attack, and at a provider it uses up your quota, costs money "
          "and may close your account. Where you run the server, or its owner has agreed, say "
          "--i-own-this-endpoint; to try it out, start `ringpost sink` here",
          host, text_of(*found)));
    }
  }
  return {};
}

}  // namespace ringpost::cli
