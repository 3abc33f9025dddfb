// Addresses that were met, each with the place where.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::run {

// The same for addresses that are one mailbox at any provider: ASCII letters of any case in domain
// and local part.
[[nodiscard]] std::uint64_t address_key(Bytes address);
// The same for all outcomes of a recipient of a message: ids are compared octet by octet.
[[nodiscard]] std::uint64_t recipient_key(Bytes id, Bytes address);

// A hash of each address and four octets of place: 16 octets an address at most, however many there
// are, and 11 of those that are only counted. Thread: any.
class AddressSet {
 public:
  explicit AddressSet(std::size_t addresses_max) : addresses_max_(addresses_max) {}

  enum class Added : std::uint8_t {
    added,
    known,  // it was there already
    full,   // there are addresses_max others
  };
  struct Addition {
    Added what = Added::added;
    std::uint32_t place = 0;  // of one that is known: where it was met first
  };
  Addition add(std::uint64_t key, std::uint32_t place);
  // The same, and one that is known has another place from now on.
  Added put(std::uint64_t key, std::uint32_t place);
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t key) const;

  // add() without a place, of which only the sums are told: at a part of the cost, since some are
  // entered side by side. Not beside add(), put() and find() of the same set.
  void count(std::uint64_t key);
  struct Counted {
    std::uint64_t known = 0;  // were there already
    bool was_full = false;    // some could not be looked for
  };
  [[nodiscard]] Counted counted();
  [[nodiscard]] std::size_t size() const { return count_.load(std::memory_order_relaxed); }
  // What it holds of memory.
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr std::size_t shard_count = 256;

  struct Shard {
    mutable std::mutex mutex;         // guards all below
    std::vector<std::uint64_t> keys;  // 0: nothing is there
    std::vector<std::uint32_t> places;
    std::size_t count = 0;
    std::array<std::uint64_t, 16> waiting{};  // to be counted
    std::size_t waiting_count = 0;

    [[nodiscard]] std::size_t slot_of(std::uint64_t key) const;
    [[nodiscard]] std::size_t first_slot_of(std::uint64_t key) const;
    void grow(bool has_places);
  };

  Addition enter(std::uint64_t key, std::uint32_t place, bool replaces);
  void count_waiting(Shard& shard);
  [[nodiscard]] static std::size_t shard_of(std::uint64_t key) { return key >> 56; }

  const std::size_t addresses_max_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> known_{0};
  std::atomic<bool> was_full_{false};
  std::array<Shard, shard_count> shards_;
};

}  // namespace ringpost::run
