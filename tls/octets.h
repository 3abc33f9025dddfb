// Octets as wolfCrypt takes them. Internal to tls/.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::tls {

// Never null: an empty view may have no address, and wolfCrypt wants one.
[[nodiscard]] inline const unsigned char* octets(Bytes bytes) {
  static constexpr unsigned char none = 0;
  return bytes.empty() ? &none : reinterpret_cast<const unsigned char*>(bytes.data());
}

[[nodiscard]] inline unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace ringpost::tls
