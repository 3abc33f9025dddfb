// Some of a source's jobs: the first, some by chance, the one with an id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mail/address.h"
#include "engine/run/job_source.h"
#include <ringpost/base.h>

namespace ringpost::run {

// So many of so many, each as likely as the others.
struct JobSample {
  std::uint64_t wanted = 0;
  std::uint64_t total = 0;  // of the source
  std::uint64_t seed = 0;
};

struct JobSelectionOptions {
  std::optional<std::uint64_t> limit = std::nullopt;  // nothing: all that are selected
  std::optional<JobSample> sample = std::nullopt;
  std::string only = {};  // an id; empty: any
  // Messages go to these and to nobody else, each to all of them.
  std::vector<codec::Mailbox> instead = {};
};

// What is not selected is as if it stood nowhere. Of one reader, who keeps the order. The source
// outlives it.
class JobSelection : public JobSource {
 public:
  JobSelection(JobSource& source, JobSelectionOptions options);

  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override;
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return source_.words(reader);
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override {
    return !is_over() && source_.may_wait(reader);
  }
  void await(std::size_t reader) override { source_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override {
    return source_.has_in_hand(reader);
  }
  void put_back(std::size_t reader) override;
  [[nodiscard]] std::uint64_t bytes_read() const override { return source_.bytes_read(); }
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at) override {
    return is_over() ? std::nullopt : source_.unread(give_up_at);
  }

 private:
  [[nodiscard]] bool is_over() const { return options_.limit && selected_ >= *options_.limit; }
  [[nodiscard]] bool selects(const Message& message);
  [[nodiscard]] bool is_in_sample();

  JobSource& source_;
  const JobSelectionOptions options_;
  std::uint64_t seen_ = 0;  // of the sample's total
  std::uint64_t sampled_ = 0;
  std::uint64_t selected_ = 0;
  std::mt19937_64 random_;
};

}  // namespace ringpost::run
