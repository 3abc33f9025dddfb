// A server's answer to EHLO, for people: every keyword as it stands, and the limits in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/smtp/smtp_capability.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct EhloReply {
  std::string domain;                 // what the server calls itself, and its greeting
  std::vector<std::string> keywords;  // "SIZE 52428800", one a line, as they came
  codec::Capabilities capabilities;
  // Of the LIMITS extension (RFC 9422); nothing where the server says nothing.
  std::optional<std::uint64_t> recipients_max;  // of one transaction
  std::optional<std::uint64_t> mails_max;       // transactions of one session
  std::optional<std::uint64_t> domains_max;     // domains of recipients in one transaction
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
