// What a figure was measured on, since it means little elsewhere.
#pragma once

#include <cstdint>
#include <string>

namespace ringpost::cli {

struct MachineFacts {
  std::string cpu = {};  // its model's name; empty where the kernel does not say
  std::uint32_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel = {};  // "Linux 6.1.0"
};
[[nodiscard]] MachineFacts machine_facts();

}  // namespace ringpost::cli
