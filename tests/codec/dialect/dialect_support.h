// Bodies of services for tests of their translation.
#pragma once

#include <cstdint>
#include <string>

#include "codec/dialect/dialect.h"
#include "codec/job/job_reader.h"
#include "codec/text/json_echo.h"
#include <ringpost/limits.h>

namespace ringpost::test {

inline constexpr std::int64_t translated_at_us = 1'800'000'000'000'000;  // 2027-01-15

// The job without its id, or "kind field: reason"; `refused` is what is left of the job then. The
// body stands in memory of its own, so that AddressSanitizer sees a step beyond.
inline std::string translated(codec::Dialect dialect, Bytes body, std::string* refused = nullptr) {
  codec::DialectTranslator translator({.dialect = dialect});
  std::string padded(body);
  padded.append(codec::JobReader::padding_bytes, '\x7f');
  std::string job;
  const auto done =
      translator.translate(Bytes(padded).substr(0, body.size()), translated_at_us, job);
  if (!codec::check_json(job, limits::job_depth_max)) {
    return "no JSON: " + job;
  }
  if (refused != nullptr) {
    *refused = job;
  }
  if (!done) {
    return std::string(codec::name_of(done.error().kind)) + " " + done.error().message();
  }
  constexpr Bytes id = "{\"id\":\"";
  return "{" + job.substr(job.find("\",", id.size()) + 2);
}

}  // namespace ringpost::test
