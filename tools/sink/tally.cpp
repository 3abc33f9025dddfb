// The problem: a message is counted a dozen times, and other threads look at the numbers meanwhile.
// The idea: a thread counts in plain numbers and publishes them once a turn by relaxed stores; as
// nobody else writes, no read-modify-write is needed. Limits: a reader may get numbers of different
// turns.
#include "tools/sink/tally.h"

#include <numeric>

namespace ringpost::sink {

std::uint64_t Tally::faults_total() const {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

Tally& Tally::operator+=(const Tally& other) {
  for (std::size_t i = 0; i < count_count; ++i) {
    counts[i] += other.counts[i];
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    violations[i] += other.violations[i];
  }
  for (std::size_t i = 0; i < faults.size(); ++i) {
    faults[i] += other.faults[i];
  }
  return *this;
}

void PublishedTally::publish(const Tally& tally) {
  // Stores of one writer: no read-modify-write is needed.
  for (std::size_t i = 0; i < count_count; ++i) {
    numbers_[i].store(tally.counts[i], std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    numbers_[count_count + i].store(tally.violations[i], std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    faults_[i].store(tally.faults[i], std::memory_order_relaxed);
  }
}

Tally PublishedTally::read() const {
  Tally tally;
  for (std::size_t i = 0; i < count_count; ++i) {
    tally.counts[i] = numbers_[i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    tally.violations[i] = numbers_[count_count + i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    tally.faults[i] = faults_[i].load(std::memory_order_relaxed);
  }
  return tally;
}

}  // namespace ringpost::sink
