// The problem: outcomes have numbers of endpoints, those who tell of them write names, and a reload
// brings new ones while they write. The idea: room for all names there will be, filled from the
// front; a name is there before an outcome can have its number. Limits: names are never given up.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringpost::serve {

// A name has one number from when it came, also when its endpoint has gone, and nothing is ever
// moved: whoever tells outcomes keeps all(), from before the first one was there. Any thread, but
// for number_of(), which is one's at a time. Lifetime: outlives whoever has a view of it.
class EndpointNames {
 public:
  EndpointNames() : names_(names_max) {}
  EndpointNames(const EndpointNames&) = delete;
  EndpointNames& operator=(const EndpointNames&) = delete;

  // The name's number, which is new where the name is. Nothing: there are names_max others.
  [[nodiscard]] std::optional<std::uint32_t> number_of(const std::string& name) {
    const std::span<const std::string> there = known();
    const auto found = std::find(there.begin(), there.end(), name);
    const auto number = static_cast<std::size_t>(found - there.begin());
    if (number == names_.size()) {
      return std::nullopt;
    }
    if (number == there.size()) {
      names_[number] = name;
      count_.store(number + 1, std::memory_order_release);
    }
    return static_cast<std::uint32_t>(number);
  }
  // To be asked for numbers that outcomes have, and for no others.
  [[nodiscard]] std::span<const std::string> all() const { return names_; }
  // Those that are there by now.
  [[nodiscard]] std::span<const std::string> known() const {
    return std::span(names_).first(count_.load(std::memory_order_acquire));
  }
  [[nodiscard]] bool contains(std::string_view name) const {
    const std::span<const std::string> there = known();
    return std::find(there.begin(), there.end(), name) != there.end();
  }

  // In the life of a process: whoever has that many has another problem.
  static constexpr std::size_t names_max = 1024;

 private:
  std::vector<std::string> names_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace ringpost::serve
