// The problem: the kernel has a structure of its own for each family, all passed as one, and
// reading one through a pointer to another is undefined. The idea: octets are copied out of the
// storage and into it. Limits: IPv4 and IPv6; a scope (fe80::1%eth0) is neither read nor shown, so
// two addresses that differ in nothing else have the same text.
#include "engine/io/socket_address.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>

#include <fmt/format.h>

namespace ringpost::io {

namespace {

constexpr std::uint32_t loopback_net = 127;

template <typename Address>
Address read_as(const sockaddr_storage& storage) {
  Address address;
  std::memcpy(&address, &storage, sizeof(address));
  return address;
}

template <typename Address>
SocketAddress store(const Address& address) {
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof(address));
  result.length = sizeof(address);
  return result;
}

}  // namespace

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> literal{};
  if (family() == AF_INET) {
    const auto address = read_as<sockaddr_in>(storage);
    inet_ntop(AF_INET, &address.sin_addr, literal.data(), literal.size());
    return std::string(literal.data()) + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    const auto address = read_as<sockaddr_in6>(storage);
    inet_ntop(AF_INET6, &address.sin6_addr, literal.data(), literal.size());
    return "[" + std::string(literal.data()) + "]:" + std::to_string(port());
  }
  return {};
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) {
    return ntohs(read_as<sockaddr_in>(storage).sin_port);
  }
  if (family() == AF_INET6) {
    return ntohs(read_as<sockaddr_in6>(storage).sin6_port);
  }
  return 0;
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) {
    return ntohl(read_as<sockaddr_in>(storage).sin_addr.s_addr) >> 24 == loopback_net;
  }
  const in6_addr address = read_as<sockaddr_in6>(storage).sin6_addr;
  return family() == AF_INET6 &&
         (IN6_IS_ADDR_LOOPBACK(&address) ||
          (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == loopback_net));
}

Result<SocketAddress, std::string> address_of_literal(std::string_view literal,
                                                      std::uint16_t port) {
  if (literal.size() >= 2 && literal.front() == '[' && literal.back() == ']') {
    literal = literal.substr(1, literal.size() - 2);
  }
  const std::string text(literal);
  const bool whole = text.find('\0') == std::string::npos;  // inet_pton() would read a part of it
  sockaddr_in v4{};
  if (whole && inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return store(v4);
  }
  sockaddr_in6 v6{};
  if (whole && inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return store(v6);
  }
  return Failure("\"" + text + "\" is not an IP address");
}

Result<SocketAddress, std::string> listening_address(std::string_view text,
                                                     std::string_view example) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return Failure(fmt::format("{}: an address and a port belong here, like {}", text, example));
  }
  return address_of_literal(text.substr(0, colon), port);
}

}  // namespace ringpost::io
