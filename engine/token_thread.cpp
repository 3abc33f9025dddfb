// A token is read once in its life, which is an hour or so: a thread for each time costs less than
// one that sleeps in between.
#include "engine/token_thread.h"

#include <mutex>
#include <thread>
#include <utility>

namespace ringpost::engine {

struct TokenThread::State {
  explicit State(TokenReader with) : reader(std::move(with)) {}

  const TokenReader reader;
  std::mutex mutex;
  bool stopping = false;
};

TokenThread::TokenThread(TokenReader reader) : state_(std::make_shared<State>(std::move(reader))) {}

TokenThread::~TokenThread() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
}

void TokenThread::read(Callback callback) {
  std::thread([state = state_, done = std::move(callback)] {
    TokenResult token = state->reader();
    // Called under the lock, so that the destructor cannot return in the middle of a callback.
    const std::lock_guard lock(state->mutex);
    if (!state->stopping) {
      done(std::move(token));
    }
  }).detach();
}

}  // namespace ringpost::engine
