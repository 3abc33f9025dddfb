// The problem: a broker hands out jobs as a whole and takes them back as a whole, while a job has
// recipients of whom some were accepted and some put off. The idea: a job goes back only when
// nobody of it has had anything; otherwise each recipient has his outcome, `deferred` among them,
// and the job is done. Limits: a recipient of several who was put off has no further round by
// himself; whoever reads outcomes may publish him anew.
#include "tools/serve/nats/broker_job.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"

namespace ringpost::serve {

namespace {

constexpr Bytes broker_name = "nats";
constexpr auto round_delay_max = std::chrono::hours(1);

Bytes without_margins(Bytes text) {
  constexpr Bytes blanks = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_put_off(Status status) { return status == Status::deferred || status == Status::unsent; }

}  // namespace

BrokerJobReader::BrokerJobReader(const nats::Pulled& pulled)
    : reader_(codec::JobReaderOptions()),
      octets_(pulled.payload),
      sequence_(pulled.sequence),
      date_us_(pulled.stored_us) {
  octets_.append(codec::JobReader::padding_bytes, '\0');
  line_ = without_margins(Bytes(octets_).substr(0, pulled.payload.size()));
}

BrokerJobReader::Step BrokerJobReader::next(Message& message) {
  const run::JobInput::Line line{line_, broker_name, 0, sequence_, 0, false};
  if (!std::exchange(is_begun_, true)) {
    if (codec::begins_definition(line_)) {
      message.id = fmt::format("{}-{}", broker_name, sequence_);
      return told(
          Failure(fmt::format("{}:{}: define: a message of the stream is one job, and a "
                              "template for others stands in none",
                              broker_name, sequence_)));
    }
    return told(run::parse_line(reader_, line, date_us_, message));
  }
  return reader_.has_more() ? told(run::parse_next(reader_, line, message)) : Step::end;
}

BrokerJobReader::Step BrokerJobReader::told(Result<void, std::string> made) {
  if (made) {
    return Step::message;
  }
  words_ = std::move(made.error());
  return Step::refused;
}

void BrokerJob::end_message(const Message& message, std::span<const Outcome> outcomes,
                            codec::OutcomeWriter& writer) {
  const bool all_put_off = std::all_of(outcomes.begin(), outcomes.end(),
                                       [](const Outcome& one) { return is_put_off(one.status); });
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    OutcomeNote note{outcome_message_id(stream_, sequence(), message, i), {}};
    writer.append(note.line, message, i, outcomes[i]);
    note.line.pop_back();
    (all_put_off ? held_ : notes_).push_back(std::move(note));
    has_deferred_ = has_deferred_ || outcomes[i].status == Status::deferred;
    has_sendable_ = has_sendable_ || outcomes[i].status != Status::invalid;
  }
  has_final_ = has_final_ || !all_put_off;
  --open_messages_;
}

JobEnd BrokerJob::end(bool has_rounds, bool node_ends) {
  if (!has_final_ && !has_deferred_ && node_ends) {
    return JobEnd::given_back;
  }
  if (!has_final_ && has_rounds) {
    return JobEnd::put_off;
  }
  std::move(held_.begin(), held_.end(), std::back_inserter(notes_));
  held_.clear();
  return has_sendable_ ? JobEnd::acknowledged : JobEnd::poison;
}

void BrokerJob::handed_out_again(const nats::Pulled& pulled) {
  pulled_.reply = pulled.reply;
  pulled_.deliveries = pulled.deliveries;
}

std::string outcome_message_id(Bytes stream, std::uint64_t sequence, const Message& message,
                               std::size_t recipient) {
  std::string names = message.id;
  names += '\n';
  if (recipient < message.recipients.size()) {
    names += message.recipients[recipient];
  }
  std::string id =
      fmt::format("{}.{}.{}.", stream, sequence, message.origin.first_recipient + recipient);
  codec::append_hex(id, codec::hash_line(names));
  return id;
}

Duration round_delay(Duration first, std::uint64_t deliveries) {
  Duration delay = first;
  for (std::uint64_t round = 1; round < deliveries && delay < round_delay_max; ++round) {
    delay *= 2;
  }
  return std::min<Duration>(delay, std::max<Duration>(round_delay_max, first));
}

}  // namespace ringpost::serve
