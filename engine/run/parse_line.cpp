#include "engine/run/parse_line.h"

#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

std::string place_of(const JobInput::Line& line) {
  const std::string file = line.file == "-" ? "stdin" : std::string(line.file);
  return file + ":" + std::to_string(line.number) + ": ";
}

}  // namespace

Result<void, std::string> parse_line(codec::JobReader& reader, const JobInput::Line& line,
                                     std::int64_t date_us, Job& job) {
  if (line.too_long) {
    job.id = "line-" + std::to_string(line.number);
    job.file = line.file;
    job.line = line.number;
    constexpr std::size_t mebibyte = 1u << 20;
    return Failure(place_of(line) + "the line is longer than " +
                   std::to_string(limits::job_line_bytes_max / mebibyte) +
                   " MiB, the most that a job may have; put large content into a file and "
                   "name it in raw_file");
  }
  const codec::Source where{line.file, line.number, date_us};
  if (const auto parsed = reader.parse(line.text, where, job); !parsed) {
    return Failure(place_of(line) + parsed.error().message());
  }
  return {};
}

}  // namespace ringpost::run
