// A server's answer to EHLO, for people: every keyword as it stands, beside what sessions read in
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/smtp/smtp_capability.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct EhloReply {
  std::string domain;                 // what the server calls itself, and its greeting
  std::vector<std::string> keywords;  // "SIZE 52428800", one a line, as they came
  codec::Capabilities capabilities;
};

// `text` is the text of the reply, its lines separated by '\n'. Of keywords the first
// limits::ehlo_keywords_max are kept.
[[nodiscard]] EhloReply read_ehlo_reply(Bytes text);

// How fast one session can be with these extensions.
enum class SubmissionMode : std::uint8_t {
  lock_step,  // one command a round trip
  groups,     // PIPELINING: one message a round trip
  flights,    // PIPELINING and CHUNKING: many messages a round trip
};
[[nodiscard]] SubmissionMode submission_mode(const codec::Capabilities& capabilities);
// "lock-step", "groups", "flights".
[[nodiscard]] std::string_view name_of(SubmissionMode mode);

}  // namespace ringpost::cli
