// Names to addresses, off the hot path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/socket_address.h"
#include <ringpost/base.h>

namespace ringpost::io {

// A failed look-up in words: "no such host", and whether trying again may help.
struct ResolveError {
  std::string message;
  bool temporary = false;
};

// Asks the system's resolver (so /etc/hosts and nsswitch.conf count) on a thread of its own. An IP
// literal is answered without asking. A dot at the end of a name keeps the search domains away from
// it (RFC 1034 3.1) and is not asked for: files of hosts have none. Thread-safe; a look-up under
// way does not delay destruction.
class Resolver {
 public:
  using Answer = Result<std::vector<SocketAddress>, ResolveError>;
  // Called on the resolver's thread, once, unless the resolver was destroyed first.
  using Callback = std::function<void(Answer)>;

  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void resolve(std::string host, std::uint16_t port, Callback callback);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ringpost::io
