// A worker's connections, by number.
#pragma once

#include <memory>
#include <vector>

#include "engine/connection.h"

namespace ringpost::engine {

// Gives out the numbers that mark a worker's operations and timers.
class ConnectionTable {
 public:
  [[nodiscard]] io::Owner add(std::unique_ptr<Connection> connection, io::Owner owner);
  [[nodiscard]] io::Owner next_owner();
  [[nodiscard]] Connection* find(io::Owner owner) const {
    return owner < connections_.size() ? connections_[owner].get() : nullptr;
  }
  void remove(io::Owner owner);
  [[nodiscard]] std::size_t size() const { return connections_.size() - free_.size(); }

 private:
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<io::Owner> free_;
};

}  // namespace ringpost::engine
