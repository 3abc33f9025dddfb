// Jobs out of a body: cut into lines, and made messages one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "codec/job/job_reader.h"
#include "engine/run/template_registry.h"
#include "tools/serve/http/byte_budget.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::http {

struct JobLinesOptions {
  codec::JobReaderOptions reader;  // files: none; strangers do not read those of this machine
  std::int64_t date_us = 0;        // Unix time, for composed messages
  std::size_t line_bytes_max = job_bytes_max;
};

// Body octets in, by take(); messages out, by next(), before more octets come. What a line is, and
// what is said of one that is none, is as with job files: blank lines are passed over, lines with
// `define` define templates for those below, a line with `recipients` is a message for each.
// Thread: one. Memory: a line, what templates hold, both out of the budget.
class JobLines {
 public:
  JobLines(const JobLinesOptions& options, ByteBudget& budget);
  ~JobLines();
  JobLines(const JobLines&) = delete;
  JobLines& operator=(const JobLines&) = delete;

  enum class Step : std::uint8_t {
    message,    // it is filled
    refused,    // it is none: words() say why, and the message is named as far as can be
    need_more,  // octets
    no_memory,  // the budget has no room for the line: nothing more can be read
  };

  // Takes octets to the end of a line off the front of `body`, where no line is at hand.
  void take(Bytes& body);
  // Nothing follows: what is there is the last line.
  void end();
  // `message` comes cleared.
  [[nodiscard]] Step next(Message& message);
  [[nodiscard]] const std::string& words() const { return words_; }
  // Whether next() may have something to tell before more octets come.
  [[nodiscard]] bool has_line() const { return has_line_ || is_out_of_memory_; }
  // Of the line at hand or the next one, from 1.
  [[nodiscard]] std::uint64_t line_number() const { return number_; }

 private:
  [[nodiscard]] Step begin_line(Message& message);
  [[nodiscard]] Step told(Result<void, std::string> made);
  void add(Bytes octets);
  void forget_line();

  const JobLinesOptions options_;
  BudgetShare share_;
  run::TemplateRegistry templates_;
  codec::JobReader reader_;
  std::string line_;  // without its newline, from pad() on with padding behind it
  std::uint64_t number_ = 1;
  std::size_t template_bytes_ = 0;
  bool has_line_ = false;
  bool is_begun_ = false;  // the line at hand has given its first message
  bool is_too_long_ = false;
  bool is_out_of_memory_ = false;
  std::string words_;
};

}  // namespace ringpost::http
