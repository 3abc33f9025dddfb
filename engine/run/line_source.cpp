// Problem: what a run reads is lines of text, and what it sends is messages; a line that is none
// has an outcome all the same.
//
// Idea: each line is a message with the next ordinal of its file, whatever stands in it, so that a
// resume counts the same.
//
// Limits: a block of lines in memory for each reader, of whom only a single one keeps the order of
// the files.
#include "engine/run/line_source.h"

#include <limits>

#include "codec/journal/journal_record.h"
#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"
#include <ringpost/limits.h>

namespace ringpost::run {

LineSource::LineSource(JobInput input, const LineSourceOptions& options)
    : input_(std::move(input)), options_(options) {
  if (options_.is_one_source) {
    input_.count_through();
  }
  for (std::size_t i = 0; i < input_.readers(); ++i) {
    readers_.push_back(std::make_unique<Reader>(options_.reader));
  }
}

JobSource::Pull LineSource::pull(Message& message, std::size_t reader) {
  Reader& self = *readers_[reader];
  JobInput::Line line;
  const auto next = input_.next(line, reader);
  if (!next) {
    self.words = next.error().message;
    return Pull::trouble;
  }
  if (!*next) {
    return Pull::end;
  }
  auto parsed = parse_line(self.jobs, line, options_.date_us, message);
  // No journal takes the last ordinal of all, so that a file with too many lines ends its run.
  const std::uint32_t source = options_.is_one_source ? 0 : line.source;
  message.origin.ordinal = line.index < limits::journal_jobs_max
                               ? codec::job_ordinal(source, static_cast<std::uint32_t>(line.index))
                               : std::numeric_limits<std::uint64_t>::max();
  if (options_.hashes_lines) {
    message.origin.line_hash = codec::hash_line(line.text, options_.reader.line_hash).high;
  }
  if (parsed) {
    return Pull::message;
  }
  self.words = std::move(parsed.error());
  return Pull::refused;
}

std::optional<UnreadJobs> LineSource::unread(Instant give_up_at) {
  UnreadLines lines = input_.unread(give_up_at);
  if (lines.count == std::optional<std::uint64_t>(0)) {
    return std::nullopt;
  }
  return UnreadJobs{lines.count, std::move(lines.from), lines.are_in_one_piece};
}

}  // namespace ringpost::run
