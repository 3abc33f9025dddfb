// Problem: what a run reads is lines of text, and what it sends is messages; a line that is none
// has an outcome all the same.
//
// Idea: each line is a message with the next ordinal of its file, whatever stands in it, so that a
// resume counts the same.
//
// Limits: one line in memory at a time, and one reader, whose order is that of the files.
#include "engine/run/line_source.h"

#include <limits>

#include "codec/journal/journal_record.h"
#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"
#include <ringpost/limits.h>

namespace ringpost::run {

JobSource::Pull LineSource::pull(Message& message) {
  JobInput::Line line;
  const auto next = input_.next(line);
  if (!next) {
    words_ = next.error().message;
    return Pull::trouble;
  }
  if (!*next) {
    return Pull::end;
  }
  if (!options_.is_one_source && line.source != source_) {
    source_ = line.source;
    next_index_ = 0;
  }
  auto parsed = parse_line(reader_, line, options_.date_us, message);
  // No journal takes the last ordinal of all, so that a file with too many lines ends its run.
  const std::uint64_t index = next_index_++;
  message.origin.ordinal = index < limits::journal_jobs_max
                               ? codec::job_ordinal(source_, static_cast<std::uint32_t>(index))
                               : std::numeric_limits<std::uint64_t>::max();
  if (options_.hashes_lines) {
    message.origin.line_hash = codec::hash_line(line.text, options_.reader.line_hash).high;
  }
  if (parsed) {
    return Pull::message;
  }
  words_ = std::move(parsed.error());
  return Pull::refused;
}

}  // namespace ringpost::run
