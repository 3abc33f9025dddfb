// Problem: what a run reads is lines of text, and what it sends is messages; a line that is none
// has an outcome all the same.
//
// Idea: each line has the next ordinal of its file, whatever stands in it, so that a resume counts
// the same. It is a message, or several, of which each is made when it is asked for; a line that
// defines a template was heard of when it was cut off (engine/run/template_registry).
//
// Limits: a block of lines in memory for each reader, of whom only a single one keeps the order of
// the files.
#include "engine/run/line_source.h"

#include <limits>

#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "codec/journal/line_hash.h"
#include "engine/run/parse_line.h"
#include <ringpost/limits.h>

namespace ringpost::run {

LineSource::LineSource(JobInput input, const LineSourceOptions& options)
    : input_(std::move(input)),
      templates_({options.reader, options.date_us, options.default_template}),
      options_(options) {
  if (options_.is_one_source) {
    input_.count_through();
  }
  if (!options_.reader.dialect) {  // bodies of services define nothing
    input_.hear_definitions([this](const DefinitionLine& line) { templates_.define(line); });
  }
  codec::JobReaderOptions reader = options_.reader;
  reader.templates = &templates_;
  reader.has_default_template = options_.default_template != nullptr;
  for (std::size_t i = 0; i < input_.readers(); ++i) {
    readers_.push_back(std::make_unique<Reader>(reader));
  }
}

JobSource::Pull LineSource::pull(Message& message, std::size_t reader) {
  Reader& self = *readers_[reader];
  if (self.jobs.has_more()) {
    return told(self, parse_next(self.jobs, self.line, message), message);
  }
  const auto next = input_.next(self.line, reader);
  if (!next) {
    self.words = next.error().message;
    return Pull::trouble;
  }
  return *next ? begin_line(self, message) : Pull::end;
}

JobSource::Pull LineSource::begin_line(Reader& reader, Message& message) {
  const JobInput::Line& line = reader.line;
  // No journal takes the last ordinal of all, so that a file with too many lines ends its run.
  const std::uint32_t source = options_.is_one_source ? 0 : line.source;
  reader.ordinal = line.index < limits::journal_jobs_max
                       ? codec::job_ordinal(source, static_cast<std::uint32_t>(line.index))
                       : std::numeric_limits<std::uint64_t>::max();
  if (options_.hashes_lines) {
    reader.line_hash = codec::hash_line(line.text, options_.reader.line_hash).high;
  }
  if (!options_.reader.dialect && codec::begins_definition(line.text)) {
    const auto error = templates_.take_error(line.source, line.number);
    return error ? told(reader, refuse_line(line, *error, options_.reader.line_hash, message),
                        message)
                 : Pull::nothing;
  }
  return told(reader, parse_line(reader.jobs, line, options_.date_us, message), message);
}

JobSource::Pull LineSource::told(Reader& reader, Result<void, std::string> made,
                                 Message& message) const {
  message.origin.ordinal = reader.ordinal;
  message.origin.line_hash = reader.line_hash;
  if (made) {
    return Pull::message;
  }
  reader.words = std::move(made.error());
  return Pull::refused;
}

// A long list of recipients may be stopped in its middle, whatever others have read meanwhile: what
// is left of it would take them all.
bool LineSource::has_in_hand(std::size_t reader) const {
  const Reader& self = *readers_[reader];
  if (input_.readers() == 1 || !self.jobs.has_more()) {
    return input_.has_in_hand(reader);
  }
  return self.jobs.left_count() <= limits::lines_in_hand_max;
}

std::optional<UnreadJobs> LineSource::unread(Instant give_up_at) {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (readers_[i]->has_rest()) {
      input_.put_back(i);
    }
  }
  UnreadLines lines = input_.unread(give_up_at);
  if (lines.count == std::optional<std::uint64_t>(0)) {
    return std::nullopt;
  }
  for (const auto& reader : readers_) {
    const bool is_first =
        reader->has_rest() && reader->taken_count() > 0 && lines.from == place_of(reader->line);
    if (is_first) {
      lines.from += fmt::format(", recipient {}", reader->taken_count() + 1);
    }
  }
  return UnreadJobs{lines.count, std::move(lines.from), lines.are_in_one_piece};
}

}  // namespace ringpost::run
