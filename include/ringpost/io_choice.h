// How an engine speaks with the kernel.
#pragma once

#include <cstdint>

namespace ringpost {

enum class IoChoice : std::uint8_t {
  automatic,  // the ring where one can be had, else epoll, of which a notice tells
  ring,       // io_uring or nothing
  epoll,      // everywhere: a system call for each send and each receive
};

}  // namespace ringpost
