// Reads tokens off the workers' threads.
#pragma once

#include <functional>
#include <memory>

#include <ringpost/config.h>

namespace ringpost::engine {

// Thread-safe. A token that is being read does not delay destruction: its thread is left to finish
// alone, and what it read is dropped.
class TokenThread {
 public:
  // On a thread of its own, once, unless the TokenThread was destroyed first.
  using Callback = std::function<void(TokenResult)>;

  explicit TokenThread(TokenReader reader);
  ~TokenThread();
  TokenThread(const TokenThread&) = delete;
  TokenThread& operator=(const TokenThread&) = delete;

  void read(Callback callback);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ringpost::engine
