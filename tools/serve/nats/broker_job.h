// A job of the stream while this node has it: its messages, and what became of each recipient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/job/job_reader.h"
#include "codec/job/outcome_writer.h"
#include "tools/nats/client.h"
#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::serve {

// An outcome line on its way into the stream of outcomes.
struct OutcomeNote {
  std::string message_id;  // the same for the same recipient of the same job, by whichever node
  std::string line;        // without a newline
};

// What becomes of the job itself.
enum class JobEnd : std::uint8_t {
  acknowledged,
  poison,     // it can never be sent, and its outcome says so
  put_off,    // the provider wants it later: another round
  given_back  // this node ends before it was sent: another one may have it at once
};

// Reads one message of the stream as one job; a job with `recipients` is a message for each.
class BrokerJobReader {
 public:
  // Composed messages have the date at which the stream took the job, whoever sends them when.
  explicit BrokerJobReader(const nats::Pulled& pulled);

  enum class Step : std::uint8_t { message, refused, end };
  // `message` comes cleared.
  [[nodiscard]] Step next(Message& message);
  [[nodiscard]] const std::string& words() const { return words_; }

 private:
  [[nodiscard]] Step told(Result<void, std::string> made);

  codec::JobReader reader_;
  std::string octets_;
  Bytes line_;
  const std::uint64_t sequence_;
  const std::int64_t date_us_;  // of composed messages
  bool is_begun_ = false;
  std::string words_;
};

// Gathers outcomes. What is final may be stored as soon as it is told; what was put off waits for
// the end of the job, since a job of which nobody has had anything may have another round as a
// whole. Thread: one at a time.
class BrokerJob {
 public:
  BrokerJob(std::string stream, const nats::Pulled& pulled)
      : stream_(std::move(stream)), pulled_(pulled) {}

  // A message went on its way, and one has come to its end.
  void begin_message() { ++open_messages_; }
  void end_message(const Message& message, std::span<const Outcome> outcomes,
                   codec::OutcomeWriter& writer);
  // No message follows.
  void close() { is_closed_ = true; }
  [[nodiscard]] bool is_over() const { return is_closed_ && open_messages_ == 0; }

  // Of a job that is over: how it ends. With `has_rounds`, what was put off as a whole has another
  // one; what this node never sent while it ends is given back. Else notes() have all that is left.
  [[nodiscard]] JobEnd end(bool has_rounds, bool node_ends);

  // Lines to be stored, which whoever stores them takes out.
  std::vector<OutcomeNote>& notes() { return notes_; }
  [[nodiscard]] std::uint64_t sequence() const { return pulled_.sequence; }
  [[nodiscard]] std::uint64_t deliveries() const { return pulled_.deliveries; }
  [[nodiscard]] const std::string& reply() const { return pulled_.reply; }
  // It was handed out once more while it is here: that is what is acknowledged now.
  void handed_out_again(const nats::Pulled& pulled);
  void forget_payload() {
    pulled_.payload.clear();
    pulled_.payload.shrink_to_fit();
  }

 private:
  const std::string stream_;
  nats::Pulled pulled_;
  std::size_t open_messages_ = 0;
  bool is_closed_ = false;
  bool has_final_ = false;     // an outcome that another round could not change
  bool has_sendable_ = false;  // an outcome that is not `invalid`
  bool has_deferred_ = false;  // the provider has said something
  std::vector<OutcomeNote> notes_;
  std::vector<OutcomeNote> held_;
};

// Of one recipient of one job: by sequence number and place, and by a hash of names, so that a
// stream that was made anew has others.
[[nodiscard]] std::string outcome_message_id(Bytes stream, std::uint64_t sequence,
                                             const Message& message, std::size_t recipient);

// Before the next round, behind so many deliveries.
[[nodiscard]] Duration round_delay(Duration first, std::uint64_t deliveries);

}  // namespace ringpost::serve
