// What happens to a session, as octets that a fuzzer can change: options, jobs, then steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/protocol/session.h"

namespace ringpost::fuzz {

// The order is that of the seeds: add at the end.
enum class StepKind : std::uint8_t {
  say,         // the server's octets
  say_known,   // one of known_replies()
  say_ok,      // `250 ok`, argument + 1 times
  say_hello,   // a reply to EHLO; each bit of the argument is a keyword
  drain,       // all output is pulled and handed over
  pull,        // one piece; the argument is the size of its room
  hand_over,   // argument / 255 of what was pulled
  submit,      // job `argument`, if it has undecided recipients and the session wants it
  submit_all,  // all those
  tls,         // the handshake is done, if there is one
  wait,        // so many seconds, and expire()
  deadline,    // exactly up to the deadline, and expire()
  quit,
  abort,
  transport_closed,
};
inline constexpr std::size_t step_kind_count = 15;

struct Step {
  StepKind kind = StepKind::say;
  std::uint8_t argument = 0;
  std::string octets;  // say: at most 255; the argument is their number

  bool operator==(const Step&) const = default;
};

struct JobShape {
  std::uint8_t recipients = 1;  // 1 to 8
  std::uint8_t content = 0;     // index into job_contents()

  bool operator==(const JobShape&) const = default;
};

struct SessionScript {
  protocol::SessionOptions options;
  protocol::PipeliningKnowledge knowledge;
  std::uint8_t piece_bytes = 1;  // of the second run, which splits what the server says
  std::vector<JobShape> jobs;    // 1 to 6
  std::vector<Step> steps;
};

[[nodiscard]] SessionScript decode_script(const std::uint8_t* data, std::size_t size);
// Options that octets cannot tell are cut to those that they can.
[[nodiscard]] std::string encode_script(const SessionScript& script);

[[nodiscard]] const std::vector<std::string>& job_contents();
// The index of the one that is most like `content`.
[[nodiscard]] std::uint8_t most_similar_content(Bytes content);

// The server's octets of a step; empty for steps that are none of the server's.
[[nodiscard]] std::string server_octets(const Step& step);

}  // namespace ringpost::fuzz
