// [[watch]]: a folder whose job files are sent.
#pragma once

#include <cstddef>
#include <string>

namespace ringpost::cli {

struct WatchOptions {
  std::string path;
  // Sent at a time. Each has three files open, and takes its turn with the others.
  std::size_t files_max = 4;
};

}  // namespace ringpost::cli
