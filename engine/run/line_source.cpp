// Problem: what a run reads is lines of text, and what it sends is messages; a line that is none
// has an outcome all the same.
//
// Idea: each line is a message with the next ordinal, whatever stands in it, so that a resume
// counts the same.
//
// Limits: one line in memory at a time, and one reader, whose order is that of the files.
#include "engine/run/line_source.h"

#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"

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
  auto parsed = parse_line(reader_, line, options_.date_us, message);
  message.origin.ordinal = next_ordinal_++;
  if (options_.hashes_lines) {
    message.origin.line_hash = codec::hash_line(line.text).high;
  }
  if (parsed) {
    return Pull::message;
  }
  words_ = std::move(parsed.error());
  return Pull::refused;
}

}  // namespace ringpost::run
