// Where the jobs of a run come from: files and standard input, or whatever else makes jobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::run {

// Jobs that stay unread, of a run that was stopped before the end of its source.
struct UnreadJobs {
  std::optional<std::uint64_t> count;  // nothing: nobody knows how many
  std::string from;                    // where the first one stands; empty: nobody can say
  bool are_in_one_piece = true;        // no job behind the first one was read
};

// Read by one thread or by several, each of which is a reader with a number, from 0. Thread: what
// takes the number of a reader is that reader's; bytes_read() is any's.
class JobSource {
 public:
  enum class Pull : std::uint8_t {
    message,  // to be sent
    nothing,  // it asks for no message: pull() goes on behind it
    refused,  // it cannot be sent: words() say why, and the message names whom it can
    trouble,  // a part of the input cannot be read: words() say what; pull() goes on behind it
    end,      // nothing more comes
  };

  virtual ~JobSource() = default;

  [[nodiscard]] virtual std::size_t readers() const { return 1; }

  // Fills `message`, which comes cleared, its ordinal too: by that a journal knows it again, and it
  // is the same however many readers there are.
  [[nodiscard]] virtual Pull pull(Message& message, std::size_t reader) = 0;
  // Of the last pull(), valid until the next one.
  [[nodiscard]] virtual std::string_view words(std::size_t reader) const = 0;
  // Whether pull() may have to wait for somebody: whatever was submitted leaves first, nothing is
  // held that others want, and await() waits in its place.
  [[nodiscard]] virtual bool may_wait(std::size_t reader) const = 0;
  // Returns when the next pull() has not to wait.
  virtual void await(std::size_t reader) = 0;
  // Whether whoever stops now leaves a gap: others have gone on behind what this one has in hand.
  // A few more calls of pull(), none of which waits, come to its end.
  [[nodiscard]] virtual bool has_in_hand(std::size_t reader) const = 0;
  // The job of the last pull() was not taken: it counts as unread.
  virtual void put_back(std::size_t reader) = 0;
  // Octets taken so far, for whoever watches.
  [[nodiscard]] virtual std::uint64_t bytes_read() const { return 0; }

  // For whoever stops in the middle, when no reader reads any more: what is left, as far as it is
  // known by then; nothing: no job is. The last call.
  [[nodiscard]] virtual std::optional<UnreadJobs> unread(Instant give_up_at) = 0;
};

}  // namespace ringpost::run
