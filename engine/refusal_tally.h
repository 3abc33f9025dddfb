// The refusals of one endpoint that no rule fitted, from all workers.
#pragma once

#include <mutex>

#include "engine/protocol/unmatched_replies.h"

namespace ringpost::engine {

// Thread-safe, and asked about refusals alone.
class RefusalTally {
 public:
  void note(Stage stage, const codec::Reply& reply, const protocol::Ruling& ruling) {
    if (protocol::lacks_rule(stage, reply, ruling)) {
      const std::lock_guard lock(mutex_);
      replies_.note(stage, reply, ruling);
    }
  }
  [[nodiscard]] protocol::UnmatchedReplies replies() const {
    const std::lock_guard lock(mutex_);
    return replies_;
  }

 private:
  mutable std::mutex mutex_;
  protocol::UnmatchedReplies replies_;
};

}  // namespace ringpost::engine
