// Lines for tests of the job reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "codec/job/job_reader.h"

namespace ringpost::test {

// What became of one line. The message stands, whether there was an error or not.
struct Reading {
  Message job;
  std::optional<codec::JobError> error;

  // "kind field: reason" without the reason, as in "wrong_type to[1]"; "ok" without an error.
  [[nodiscard]] std::string verdict() const {
    if (!error) {
      return "ok";
    }
    const std::string kind(codec::name_of(error->kind));
    return error->field.empty() ? kind : kind + " " + error->field;
  }
  [[nodiscard]] std::string recipients() const {
    std::string list;
    for (std::size_t i = 0; i < job.recipients.size(); ++i) {
      list += list.empty() ? "" : " ";
      list += job.recipients[i];
    }
    return list;
  }
};

// The line stands in memory of its own, padded by exactly what the reader may touch, so that
// AddressSanitizer sees a step beyond.
inline Reading read_with(codec::JobReader& reader, Bytes line, std::uint64_t number = 2) {
  std::string padded(line);
  padded.append(codec::JobReader::padding_bytes, '\x7f');
  padded.shrink_to_fit();
  Reading reading;
  const codec::Source where{"jobs.jsonl", number, 1'795'209'743'000'000};
  auto parsed = reader.parse(Bytes(padded.data(), line.size()), where, reading.job);
  if (!parsed) {
    reading.error = std::move(parsed).error();
  }
  return reading;
}

inline Reading read(Bytes line, codec::JobReaderOptions options = {}, std::uint64_t number = 2) {
  codec::JobReader reader(options);
  return read_with(reader, line, number);
}

// A raw job with other members: `"from":"x@y","to":"a@b","raw":"x"` and what is given.
inline Reading read_raw_with(const std::string& members) {
  return read(R"({"from":"x@y","to":"a@b","raw":"S: x\r\n\r\nx")" +
              (members.empty() ? "" : "," + members) + "}");
}

}  // namespace ringpost::test
