// What stands in front of an @ in a URL of NATS is a user, a password or a token: nobody is shown
// it.
#include "tools/nats/client.h"

namespace ringpost::nats {

std::string without_secret(Bytes url) {
  std::string shown;
  while (!url.empty()) {
    const std::size_t comma = url.find(',');
    Bytes one = url.substr(0, comma);
    url.remove_prefix(comma == Bytes::npos ? url.size() : comma + 1);
    const std::size_t scheme = one.find("://");
    const std::size_t at = one.rfind('@');
    if (at != Bytes::npos && (scheme == Bytes::npos || at > scheme)) {
      const Bytes front = scheme == Bytes::npos ? Bytes() : one.substr(0, scheme + 3);
      shown += front;
      one.remove_prefix(at + 1);
    }
    shown += one;
    shown += url.empty() ? "" : ",";
  }
  return shown;
}

}  // namespace ringpost::nats
