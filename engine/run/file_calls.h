// The system calls that write outcome files, so that a test can let them fail.
#pragma once

#include <cstddef>
#include <sys/types.h>
#include <unistd.h>

namespace ringpost::run {

struct FileCalls {
  ssize_t (*write)(int, const void*, std::size_t) = ::write;
  ssize_t (*pwrite)(int, const void*, std::size_t, off_t) = ::pwrite;
  int (*fdatasync)(int) = ::fdatasync;
};

}  // namespace ringpost::run
