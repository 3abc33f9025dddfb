// The problem: octets come as the network cuts them, and a line may be as long as a message with
// attachments, on every connection at the same time. The idea: one line at a time is gathered, and
// what it takes is asked of a budget that all connections share; the reader of job files makes
// messages of it. Limits: a line that is too long is passed over as it comes, and refused at its
// end.
#include "tools/serve/http/job_lines.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/run/parse_line.h"

namespace ringpost::http {

namespace {

// In messages to people: "http:3: to: ...".
constexpr Bytes source_name = "http";

// What a template takes in memory is more than its line: a list of steps, and segments of it.
constexpr std::size_t template_growth = 4;

codec::JobReaderOptions with_templates(codec::JobReaderOptions options,
                                       codec::TemplateSource& templates) {
  options.files = nullptr;
  options.templates = options.dialect ? nullptr : &templates;
  return options;
}

run::TemplateRegistryOptions registry_options(const JobLinesOptions& options) {
  codec::JobReaderOptions reader = options.reader;
  reader.files = nullptr;
  return {reader, options.date_us, nullptr};
}

bool is_blank(Bytes line) { return line.find_first_not_of(" \t\r") == Bytes::npos; }

}  // namespace

JobLines::JobLines(const JobLinesOptions& options, ByteBudget& budget)
    : options_(options),
      share_(budget),
      templates_(registry_options(options)),
      reader_(with_templates(options.reader, templates_)) {}

JobLines::~JobLines() = default;

void JobLines::take(Bytes& body) {
  while (!body.empty() && !has_line()) {
    const std::size_t newline = body.find('\n');
    add(body.substr(0, newline));
    if (newline == Bytes::npos) {
      body = {};
      return;
    }
    body.remove_prefix(newline + 1);
    if (is_blank(line_) && !is_too_long_) {
      line_.clear();
      ++number_;
    } else {
      has_line_ = true;
    }
  }
}

void JobLines::end() { has_line_ = has_line_ || is_too_long_ || !is_blank(line_); }

void JobLines::add(Bytes octets) {
  if (is_too_long_ || line_.size() + octets.size() > options_.line_bytes_max) {
    is_too_long_ = true;
    line_.clear();
    line_.shrink_to_fit();
    static_cast<void>(share_.resize(template_bytes_));
    return;
  }
  const std::size_t bytes = line_.size() + octets.size() + codec::JobReader::padding_bytes;
  if (bytes > line_.capacity()) {
    const std::size_t wanted = std::max(bytes, 2 * line_.capacity());
    if (!share_.resize(wanted + template_bytes_)) {
      is_out_of_memory_ = true;
      return;
    }
    line_.reserve(wanted);
  }
  line_ += octets;
}

JobLines::Step JobLines::next(Message& message) {
  if (is_out_of_memory_) {
    return Step::no_memory;
  }
  if (has_line_ && is_begun_ && !reader_.has_more()) {
    forget_line();
  }
  if (!has_line_) {
    return Step::need_more;
  }
  if (!is_begun_) {
    return begin_line(message);
  }
  const run::JobInput::Line line{line_, source_name, 0, number_, 0, false};
  return told(run::parse_next(reader_, line, message));
}

JobLines::Step JobLines::begin_line(Message& message) {
  is_begun_ = true;
  const std::size_t bytes = line_.size();
  if (is_too_long_) {
    message.id = "line-" + std::to_string(number_);
    return told(
        Failure(fmt::format("{}:{}: the line is longer than {} octets, the most that a job "
                            "may have",
                            source_name, number_, options_.line_bytes_max)));
  }
  line_.append(codec::JobReader::padding_bytes, '\0');
  const run::JobInput::Line line{Bytes(line_).substr(0, bytes), source_name, 0, number_, 0, false};
  if (!options_.reader.dialect && codec::begins_definition(line.text)) {
    template_bytes_ += template_growth * bytes;
    if (!share_.resize(line_.capacity() + template_bytes_)) {
      is_out_of_memory_ = true;
      return Step::no_memory;
    }
    templates_.define({line.text, line.file, 0, number_});
    const auto error = templates_.take_error(0, number_);
    if (error) {
      return told(run::refuse_line(line, *error, options_.reader.line_hash, message));
    }
    forget_line();
    return Step::need_more;
  }
  return told(run::parse_line(reader_, line, options_.date_us, message));
}

JobLines::Step JobLines::told(Result<void, std::string> made) {
  if (made) {
    return Step::message;
  }
  words_ = std::move(made.error());
  return Step::refused;
}

void JobLines::forget_line() {
  has_line_ = false;
  is_begun_ = false;
  is_too_long_ = false;
  ++number_;
  if (line_.capacity() > bytes_waiting_uncounted) {
    line_.clear();
    line_.shrink_to_fit();
    static_cast<void>(share_.resize(template_bytes_));  // less than it was
  } else {
    line_.clear();
  }
}

}  // namespace ringpost::http
