// The problem: the ring and epoll differ in what they do with a socket, not in what it is. The
// idea: it is made here. Limits: TCP over IPv4 and IPv6.
#include "engine/io/stream_socket.h"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace ringpost::io {

Result<int, IoError> open_stream_socket(const SocketAddress& address) {
  const int descriptor =
      ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (descriptor < 0) {
    return Failure(IoError{errno, "a socket could not be opened"});
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return descriptor;
}

}  // namespace ringpost::io
