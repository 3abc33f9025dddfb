// One line of input into a job, or into the reason why it is none, with the place where it stands.
#pragma once

#include <cstdint>
#include <string>

#include "codec/job/job_reader.h"
#include "engine/run/job_input.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Fills `message`, which comes cleared. On error the text is `file:line: field: why`, and the
// message is named and addressed as far as the line could be read.
[[nodiscard]] Result<void, std::string> parse_line(codec::JobReader& reader,
                                                   const JobInput::Line& line, std::int64_t date_us,
                                                   Message& message);

}  // namespace ringpost::run
