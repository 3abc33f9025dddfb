// The marks of all nodes, in a key-value bucket of the cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/nats/client.h"
#include "tools/serve/nats/node_mark.h"
#include <ringpost/base.h>

namespace ringpost::serve {

struct MarkBoardOptions {
  std::string bucket;
  std::string node;      // of this process alone: a token of a subject
  Duration alive_for{};  // a mark that is older is that of a dead node
  Duration patience{};   // for an answer
};

// Thread-safe; the client outlives it.
class MarkBoard {
 public:
  MarkBoard(nats::Client& client, MarkBoardOptions options);

  // True when it is stored. False: it may be, or not.
  [[nodiscard]] bool write(const NodeMark& mark);
  // Those of others that are about this stream. This node's own was written before. Nothing: they
  // could not be read, so nothing is known of anybody.
  [[nodiscard]] std::optional<std::vector<OtherNode>> read_others(const std::string& stream);
  // Marks of dead nodes whose jobs are all behind `floor`, the last sequence number below which
  // everything is acknowledged: nobody asks for them any more. Those of another stream as well.
  void forget_settled(const std::string& stream, std::uint64_t floor);

 private:
  struct Found {
    std::string subject;
    std::int64_t time_us = 0;
    NodeMark mark;
  };
  [[nodiscard]] std::optional<std::vector<Found>> read_all();
  [[nodiscard]] bool is_alive(const Found& found, std::int64_t now_us) const;
  [[nodiscard]] std::int64_t own_time_us(const std::vector<Found>& all) const;

  nats::Client& client_;
  const MarkBoardOptions options_;
  const std::string prefix_;
  const std::string own_subject_;
};

}  // namespace ringpost::serve
