// Problem: a line that is too long was passed over while it was read, and has an outcome all the
// same. Idea: its number is its id. All others are the reader's, and here its errors get the place
// in front, as compilers write it.
#include "engine/run/parse_line.h"

#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

// In front of words.
std::string shown_place_of(const JobInput::Line& line) {
  const std::string file = line.file == "-" ? "stdin" : std::string(line.file);
  return file + ":" + std::to_string(line.number) + ": ";
}

}  // namespace

Result<void, std::string> parse_line(codec::JobReader& reader, const JobInput::Line& line,
                                     std::int64_t date_us, Message& message) {
  if (line.too_long) {
    message.id = "line-" + std::to_string(line.number);
    message.origin.file = line.file;
    message.origin.line = line.number;
    constexpr std::size_t mebibyte = 1u << 20;
    return Failure(shown_place_of(line) + "the line is longer than " +
                   std::to_string(limits::job_line_bytes_max / mebibyte) +
                   " MiB, the most that a job may have; put large content into a file and "
                   "name it in raw_file");
  }
  const codec::Source where{line.file, line.number, date_us, line.source};
  if (const auto parsed = reader.parse(line.text, where, message); !parsed) {
    return Failure(shown_place_of(line) + parsed.error().message());
  }
  return {};
}

Result<void, std::string> parse_next(codec::JobReader& reader, const JobInput::Line& line,
                                     Message& message) {
  if (const auto parsed = reader.next(message); !parsed) {
    return Failure(shown_place_of(line) + parsed.error().message());
  }
  return {};
}

Failure<std::string> refuse_line(const JobInput::Line& line, const codec::JobError& error,
                                 codec::LineHashKind hash, Message& message) {
  codec::append_hex(message.id, codec::hash_line(line.text, hash));
  message.origin.file = line.file;
  message.origin.line = line.number;
  return Failure(shown_place_of(line) + error.message());
}

std::string place_of(const JobInput::Line& line) {
  return std::string(line.file) + ":" + std::to_string(line.number);
}

}  // namespace ringpost::run
