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

// The next message of that line.
[[nodiscard]] Result<void, std::string> parse_next(codec::JobReader& reader,
                                                   const JobInput::Line& line, Message& message);
// For a line whose error is known: its hash names the message, as if it had been parsed.
[[nodiscard]] Failure<std::string> refuse_line(const JobInput::Line& line,
                                               const codec::JobError& error,
                                               codec::LineHashKind hash, Message& message);
// FILE:LINE, as UnreadLines has it.
[[nodiscard]] std::string place_of(const JobInput::Line& line);

}  // namespace ringpost::run
