// An outcome line, read.
#pragma once

#include <cstdint>
#include <string>

#include "codec/template/merge_data.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

// The parts of docs/CONTRACT.md section 3 that a report tells of. Texts are views of the line's
// values; what the line lacks is empty or 0.
struct OutcomeRecord {
  Bytes id;
  Bytes recipient_id;
  Bytes recipient;
  Status status = Status::unsent;
  Bytes stage;
  std::uint16_t code = 0;
  Bytes enhanced;
  Bytes text;
  Bytes reason;
  Bytes endpoint;
  Bytes timestamp;  // RFC 3339, UTC
  double submit_ms = -1;
  std::uint64_t bytes = 0;
  bool is_final = true;
};

// An error is a clause for people. A status that this program does not know is one.
[[nodiscard]] Result<OutcomeRecord, std::string> read_outcome_record(const codec::MergeData& line);

// "550 no such user", or our words where no reply decided it: without controls, cut.
[[nodiscard]] std::string words_of(const OutcomeRecord& record);

}  // namespace ringpost::cli
