// An Internet address and port, as the kernel takes it.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

#include <ringpost/base.h>

namespace ringpost::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  // "192.0.2.1:587" or "[2001:db8::1]:587"; empty when no address is held.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] std::uint16_t port() const;
  // Nobody but this machine reaches it: 127.0.0.0/8, also within IPv6, and ::1.
  [[nodiscard]] bool is_loopback() const;
};

// An IPv4 or IPv6 literal (IPv6 with or without brackets) and a port; nothing is looked up.
[[nodiscard]] Result<SocketAddress, std::string> address_of_literal(std::string_view literal,
                                                                    std::uint16_t port);

// The same from "192.0.2.1:587" or "[2001:db8::1]:587", where a server listens. The error is a
// sentence with `example` in it.
[[nodiscard]] Result<SocketAddress, std::string> listening_address(std::string_view text,
                                                                   std::string_view example);

}  // namespace ringpost::io
