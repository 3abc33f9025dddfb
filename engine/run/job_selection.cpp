// Problem: whoever tries a campaign wants ten messages of a million, and another run of the same
// command must find the same ten. Idea: jobs are read as ever, and those that are not meant are
// passed over; a sample is drawn in one pass, in order (Knuth, TAOCP 3.4.2, algorithm S), since how
// many there are is counted before. Limits: one reader, as many jobs as are read.
#include "engine/run/job_selection.h"

#include <algorithm>
#include <utility>

namespace ringpost::run {

JobSelection::JobSelection(JobSource& source, JobSelectionOptions options)
    : source_(source),
      options_(std::move(options)),
      random_(options_.sample ? options_.sample->seed : 0) {
  RP_ASSERT(source_.readers() == 1);
}

JobSource::Pull JobSelection::pull(Message& message, std::size_t reader) {
  if (is_over()) {
    return Pull::end;
  }
  const Pull pulled = source_.pull(message, reader);
  if (pulled != Pull::message && pulled != Pull::refused) {
    return pulled;
  }
  if (!selects(message)) {
    return Pull::nothing;
  }
  ++selected_;
  if (pulled == Pull::message && !options_.instead.empty()) {
    message.recipients.clear();
    for (const codec::Mailbox& mailbox : options_.instead) {
      message.recipients.add(mailbox.address);
      message.needs_smtputf8 = message.needs_smtputf8 || mailbox.needs_smtputf8;
    }
    // Whoever knows the key shall not take the message itself for this one.
    message.idempotency_key += message.idempotency_key.empty() ? "" : "/to-me";
  }
  return pulled;
}

bool JobSelection::selects(const Message& message) {
  const bool is_drawn = !options_.sample || is_in_sample();
  return is_drawn && (options_.only.empty() || message.id == options_.only);
}

// With the probability by which the sample is full at the end.
bool JobSelection::is_in_sample() {
  const JobSample& sample = *options_.sample;
  const std::uint64_t left = sample.total - std::min(sample.total, seen_++);
  const std::uint64_t wanted = sample.wanted - sampled_;
  const bool is_drawn = left <= wanted || random_() % left < wanted;
  sampled_ += is_drawn && wanted > 0 ? 1 : 0;
  return is_drawn && wanted > 0;
}

void JobSelection::put_back(std::size_t reader) {
  source_.put_back(reader);
  --selected_;
}

}  // namespace ringpost::run
