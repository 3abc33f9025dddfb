#include "engine/client_name.h"

#include <array>
#include <string_view>
#include <unistd.h>

namespace ringpost::engine {

std::string default_client_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return "[127.0.0.1]";
  }
  const std::string_view host(name.data());
  const bool qualified = host.find('.') != std::string_view::npos;
  const bool plain = host.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-.") == std::string_view::npos;
  return qualified && plain ? std::string(host) : "[127.0.0.1]";
}

}  // namespace ringpost::engine
