// Problem: ten million addresses must be known again, and their text alone is 250 MB.
//
// Idea: 64 bits of a hash stand for an address, in tables with open addressing that are never
// emptier than three quarters: there are 256 of them, so that growing one moves little, and needs
// little room, and readers seldom meet.
//
// Limits: two of ten million addresses have the same hash with a probability of 1 : 370,000. Then
// one of them counts as repeated.
#include "engine/run/address_set.h"

#include <algorithm>
#include <span>
#include <string>

#include "codec/journal/line_hash.h"
#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

// A table is filled up to 7/8, and grows by a seventh then.
constexpr std::size_t slots_first = 256;
bool is_crowded(std::size_t count, std::size_t slots) { return count * 8 >= slots * 7; }

}  // namespace

std::uint64_t address_key(Bytes address) {
  std::array<char, limits::mailbox_bytes_max> room;
  std::string longer;
  char* lower = room.data();
  if (address.size() > room.size()) {
    longer.resize(address.size());
    lower = longer.data();
  }
  std::transform(address.begin(), address.end(), lower, [](char c) { return codec::lower(c); });
  return codec::hash_line({lower, address.size()}).high;
}

std::size_t AddressSet::Shard::first_slot_of(std::uint64_t key) const {
  // The octet in front said which shard.
  const std::uint64_t fraction = (key >> 24) & 0xffff'ffffU;
  return (fraction * keys.size()) >> 32;
}

std::uint64_t recipient_key(Bytes id, Bytes address) {
  return codec::hash_line(id).high ^ (address_key(address) * 0x9e37'79b9'7f4a'7c15U);
}

// Where it is, or where it would be.
std::size_t AddressSet::Shard::slot_of(std::uint64_t key) const {
  std::size_t slot = first_slot_of(key);
  while (keys[slot] != 0 && keys[slot] != key) {
    slot = slot + 1 == keys.size() ? 0 : slot + 1;
  }
  return slot;
}

void AddressSet::Shard::grow(bool has_places) {
  const std::size_t slots = std::max(slots_first, keys.size() + keys.size() / 7);
  std::vector<std::uint64_t> old_keys(slots);
  std::vector<std::uint32_t> old_places(has_places ? slots : 0);
  keys.swap(old_keys);
  places.swap(old_places);
  for (std::size_t i = 0; i < old_keys.size(); ++i) {
    if (old_keys[i] != 0) {
      const std::size_t slot = slot_of(old_keys[i]);
      keys[slot] = old_keys[i];
      if (has_places) {
        places[slot] = old_places[i];
      }
    }
  }
}

AddressSet::Addition AddressSet::add(std::uint64_t key, std::uint32_t place) {
  return enter(key, place, false);
}

AddressSet::Added AddressSet::put(std::uint64_t key, std::uint32_t place) {
  return enter(key, place, true).what;
}

AddressSet::Addition AddressSet::enter(std::uint64_t key, std::uint32_t place, bool replaces) {
  key = std::max<std::uint64_t>(key, 1);
  Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  if (is_crowded(shard.count, shard.keys.size())) {
    shard.grow(true);
  }
  const std::size_t slot = shard.slot_of(key);
  if (shard.keys[slot] == key) {
    const std::uint32_t before = shard.places[slot];
    shard.places[slot] = replaces ? place : before;
    return {Added::known, before};
  }
  if (size() >= addresses_max_) {
    return {Added::full, 0};
  }
  shard.keys[slot] = key;
  shard.places[slot] = place;
  ++shard.count;
  count_.fetch_add(1, std::memory_order_relaxed);
  return {Added::added, place};
}

std::optional<std::uint32_t> AddressSet::find(std::uint64_t key) const {
  key = std::max<std::uint64_t>(key, 1);
  const Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  if (shard.count == 0) {
    return std::nullopt;
  }
  const std::size_t slot = shard.slot_of(key);
  return shard.keys[slot] == key ? std::optional(shard.places[slot]) : std::nullopt;
}

void AddressSet::count(std::uint64_t key) {
  key = std::max<std::uint64_t>(key, 1);
  Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  shard.waiting[shard.waiting_count++] = key;
  if (shard.waiting_count == shard.waiting.size()) {
    count_waiting(shard);
  }
}

void AddressSet::count_waiting(Shard& shard) {
  if (shard.waiting_count == 0) {
    return;
  }
  if (is_crowded(shard.count + shard.waiting_count, shard.keys.size())) {
    shard.grow(false);
  }
  const std::span<const std::uint64_t> waiting(shard.waiting.data(), shard.waiting_count);
  shard.waiting_count = 0;
  for (const std::uint64_t key : waiting) {
    __builtin_prefetch(&shard.keys[shard.first_slot_of(key)]);
  }
  for (const std::uint64_t key : waiting) {
    std::uint64_t& slot = shard.keys[shard.slot_of(key)];
    if (slot == key) {
      known_.fetch_add(1, std::memory_order_relaxed);
    } else if (size() >= addresses_max_) {
      was_full_.store(true, std::memory_order_relaxed);
    } else {
      slot = key;
      ++shard.count;
      count_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

AddressSet::Counted AddressSet::counted() {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count_waiting(shard);
  }
  return {known_.load(std::memory_order_relaxed), was_full_.load(std::memory_order_relaxed)};
}

std::size_t AddressSet::bytes() const {
  std::size_t sum = sizeof(*this);
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.keys.capacity() * sizeof(std::uint64_t) +
           shard.places.capacity() * sizeof(std::uint32_t);
  }
  return sum;
}

}  // namespace ringpost::run
