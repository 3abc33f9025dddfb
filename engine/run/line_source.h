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
#include "engine/run/template_registry.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct LineSourceOptions {
  codec::JobReaderOptions reader;
  std::int64_t date_us = 0;   // Unix time, for composed messages
  bool hashes_lines = false;  // a journal wants to know lines again
  // One count of lines through all files: a journal of version 1 or 2 goes on.
  bool is_one_source = false;
  // Of jobs that name none and have no content of their own; null: they are refused.
  codec::MessageTemplatePtr default_template = nullptr;
};

// The ordinal of a job is its file, and the place of its line in it, from 0 and without blank ones.
// A line with `recipients` is a job of as many messages, and one with `define` is none. It has as
// many readers as its input.
class LineSource : public JobSource {
 public:
  LineSource(JobInput input, const LineSourceOptions& options);

  [[nodiscard]] std::size_t readers() const override { return readers_.size(); }
  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override;
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return readers_[reader]->words;
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override {
    return !readers_[reader]->jobs.has_more() && input_.may_wait(reader);
  }
  void await(std::size_t reader) override { input_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override;
  void put_back(std::size_t reader) override { readers_[reader]->is_put_back = true; }
  [[nodiscard]] std::uint64_t bytes_read() const override { return input_.bytes_read(); }
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at) override;

 private:
  struct Reader {
    explicit Reader(const codec::JobReaderOptions& options) : jobs(options) {}
    codec::JobReader jobs;
    JobInput::Line line;  // the last one that was read
    std::uint64_t ordinal = 0;
    std::uint64_t line_hash = 0;
    bool is_put_back = false;  // its last message
    std::string words;

    // Messages of the line that nobody took.
    [[nodiscard]] bool has_rest() const { return is_put_back || jobs.has_more(); }
    [[nodiscard]] std::size_t taken_count() const {
      return jobs.given_count() - (is_put_back && jobs.given_count() > 0 ? 1 : 0);
    }
  };

  [[nodiscard]] Pull begin_line(Reader& reader, Message& message);
  [[nodiscard]] Pull told(Reader& reader, Result<void, std::string> made, Message& message) const;

  JobInput input_;
  TemplateRegistry templates_;
  const LineSourceOptions options_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace ringpost::run
