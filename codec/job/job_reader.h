// Job lines (docs/CONTRACT.md section 2) into messages that are ready to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/dialect/dialect.h"
#include "codec/job/file_source.h"
#include "codec/job/job_error.h"
#include "codec/job/template_source.h"
#include "codec/journal/line_hash.h"
#include "codec/mail/content_check.h"
#include "codec/template/merge_data.h"
#include "codec/template/message_template.h"
#include "codec/template/mustache.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>
#include <ringpost/message.h>

namespace ringpost::codec {

struct JobReaderOptions {
  NewlinePolicy newlines = NewlinePolicy::normalize;
  // Where raw_file, text_file, html_file and attachments[].path are read from; not owned. Null:
  // jobs that name files are refused, as a server that takes jobs from strangers wants it.
  FileSource* files = nullptr;
  // Of one job. A job with more is refused: each of its recipients is named all the same.
  std::size_t recipients_max = limits::job_recipients_max;
  // Of one line whose recipients have a message each.
  std::size_t line_recipients_max = limits::journal_recipients_max;
  // Of what ids of lines without one, Message-IDs and boundaries are made.
  LineHashKind line_hash = LineHashKind::xxh3_128;
  // Where `template` is looked up; not owned. Null: there are none but those of the lines.
  TemplateSource* templates = nullptr;
  // Lines without content of their own are filled in by its template of an empty name.
  bool has_default_template = false;
  // Values that stand in for those that neither a recipient nor the line has; not owned, may be
  // null.
  const MergeData* values = nullptr;
  MissingPolicy missing = MissingPolicy::invalid;
  bool verp = false;  // see TemplateOptions
  // Lines are bodies of that service, and no jobs (codec/dialect).
  std::optional<Dialect> dialect = std::nullopt;
};

// Where a line stands and when it is composed.
struct Source {
  Bytes file;              // for messages to people
  std::uint64_t line = 0;  // from 1
  // Unix time for the Date field of composed messages. A run that may be resumed gives the time of
  // its first start each time, so that a message that is composed again is the identical one.
  std::int64_t date_us = 0;
  // Which of the files of a run it is: templates are known below the lines that define them.
  std::uint32_t file_number = 0;
};

// Of a line that defines a template.
struct DefinitionNote {
  std::string name;       // by which jobs call it
  std::size_t bytes = 0;  // of all that it is made of
};

// Reads one line at a time. Not thread-safe; one reader a thread. Memory: the parser's index grows
// with the longest line and is given back after an unusually long one. A `raw` job of ordinary size
// takes no allocation once reader and message have seen such a line before.
class JobReader {
 public:
  // Octets behind a line that must be readable; their value does not matter.
  static constexpr std::size_t padding_bytes = 64;

  explicit JobReader(JobReaderOptions options);
  ~JobReader();
  JobReader(JobReader&&) noexcept;
  JobReader& operator=(JobReader&&) noexcept;

  // Fills `message`, which comes cleared. `line` has no newline at its end (a CR is white space)
  // and is followed by padding_bytes of readable memory. A UTF-8 byte order mark is passed over
  // when where.line is 1. Nothing of the line is referred to afterwards.
  //
  // On error `message` holds what an outcome line needs: id (or its default), file, line, tags,
  // metadata and the recipients, also those that were refused as addresses (cut to a sane length).
  // Fields are read to the end after an offence for that purpose, as far as the JSON allows. The
  // rest is unspecified.
  //
  // A line with `recipients` is a message for each of them, of which this is the first: the others
  // are there as long as the octets of the line and of where.file are, which has_more() asks for.
  [[nodiscard]] Result<void, JobError> parse(Bytes line, const Source& where, Message& message);
  [[nodiscard]] bool has_more() const;
  // The next message of the line, as parse() gave the first.
  [[nodiscard]] Result<void, JobError> next(Message& message);
  // How many messages the last line has given, where it has `recipients`.
  [[nodiscard]] std::size_t given_count() const;
  [[nodiscard]] std::size_t left_count() const;

  // A line that defines a template. `note` has the name, as far as it could be read, also where
  // there is an error.
  [[nodiscard]] Result<MessageTemplatePtr, JobError> read_definition(Bytes line,
                                                                     const Source& where,
                                                                     DefinitionNote& note);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Whether the first member of the line is `define`.
[[nodiscard]] bool begins_definition(Bytes line);

// "3.0.1", for `ringpost version`.
[[nodiscard]] std::string simdjson_version();

}  // namespace ringpost::codec
