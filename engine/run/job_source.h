// Where the jobs of a run come from: files and standard input, or whatever else makes jobs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::run {

// Thread: one, that which reads.
class JobSource {
 public:
  enum class Pull : std::uint8_t {
    message,  // to be sent
    refused,  // it cannot be sent: words() say why, and the message names whom it can
    trouble,  // a part of the input cannot be read: words() say what; pull() goes on behind it
    end,      // nothing more comes
  };

  virtual ~JobSource() = default;

  // Fills `message`, which comes cleared, its ordinal too: by that a journal knows it again.
  [[nodiscard]] virtual Pull pull(Message& message) = 0;
  // Of the last pull(), valid until the next one.
  [[nodiscard]] virtual std::string_view words() const = 0;
  // Whether pull() may have to wait for somebody: whatever was submitted leaves first.
  [[nodiscard]] virtual bool may_wait() const = 0;
  // Octets taken so far, for whoever watches.
  [[nodiscard]] virtual std::uint64_t bytes_read() const { return 0; }

  // For whoever stops in the middle: where the next job stands, empty when nobody can say or there
  // is none; and how many are left, nothing when nobody knows by then. The last calls, in this
  // order.
  [[nodiscard]] virtual std::string place() const { return {}; }
  [[nodiscard]] virtual std::optional<std::uint64_t> count_rest(
      [[maybe_unused]] Instant give_up_at) {
    return std::nullopt;
  }
};

}  // namespace ringpost::run
