// The problem: outcomes are told by one thread, jobs come by another, and what is said of them to
// the cluster is said by a third, in batches of which parts fail. The idea: one place that knows of
// each job what is still to be said, without a word of how; what was said and failed is put back.
// Limits: what was told is kept for as long as age_told() is not called twice, as ranges.
#include "tools/serve/nats/jobs_in_hand.h"

#include <utility>

namespace ringpost::serve {

JobsInHand::JobsInHand(std::string stream, std::uint64_t rounds,
                       std::span<const std::string> endpoint_names)
    : stream_(std::move(stream)), rounds_(rounds), writer_(endpoint_names) {}

JobsInHand::Met JobsInHand::meet(const nats::Pulled& pulled) {
  if (const auto found = jobs_.find(pulled.sequence); found != jobs_.end()) {
    found->second.job.handed_out_again(pulled);
    return Met::in_hand;
  }
  if (told_.contains(pulled.sequence) || told_before_.contains(pulled.sequence)) {
    return Met::told;
  }
  jobs_.emplace(pulled.sequence, Held(BrokerJob(stream_, pulled)));
  return Met::fresh;
}

BrokerJob& JobsInHand::at(std::uint64_t sequence) {
  const auto found = jobs_.find(sequence);
  RP_ASSERT(found != jobs_.end());
  return found->second.job;
}

void JobsInHand::list(std::uint64_t sequence, Held& held) {
  if (!std::exchange(held.is_listed, true)) {
    changed_.push_back(sequence);
  }
}

void JobsInHand::end_message(std::uint64_t sequence, const Message& message,
                             std::span<const Outcome> outcomes) {
  at(sequence).end_message(message, outcomes, writer_);
  list(sequence, jobs_.find(sequence)->second);
}

void JobsInHand::close_job(std::uint64_t sequence) {
  at(sequence).close();
  list(sequence, jobs_.find(sequence)->second);
}

SettlingRound JobsInHand::begin_round(std::size_t notes_max) {
  SettlingRound round;
  for (const std::uint64_t sequence : changed_) {
    const auto found = jobs_.find(sequence);
    if (found == jobs_.end()) {
      continue;
    }
    std::vector<OutcomeNote>& notes = found->second.job.notes();
    while (!notes.empty() && round.notes.size() < notes_max) {
      round.notes.push_back({sequence, std::move(notes.back())});
      notes.pop_back();
    }
  }
  return round;
}

void JobsInHand::put_back(SettlingRound::Note note) {
  at(note.sequence).notes().push_back(std::move(note.note));
}

std::vector<EndedJob> JobsInHand::take_ended(bool node_ends) {
  std::vector<EndedJob> ended;
  std::vector<std::uint64_t> left;
  for (const std::uint64_t sequence : changed_) {
    const auto found = jobs_.find(sequence);
    if (found == jobs_.end()) {
      continue;
    }
    Held& held = found->second;
    if (held.job.is_over() && !held.end) {
      held.end = held.job.end(held.job.deliveries() < rounds_, node_ends);
    }
    if (!held.job.notes().empty()) {
      left.push_back(sequence);
      continue;
    }
    held.is_listed = false;
    if (held.end && !std::exchange(held.is_said, true)) {
      ended.push_back({sequence, held.job.deliveries(), held.job.reply(), *held.end});
    }
  }
  changed_ = std::move(left);
  return ended;
}

void JobsInHand::say_again(std::uint64_t sequence) {
  Held& held = jobs_.find(sequence)->second;
  held.is_said = false;
  list(sequence, held);
}

void JobsInHand::forget(std::uint64_t sequence, bool is_told) {
  jobs_.erase(sequence);
  if (is_told) {
    told_.add(sequence);
  }
}

NodeMark JobsInHand::mark(const std::string& stream_created) const {
  NodeMark mark{stream_created, {}, told_before_};
  for (const auto& [sequence, held] : jobs_) {
    mark.in_hand.add(sequence);
  }
  mark.told.add(told_);
  return mark;
}

void JobsInHand::age_told() {
  told_before_ = std::move(told_);
  told_ = {};
}

void JobsInHand::forget_told() {
  told_ = {};
  told_before_ = {};
}

std::vector<std::string> JobsInHand::replies() const {
  std::vector<std::string> replies;
  replies.reserve(jobs_.size());
  for (const auto& [sequence, held] : jobs_) {
    replies.push_back(held.job.reply());
  }
  return replies;
}

}  // namespace ringpost::serve
