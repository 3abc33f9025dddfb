// A listening TCP socket, for the embedded ESP.
#pragma once

#include <memory>

#include "engine/io/io.h"

namespace ringpost::io {

// Owns the descriptor. Every accepted socket has Nagle's algorithm off (Linux inherits it).
class Listener {
 public:
  // Port 0 takes any free port. `share_port` lets several listeners of one process take connections
  // of the same port in turns (SO_REUSEPORT).
  [[nodiscard]] static Result<Listener, IoError> open(const SocketAddress& address,
                                                      bool share_port);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const SocketAddress& address() const { return address_; }  // with the real port

 private:
  Listener(int descriptor, const SocketAddress& address)
      : descriptor_(descriptor), address_(address) {}
  int descriptor_ = -1;
  SocketAddress address_;
};

}  // namespace ringpost::io
