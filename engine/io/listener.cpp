// The problem: a socket goes through five calls before it listens, each may fail, and closing what
// is half done may change errno. The idea: one function takes the number first, closes, and makes
// the error; which port it has become is asked of the kernel. Limits: the descriptor is a blocking
// one, and its backlog is SOMAXCONN.
#include "engine/io/listener.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ringpost::io {

namespace {

Failure<IoError> failure(int descriptor, const std::string& what) {
  const int error_number = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  return Failure(IoError{error_number, what});
}

bool switch_on(int descriptor, int level, int option) {
  const int on = 1;
  return ::setsockopt(descriptor, level, option, &on, sizeof(on)) == 0;
}

}  // namespace

Result<Listener, IoError> Listener::open(const SocketAddress& address, bool share_port) {
  const std::string what = "listen on " + address.text();
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) {
    return failure(descriptor, what);
  }
  const bool set = switch_on(descriptor, SOL_SOCKET, SO_REUSEADDR) &&
                   switch_on(descriptor, IPPROTO_TCP, TCP_NODELAY) &&
                   (!share_port || switch_on(descriptor, SOL_SOCKET, SO_REUSEPORT));
  sockaddr_storage storage = address.storage;
  auto* const generic = reinterpret_cast<sockaddr*>(&storage);
  if (!set || ::bind(descriptor, generic, address.length) != 0 ||
      ::listen(descriptor, SOMAXCONN) != 0) {
    return failure(descriptor, what);
  }
  SocketAddress bound;
  bound.length = sizeof(bound.storage);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    return failure(descriptor, what);
  }
  return Listener(descriptor, bound);
}

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), address_(other.address_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(address_, other.address_);
  return *this;
}

Listener::~Listener() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

}  // namespace ringpost::io
