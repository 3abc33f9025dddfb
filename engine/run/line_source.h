// Jobs out of lines: of job files, and of standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/job/job_reader.h"
#include "engine/run/job_input.h"
#include "engine/run/job_source.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct LineSourceOptions {
  codec::JobReaderOptions reader;
  std::int64_t date_us = 0;   // Unix time, for composed messages
  bool hashes_lines = false;  // a journal wants to know lines again
  // One count of lines through all files: a journal of version 1 or 2 goes on.
  bool is_one_source = false;
};

// The ordinal of a job is its file, and the place of its line in it, from 0 and without blank ones.
// It has as many readers as its input.
class LineSource : public JobSource {
 public:
  LineSource(JobInput input, const LineSourceOptions& options);

  [[nodiscard]] std::size_t readers() const override { return readers_.size(); }
  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override;
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return readers_[reader]->words;
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override { return input_.may_wait(reader); }
  void await(std::size_t reader) override { input_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override {
    return input_.has_in_hand(reader);
  }
  void put_back(std::size_t reader) override { input_.put_back(reader); }
  [[nodiscard]] std::uint64_t bytes_read() const override { return input_.bytes_read(); }
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at) override;

 private:
  struct Reader {
    explicit Reader(const codec::JobReaderOptions& options) : jobs(options) {}
    codec::JobReader jobs;
    std::string words;
  };

  JobInput input_;
  const LineSourceOptions options_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace ringpost::run
