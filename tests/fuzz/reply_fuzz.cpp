// codec/smtp/smtp_reply and engine/protocol/reply_rules: any split of a server's octets gives the
// same replies, the same rulings and the same error as one piece, and what is said of a reply
// holds.
//
// Input: octets that say where to cut, up to the first `|`; behind it the server's octets.
#include <optional>
#include <string>
#include <vector>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/reply_rules.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::Reply;
using codec::ReplyError;

namespace {

struct SeenReply {
  std::uint16_t code;
  EnhancedStatus enhanced;
  std::string text;
  std::uint16_t lines;
  std::size_t end;                         // octets of the server up to the end of the reply
  std::optional<protocol::Ruling> ruling;  // of a refusal, as it was read

  bool operator==(const SeenReply&) const = default;
};

struct Seen {
  std::vector<SeenReply> replies;
  std::optional<ReplyError> error;
  bool in_reply = false;
  std::string line;  // at hand when it ended

  bool operator==(const Seen&) const = default;
};

const protocol::ReplyRules& rules() {
  static const protocol::ReplyRules all = [] {
    protocol::ReplyRule of_user;
    of_user.enhanced = "4.*";
    of_user.text = "too*many";
    of_user.action = protocol::RuleAction::slow_down;
    protocol::ReplyRule of_preset;
    of_preset.text = "limit";
    of_preset.scope = protocol::RuleScope::account;
    of_preset.action = protocol::RuleAction::pause;
    return protocol::ReplyRules({of_user}, {of_preset});
  }();
  return all;
}

// One of the rules that fit, or a general one, which makes no 4xx final.
std::optional<protocol::Ruling> ruling_of(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) {
    return std::nullopt;
  }
  const protocol::Ruling ruling = rules().rule(Stage::rcpt, reply);
  if (ruling.rule != nullptr) {
    RP_ASSERT(fits(*ruling.rule, Stage::rcpt, reply));
    RP_ASSERT(ruling.scope == ruling.rule->scope && ruling.action == ruling.rule->action);
  } else {
    RP_ASSERT(ruling.action != protocol::RuleAction::reject || reply.permanent());
  }
  return ruling;
}

// The first line that begins with an enhanced status has had it taken away.
void check_reply(const Reply& reply) {
  RP_ASSERT(reply.code >= 200 && reply.code <= 599);
  RP_ASSERT(reply.positive() + reply.intermediate() + reply.transient() + reply.permanent() == 1);
  RP_ASSERT(reply.lines >= 1 && reply.lines <= limits::reply_lines_max);
  RP_ASSERT(reply.text.size() <= limits::reply_bytes_max);
  RP_ASSERT(reply.text.find('\0') == Bytes::npos);
  RP_ASSERT(std::count(reply.text.begin(), reply.text.end(), '\n') == reply.lines - 1);
  const EnhancedStatus& enhanced = reply.enhanced;
  RP_ASSERT(!enhanced.present() || enhanced.status_class == 2 || enhanced.status_class == 4 ||
            enhanced.status_class == 5);
  RP_ASSERT(enhanced.subject <= 999 && enhanced.detail <= 999);
  RP_ASSERT(enhanced.present() || enhanced == EnhancedStatus{});
}

// `cuts`: each octet is the size of a piece; when they are used up, they come again.
Seen parse(Bytes server, Bytes cuts) {
  codec::ReplyParser parser;
  Seen seen;
  std::size_t consumed = 0;
  for (std::size_t piece = 0; consumed < server.size(); ++piece) {
    std::size_t count = server.size() - consumed;
    if (!cuts.empty()) {
      count = std::min<std::size_t>(
          count, 1u + static_cast<std::uint8_t>(cuts[piece % cuts.size()]) % 64u);
    }
    const std::string copy = fuzz::own_copy(server.substr(consumed, count));
    Bytes input = copy;
    while (!input.empty()) {
      Reply reply;
      const std::size_t before = input.size();
      const auto complete = parser.parse(input, reply);
      consumed += before - input.size();
      if (!complete) {
        RP_ASSERT(!codec::text_of(complete.error()).empty());
        seen.error = complete.error();
        seen.line = parser.line_at_hand();
        RP_ASSERT(seen.line.size() <= limits::reply_line_bytes_max);
        return seen;
      }
      if (!*complete) {
        RP_ASSERT(input.empty());
        break;
      }
      RP_ASSERT(!parser.in_reply() && input.size() < before);
      check_reply(reply);
      seen.replies.push_back({reply.code, reply.enhanced, std::string(reply.text), reply.lines,
                              consumed, ruling_of(reply)});
    }
  }
  seen.in_reply = parser.in_reply();
  seen.line = parser.line_at_hand();
  return seen;
}

// What was written in the plainest way comes back as it was.
void check_round_trip(const SeenReply& seen) {
  std::string line = std::to_string(seen.code) + " ";
  if (seen.enhanced.present()) {
    line += std::to_string(seen.enhanced.status_class) + "." +
            std::to_string(seen.enhanced.subject) + "." + std::to_string(seen.enhanced.detail);
    line += " ";
  }
  line += seen.text;
  if (seen.lines != 1 || line.ends_with('\r') || line.size() + 2 > limits::reply_line_bytes_max) {
    return;
  }
  const Seen again = parse(line + "\r\n", {});
  RP_ASSERT(!again.error && again.replies.size() == 1);
  RP_ASSERT(again.replies[0].code == seen.code && again.replies[0].enhanced == seen.enhanced);
  // Text that looks like a status has become one, where there was none before.
  RP_ASSERT(again.replies[0].text == seen.text);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const Bytes cuts = input.until('|');
  const Bytes server = input.rest();
  const Seen whole = parse(server, {});
  RP_ASSERT(parse(server, cuts) == whole);
  RP_ASSERT(parse(server, Bytes("\0", 1)) == whole);
  RP_ASSERT(whole.replies.empty() || whole.replies.back().end <= server.size());
  for (const SeenReply& reply : whole.replies) {
    check_round_trip(reply);
  }
  return 0;
}
