// Problem: what a run reads is lines of text, and what it sends is jobs; a line that is none has an
// outcome all the same.
//
// Idea: each line is a job with the next ordinal, whatever stands in it, so that a resume counts
// the same.
//
// Limits: one line in memory at a time, and one reader, whose order is that of the files.
#include "engine/run/line_source.h"

#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"

namespace ringpost::run {

JobSource::Pull LineSource::pull(Job& job) {
  JobInput::Line line;
  const auto next = input_.next(line);
  if (!next) {
    words_ = next.error().message;
    return Pull::trouble;
  }
  if (!*next) {
    return Pull::end;
  }
  auto parsed = parse_line(reader_, line, options_.date_us, job);
  job.ordinal = next_ordinal_++;
  if (options_.hashes_lines) {
    job.line_hash = codec::hash_line(line.text).high;
  }
  if (parsed) {
    return Pull::job;
  }
  words_ = std::move(parsed.error());
  return Pull::refused;
}

}  // namespace ringpost::run
