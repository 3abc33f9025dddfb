// What a sink counted: its traffic, and everything a client did that the RFCs forbid.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/server/server_count.h"
#include "tools/sink/fault.h"

namespace ringpost::sink {

using server::Count;
using server::count_count;
using server::Violation;
using server::violation_count;

// Plain numbers, of one thread or summed up.
struct Tally : server::ServerCounts {
  // By kind and, within it, by stage: faults that were done.
  std::array<std::uint64_t, fault_kind_count * fault_stage_count> faults{};

  using ServerCounts::add;
  using ServerCounts::operator[];
  void add(FaultKind kind, FaultStage stage) { faults[index_of(kind, stage)] += 1; }
  [[nodiscard]] std::uint64_t operator()(FaultKind kind, FaultStage stage) const {
    return faults[index_of(kind, stage)];
  }
  [[nodiscard]] std::uint64_t faults_total() const;
  Tally& operator+=(const Tally& other);

 private:
  static std::size_t index_of(FaultKind kind, FaultStage stage) {
    return static_cast<std::size_t>(kind) * fault_stage_count + static_cast<std::size_t>(stage);
  }
};

// A tally that its thread publishes once a turn and any thread may read. Each number is exact; two
// of them may stem from different turns.
class PublishedTally {
 public:
  void publish(const Tally& tally);
  [[nodiscard]] Tally read() const;

 private:
  std::array<std::atomic<std::uint64_t>, count_count + violation_count> numbers_{};
  std::array<std::atomic<std::uint64_t>, fault_kind_count * fault_stage_count> faults_{};
};

}  // namespace ringpost::sink
