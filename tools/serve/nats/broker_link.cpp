// The words of JetStream, in one place: `+ACK`, `-NAK`, `+TERM` and `+WPI` to the subject that came
// with a job, all with an answer so that a lost one is said again. Limits: an answer to an
// acknowledgement comes from the leader of the consumer, which may be lost before the others have
// it; so nodes keep for a while in their marks what they have told.
#include "tools/serve/nats/broker_link.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tools/nats/client_options.h"
#include "tools/nats/json_answer.h"

namespace ringpost::serve {

namespace {

// Before the first question was answered.
constexpr auto first_patience = std::chrono::seconds(5);

std::string word_of(const JobWord& word) {
  switch (word.end) {
    case JobEnd::acknowledged:
      return "+ACK";
    case JobEnd::poison:
      return "+TERM";
    case JobEnd::put_off:
      return fmt::format(R"(-NAK {{"delay":{}}})",
                         std::chrono::duration_cast<std::chrono::nanoseconds>(word.delay).count());
    case JobEnd::given_back:
      return "-NAK";
  }
  RP_ASSERT(false);
}

std::string asked_in_vain(std::string_view what) {
  return fmt::format(
      "{}: the servers do not answer: JetStream is not enabled, has no leader yet, "
      "or this user may not publish to $JS.API.>",
      what);
}

}  // namespace

Result<std::unique_ptr<BrokerLink>, std::string> BrokerLink::connect(
    const cli::NatsOptions& options) {
  const auto connection = nats::client_options(options);
  if (!connection) {
    return Failure(connection.error());
  }
  auto client = nats::Client::connect(*connection);
  if (!client) {
    return Failure("[nats]: " + client.error());
  }
  std::unique_ptr<BrokerLink> link(new BrokerLink(options, std::move(*client)));
  auto terms = link->ask_terms();
  if (!terms) {
    return Failure("[nats]: " + terms.error());
  }
  link->terms_ = std::move(*terms);
  return link;
}

Result<BrokerTerms, std::string> BrokerLink::ask_terms() {
  const nats::Request requests[] = {
      {"$JS.API.STREAM.INFO." + options_.jobs_stream},
      {fmt::format("$JS.API.CONSUMER.INFO.{}.{}", options_.jobs_stream, options_.consumer)},
      {"$JS.API.STREAM.INFO." + options_.outcomes_stream},
      {"$JS.API.STREAM.INFO.KV_" + options_.bucket}};
  const std::string names[] = {"stream " + options_.jobs_stream, "consumer " + options_.consumer,
                               "stream " + options_.outcomes_stream, "bucket " + options_.bucket};
  const auto answers = client_->ask(requests, patience());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      return Failure(asked_in_vain(names[i]));
    }
    if (const auto error = nats::JsonAnswer(*answers[i]).error()) {
      return Failure(fmt::format("{}: {}; `ringpost nats setup` creates it", names[i], *error));
    }
  }
  const nats::JsonAnswer stream(*answers[0]);
  const nats::JsonAnswer consumer(*answers[1]);
  if (consumer.text({"config", "ack_policy"}) != "explicit" ||
      consumer.find({"config", "deliver_subject"}) != codec::JsonTree::none) {
    return Failure(
        fmt::format("{}: it is no pull consumer with explicit acknowledgements; name "
                    "another one, and `ringpost nats setup` creates it",
                    names[1]));
  }
  BrokerTerms terms;
  terms.stream_created = stream.text({"created"});
  terms.ack_wait = std::chrono::duration_cast<Duration>(
      std::chrono::nanoseconds(consumer.number({"config", "ack_wait"})));
  terms.acknowledged_floor = consumer.number({"ack_floor", "stream_seq"});
  return terms;
}

// Nodes say at a third of it that they are at work, and may wait for two answers before.
Duration BrokerLink::patience() const {
  return terms_.ack_wait == Duration::zero()
             ? first_patience
             : std::clamp<Duration>(terms_.ack_wait / 6, std::chrono::milliseconds(500),
                                    first_patience);
}

std::vector<bool> BrokerLink::store(std::span<const OutcomeNote> notes, std::string& trouble) {
  std::vector<nats::Request> requests;
  requests.reserve(notes.size());
  for (const OutcomeNote& note : notes) {
    requests.push_back({options_.outcomes_subject, note.line, note.message_id});
  }
  const auto answers = client_->ask(requests, patience());
  std::vector<bool> stored(notes.size());
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (!answers[i]) {
      trouble = asked_in_vain("stream " + options_.outcomes_stream);
      continue;
    }
    const nats::JsonAnswer answer(*answers[i]);
    const auto error = answer.error();
    stored[i] = !error && answer.number({"seq"}) > 0;
    if (error) {
      trouble = fmt::format("stream {}: {}", options_.outcomes_stream, *error);
    }
  }
  return stored;
}

std::vector<bool> BrokerLink::end_jobs(std::span<const JobWord> words) {
  std::vector<nats::Request> requests;
  requests.reserve(words.size());
  for (const JobWord& word : words) {
    requests.push_back({word.reply, word_of(word)});
  }
  const auto answers = client_->ask(requests, patience());
  std::vector<bool> confirmed(words.size());
  std::transform(answers.begin(), answers.end(), confirmed.begin(),
                 [](const auto& answer) { return answer.has_value(); });
  return confirmed;
}

void BrokerLink::say_in_progress(std::span<const std::string> replies) {
  std::vector<nats::Request> requests;
  requests.reserve(replies.size());
  for (const std::string& reply : replies) {
    requests.push_back({reply, "+WPI"});
  }
  client_->tell(requests);
}

}  // namespace ringpost::serve
