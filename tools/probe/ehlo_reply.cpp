#include "tools/probe/ehlo_reply.h"

#include <algorithm>
#include <charconv>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

Bytes take_word(Bytes& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const Bytes word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> number_of(Bytes digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = !digits.empty() && end == digits.data() + digits.size();
  return error == std::errc() && whole ? std::optional(number) : std::nullopt;
}

// LIMITS RCPTMAX=100 MAILMAX=20
void take_limits(Bytes line, EhloReply& reply) {
  for (Bytes word = take_word(line); !word.empty(); word = take_word(line)) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const Bytes name = word.substr(0, equals);
    const auto value = number_of(word.substr(std::min(equals + 1, word.size())));
    if (codec::equal_without_case(name, "RCPTMAX")) {
      reply.recipients_max = value;
    } else if (codec::equal_without_case(name, "MAILMAX")) {
      reply.mails_max = value;
    } else if (codec::equal_without_case(name, "RCPTDOMAINMAX")) {
      reply.domains_max = value;
    }
  }
}

}  // namespace

EhloReply read_ehlo_reply(Bytes text) {
  EhloReply reply;
  reply.capabilities = codec::parse_capabilities(text);
  const std::size_t first_end = std::min(text.find('\n'), text.size());
  reply.domain = text.substr(0, first_end);
  text.remove_prefix(first_end);
  while (!text.empty() && reply.keywords.size() < limits::ehlo_keywords_max) {
    text.remove_prefix(1);
    const Bytes line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size());
    Bytes rest = line;
    if (codec::equal_without_case(take_word(rest), "LIMITS")) {
      take_limits(rest, reply);
    }
    reply.keywords.emplace_back(line);
  }
  return reply;
}

SubmissionMode submission_mode(const codec::Capabilities& capabilities) {
  if (!capabilities.pipelining) {
    return SubmissionMode::lock_step;
  }
  return capabilities.chunking ? SubmissionMode::flights : SubmissionMode::groups;
}

std::string_view name_of(SubmissionMode mode) {
  switch (mode) {
    case SubmissionMode::lock_step:
      return "lock-step";
    case SubmissionMode::groups:
      return "groups";
    case SubmissionMode::flights:
      return "flights";
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::cli
