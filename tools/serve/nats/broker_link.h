// What `serve` asks of a cluster and says to it, as calls: where a job ends, where an outcome goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tools/nats/client.h"
#include "tools/serve/nats/broker_job.h"
#include "tools/settings/nats_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Of stream and consumer, as the servers have them.
struct BrokerTerms {
  std::string stream_created;  // by which one that was made anew is known
  Duration ack_wait{};
  std::uint64_t acknowledged_floor = 0;  // all jobs up to this one are done
};

struct JobWord {
  std::string reply;
  JobEnd end = JobEnd::acknowledged;
  Duration delay{};  // of one that was put off
};

// Thread-safe, as the client is.
class BrokerLink {
 public:
  // The error is a sentence: no connection, or what `ringpost nats setup` creates is not there or
  // is of another kind.
  [[nodiscard]] static Result<std::unique_ptr<BrokerLink>, std::string> connect(
      const cli::NatsOptions& options);

  [[nodiscard]] nats::Client& client() { return *client_; }
  // The terms as of the start, or as asked for again.
  [[nodiscard]] const BrokerTerms& terms() const { return terms_; }
  [[nodiscard]] Result<BrokerTerms, std::string> ask_terms();

  // Which of them the stream of outcomes has: true for each that it acknowledged. `trouble` has the
  // last word of the servers where one was refused.
  [[nodiscard]] std::vector<bool> store(std::span<const OutcomeNote> notes, std::string& trouble);
  // Which of them the servers have confirmed.
  [[nodiscard]] std::vector<bool> end_jobs(std::span<const JobWord> words);
  // To each of these: it is still at work.
  void say_in_progress(std::span<const std::string> replies);
  // For an answer.
  [[nodiscard]] Duration patience() const;

 private:
  BrokerLink(const cli::NatsOptions& options, std::unique_ptr<nats::Client> client)
      : options_(options), client_(std::move(client)) {}

  const cli::NatsOptions options_;
  std::unique_ptr<nats::Client> client_;
  BrokerTerms terms_;
};

}  // namespace ringpost::serve
