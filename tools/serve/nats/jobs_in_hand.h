// The jobs of the stream that this node has, from the pull to the acknowledgement. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "tools/serve/nats/broker_job.h"
#include "tools/serve/nats/node_mark.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// What is to be said to the cluster, as of one moment. It is out of the jobs until it is settled.
struct SettlingRound {
  struct Note {
    std::uint64_t sequence = 0;
    OutcomeNote note;
  };
  std::vector<Note> notes;
};

struct EndedJob {
  std::uint64_t sequence = 0;
  std::uint64_t deliveries = 0;
  std::string reply;
  JobEnd end = JobEnd::acknowledged;
};

// Not thread-safe: whoever has it has a lock.
class JobsInHand {
 public:
  // Names outlive it.
  JobsInHand(std::string stream, std::uint64_t rounds, std::span<const std::string> endpoint_names);
  JobsInHand(const JobsInHand&) = delete;
  JobsInHand& operator=(const JobsInHand&) = delete;

  // Of a message that was handed to this node.
  enum class Met : std::uint8_t { fresh, in_hand, told };
  // A fresh one is in hand from now on.
  [[nodiscard]] Met meet(const nats::Pulled& pulled);
  [[nodiscard]] std::size_t count() const { return jobs_.size(); }
  [[nodiscard]] bool empty() const { return jobs_.empty(); }

  void begin_message(std::uint64_t sequence) { at(sequence).begin_message(); }
  void end_message(std::uint64_t sequence, const Message& message,
                   std::span<const Outcome> outcomes);
  void close_job(std::uint64_t sequence);

  // At most so many lines to be stored. Each goes back by put_back(), or was stored.
  [[nodiscard]] SettlingRound begin_round(std::size_t notes_max);
  void put_back(SettlingRound::Note note);
  // Jobs that are over and of which every line was stored, each once: they are forgotten by
  // forget(), or named again after say_again().
  [[nodiscard]] std::vector<EndedJob> take_ended(bool node_ends);
  void say_again(std::uint64_t sequence);
  // Something is left for another round.
  [[nodiscard]] bool has_changed() const { return !changed_.empty(); }
  // It is not in hand any more; one whose outcomes are stored is told.
  void forget(std::uint64_t sequence, bool is_told);

  // What other nodes are to know.
  [[nodiscard]] NodeMark mark(const std::string& stream_created) const;
  // Who was told long enough ago is forgotten: what was told before the last call but one.
  void age_told();
  void forget_told();
  [[nodiscard]] std::size_t told_ranges() const { return told_.ranges(); }
  // Where each of them is acknowledged.
  [[nodiscard]] std::vector<std::string> replies() const;

 private:
  struct Held {
    explicit Held(BrokerJob held) : job(std::move(held)) {}
    BrokerJob job;
    std::optional<JobEnd> end;  // decided
    bool is_said = false;       // and named by take_ended()
    bool is_listed = false;     // in changed_
  };

  [[nodiscard]] BrokerJob& at(std::uint64_t sequence);
  void list(std::uint64_t sequence, Held& held);

  const std::string stream_;
  const std::uint64_t rounds_;
  codec::OutcomeWriter writer_;
  std::map<std::uint64_t, Held> jobs_;
  std::vector<std::uint64_t> changed_;  // that may have something to be settled
  SequenceRanges told_;
  SequenceRanges told_before_;
};

}  // namespace ringpost::serve
