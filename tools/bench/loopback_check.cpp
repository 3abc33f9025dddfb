// Every address that the name has must be of loopback: which of them will be used, nobody knows by
// now. Limits: a name that leads elsewhere a moment later is not seen.
#include "tools/bench/loopback_check.h"

#include <arpa/inet.h>
#include <array>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

constexpr std::uint32_t loopback_net = 127;

bool is_loopback_ipv4(std::uint32_t address) { return address >> 24 == loopback_net; }

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    return is_loopback_ipv4(ntohl(ipv4.sin_addr.s_addr));
  }
  const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ipv6)) {
    return ipv6.s6_addr[12] == loopback_net;
  }
  return IN6_IS_ADDR_LOOPBACK(&ipv6);
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
    if (!is_loopback(*found->ai_addr)) {
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
