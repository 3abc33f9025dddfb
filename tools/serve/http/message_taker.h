// Whoever sends what a client hands in. A seam: the intake of `serve` behind it, a test or a fuzz
// target in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::http {

enum class Taken : std::uint8_t { yes, full, closed };

class MessageTaker {
 public:
  // Once for each message that was taken, with an outcome for each recipient in their order; one
  // that had none has one with an empty address by then. On any thread; it may be called within
  // take() or refuse().
  using Completion = std::function<void(const Message&, std::span<const Outcome>)>;

  virtual ~MessageTaker() = default;

  // Neither waits. A message that was taken is empty again; else it is as it was.
  [[nodiscard]] virtual Taken take(Message& message, const Completion& done) = 0;
  // It cannot be sent: each of its recipients is told `invalid` with this reason.
  [[nodiscard]] virtual Taken refuse(Message& message, std::string_view reason,
                                     const Completion& done) = 0;

  enum class Stored : std::uint8_t { yes, no_room, failed };
  // Once for each message that was taken to be stored. On any thread.
  using StoreCompletion = std::function<void(Stored)>;
  struct Storing {
    Taken taken = Taken::closed;
    std::string why_invalid;  // it can never be sent, and was not taken; empty: it can
  };

  // Whether there is somewhere to store.
  [[nodiscard]] virtual bool can_store() const { return false; }
  // `done` is called when the message survives a power cut, and sent in time. It is left as it is.
  [[nodiscard]] virtual Storing store(Message& /*message*/, const StoreCompletion& /*done*/) {
    return {};
  }
  // Nobody waits for messages with this cancellation: what is not under way is not sent, and told
  // of all the same.
  virtual void cancel(Cancellation& cancellation) = 0;
};

}  // namespace ringpost::http
