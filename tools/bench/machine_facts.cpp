// Read from the kernel each time: nothing of it is worth keeping.
#include "tools/bench/machine_facts.h"

#include <fstream>
#include <string_view>
#include <sys/utsname.h>
#include <unistd.h>

namespace ringpost::cli {

namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return {};
}

std::uint64_t positive(long number) { return number > 0 ? static_cast<std::uint64_t>(number) : 0; }

}  // namespace

MachineFacts machine_facts() {
  MachineFacts facts;
  facts.cpu = cpu_model();
  facts.cores = static_cast<std::uint32_t>(positive(::sysconf(_SC_NPROCESSORS_ONLN)));
  facts.memory_bytes = positive(::sysconf(_SC_PHYS_PAGES)) * positive(::sysconf(_SC_PAGESIZE));
  utsname name{};
  if (::uname(&name) == 0) {
    facts.kernel = std::string(name.sysname) + " " + name.release;
  }
  return facts;
}

}  // namespace ringpost::cli
