// The sockets that an Io opens, whatever is behind it. Internal to engine/io.
#pragma once

#include "engine/io/io.h"
#include "engine/io/socket_address.h"
#include <ringpost/base.h>

namespace ringpost::io {

// A descriptor of TCP for the address's family: it never blocks, no child inherits it, and Nagle's
// algorithm is off. The caller closes it.
[[nodiscard]] Result<int, IoError> open_stream_socket(const SocketAddress& address);

}  // namespace ringpost::io
