// Jobs out of lines: of job files, and of standard input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
class LineSource : public JobSource {
 public:
  LineSource(JobInput input, const LineSourceOptions& options)
      : input_(std::move(input)), options_(options), reader_(options.reader) {}

  [[nodiscard]] Pull pull(Message& message) override;
  [[nodiscard]] std::string_view words() const override { return words_; }
  [[nodiscard]] bool may_wait() const override { return input_.may_wait(); }
  [[nodiscard]] std::uint64_t bytes_read() const override { return input_.bytes_read(); }
  [[nodiscard]] std::string place() const override { return input_.place(); }
  [[nodiscard]] std::optional<std::uint64_t> count_rest(Instant give_up_at) override {
    return input_.count_rest(give_up_at);
  }

 private:
  JobInput input_;
  const LineSourceOptions options_;
  codec::JobReader reader_;
  std::uint32_t source_ = 0;
  std::uint64_t next_index_ = 0;
  std::string words_;
};

}  // namespace ringpost::run
