// The problem: people want to read what the server wrote, and a limit that no session has a use
// for. The idea: the text is read once more beside codec::parse_capabilities(), which decides all
// that sessions go by. Limits: a value that is no number counts as not said; of two lines of LIMITS
// the last one counts.
#include "tools/probe/ehlo_reply.h"

#include <algorithm>

#include <ringpost/limits.h>

namespace ringpost::cli {

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
