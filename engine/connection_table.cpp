// The problem: completions and timers name a connection by number, and a connection has to know its
// number while it is made. The idea: next_owner() shows the number that add() will give away, and
// numbers that are free are used again, the last one first, so that they stay small and dense.
// Limits: only a finished connection may go, since nothing else tells an old completion from a new
// one.
#include "engine/connection_table.h"

namespace ringpost::engine {

io::Owner ConnectionTable::next_owner() {
  if (free_.empty()) {
    free_.push_back(static_cast<io::Owner>(connections_.size()));
    connections_.emplace_back();
  }
  return free_.back();
}

io::Owner ConnectionTable::add(std::unique_ptr<Connection> connection, io::Owner owner) {
  RP_ASSERT(!free_.empty() && free_.back() == owner && connections_[owner] == nullptr);
  free_.pop_back();
  connections_[owner] = std::move(connection);
  return owner;
}

void ConnectionTable::remove(io::Owner owner) {
  RP_ASSERT(connections_[owner] != nullptr && connections_[owner]->finished());
  connections_[owner].reset();
  free_.push_back(owner);
}

}  // namespace ringpost::engine
