// The problem: servers refuse a name that means nothing to them, and the sockets of the ring cannot
// be asked for their own address. The idea: the machine's name counts if its form is that of a
// public one; else a datagram socket tells from which address the kernel would speak to the server.
// Limits: nothing is looked up, so a name of a private network may pass; behind NAT the literal is
// private.
#include "engine/client_name.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringpost::engine {

namespace {

constexpr const char* loopback_literal = "[127.0.0.1]";

// The ring's sockets are no descriptors that could be asked, but a datagram socket takes the same
// way, and connecting it sends nothing.
bool find_local_address(const io::SocketAddress& peer, io::SocketAddress& local) {
  const int fd = ::socket(peer.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return false;
  }
  local.length = sizeof local.storage;
  const bool found =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&peer.storage), peer.length) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&local.storage), &local.length) == 0;
  ::close(fd);
  return found;
}

std::string literal_of(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  const bool is_loopback = (ntohl(address.s_addr) >> 24) == 127;
  if (is_loopback || address.s_addr == INADDR_ANY ||
      ::inet_ntop(AF_INET, &address, text.data(), text.size()) == nullptr) {
    return loopback_literal;
  }
  return "[" + std::string(text.data()) + "]";
}

std::string literal_of(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr mapped{};
    std::memcpy(&mapped, address.s6_addr + 12, sizeof mapped);
    return literal_of(mapped);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) ||
      ::inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) {
    return loopback_literal;
  }
  return "[IPv6:" + std::string(text.data()) + "]";
}

}  // namespace

std::string default_client_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return {};
  }
  return is_public_name(name.data()) ? std::string(name.data()) : std::string();
}

bool is_public_name(std::string_view host) {
  const bool plain = host.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-.") == std::string_view::npos;
  const std::size_t last_dot = host.rfind('.');
  if (!plain || last_dot == std::string_view::npos || host.front() == '.' ||
      host.find("..") != std::string_view::npos) {
    return false;
  }
  const std::string_view top = host.substr(last_dot + 1);
  // An address is no name.
  const bool has_letter =
      std::any_of(top.begin(), top.end(), [](char c) { return c < '0' || c > '9'; });
  return has_letter && top != "localdomain" && top != "localhost" && top != "local";
}

std::string address_literal_towards(const io::SocketAddress& peer) {
  io::SocketAddress local;
  if (!find_local_address(peer, local)) {
    return loopback_literal;
  }
  if (local.family() == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &local.storage, sizeof address);
    return literal_of(address.sin_addr);
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &local.storage, sizeof address);
  return literal_of(address.sin6_addr);
}

}  // namespace ringpost::engine
