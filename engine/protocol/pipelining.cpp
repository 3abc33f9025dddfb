// The problem: how far ahead a server can be spoken to is known only by trying, and what one
// session has found out has to reach all the others, in whichever order they end. The idea: a value
// that is merged; what was shown to work stays shown, and what a server takes at most only shrinks.
// Limits: it lives for one run.
#include "engine/protocol/pipelining.h"

#include <algorithm>
#include <functional>

#include "codec/text/ascii.h"

namespace ringpost::protocol {

namespace {

constexpr std::size_t prime = 0x100000001b3u;  // of FNV-1a

// Ids, addresses and counts differ from reply to reply.
bool is_changing(char c) { return codec::is_digit(c) || c == '@'; }

template <typename Number>
Number smaller_known(Number a, Number b) {
  return a == 0 ? b : (b == 0 ? a : std::min(a, b));
}

}  // namespace

std::string_view name_of(Pipelining pipelining) {
  constexpr std::array<std::string_view, pipelining_count> names = {"lock-step", "command groups",
                                                                    "DATA groups", "BDAT flights"};
  return names[static_cast<std::size_t>(pipelining)];
}

Pipelining one_less(Pipelining pipelining) {
  RP_ASSERT(pipelining != Pipelining::off);
  return static_cast<Pipelining>(static_cast<std::uint8_t>(pipelining) - 1);
}

// Up to the first word that changes: what stands behind it seldom tells more.
std::size_t hash_of_words(const codec::Reply& reply) {
  constexpr std::size_t octets_looked_at = 32;
  const std::size_t status = std::size_t{reply.enhanced.status_class} << 24 |
                             std::size_t{reply.enhanced.subject} << 12 | reply.enhanced.detail;
  Bytes words = reply.text.substr(0, octets_looked_at);
  const auto changing = std::find_if(words.begin(), words.end(), is_changing);
  const bool changes = changing != words.end();
  if (changes) {
    words = words.substr(0, static_cast<std::size_t>(changing - words.begin()));
    words = words.substr(0, words.rfind(' ') + 1);  // nothing, where there is no blank
  }
  const std::size_t codes = (std::size_t{reply.code} << 32) ^ status;
  return (((codes + (changes ? 1u : 0u)) * prime) ^ std::hash<Bytes>{}(words)) | 1u;
}

std::size_t hash_of_greeting(const codec::Reply& greeting) {
  codec::Reply nameless = greeting;
  nameless.text.remove_prefix(std::min(greeting.text.find(' '), greeting.text.size()));
  return hash_of_words(nameless);
}

// Its first line is a name and a welcome.
std::size_t hash_with_announced(std::size_t hash, const codec::Reply& hello) {
  const Bytes lines = hello.text.substr(std::min(hello.text.find('\n'), hello.text.size()));
  return (hash * prime ^ std::hash<Bytes>{}(lines)) | 1u;
}

bool ServerWords::are_settled() const {
  return of(Saying::mail).are_settled() && of(Saying::rcpt).are_settled() &&
         of(Saying::end_of_data).are_settled();
}

bool ServerWords::vary() const {
  return std::any_of(by_saying.begin(), by_saying.end(),
                     [](const Words& words) { return words.varies; });
}

bool ServerWords::hear(Saying saying, std::size_t hash) {
  Words& words = by_saying[static_cast<std::size_t>(saying)];
  if (words.are_settled() && (words.varies || words.hash == hash)) {
    return false;
  }
  if (words.heard == 0) {
    words.hash = hash;
  }
  words.varies = words.varies || words.hash != hash;
  words.heard = std::min<std::uint8_t>(Words::settled, words.heard + 1);
  return true;
}

bool ServerWords::belongs_elsewhere(Saying saying, std::size_t hash) const {
  // RSET stands between messages: when three were heard of all else, there were two of it.
  constexpr std::uint8_t heard_for_another = Words::settled - 1;
  const Words& own = of(saying);
  if (vary() || !own.are_settled() || own.hash == hash) {
    return false;
  }
  return std::any_of(by_saying.begin(), by_saying.end(), [&](const Words& other) {
    return other.heard >= heard_for_another && other.hash == hash;
  });
}

bool ServerWords::are_steady() const {
  constexpr std::uint8_t heard_for_steady = 2;
  return !vary() && of(Saying::end_of_data).heard > 0 &&
         std::all_of(by_saying.begin(), by_saying.end() - 1,
                     [](const Words& words) { return words.heard >= heard_for_steady; });
}

// What came out of place before this one makes the words of others vary: that does not count.
bool ServerWords::sounds_misplaced(Saying saying, std::size_t hash) const {
  const Words& own = of(saying);
  if (own.varies || own.heard == 0 || own.hash == hash) {
    return false;
  }
  return std::any_of(by_saying.begin(), by_saying.end(),
                     [&](const Words& other) { return other.heard > 0 && other.hash == hash; });
}

void ServerWords::hear_session(const ServerWords& session) {
  constexpr std::uint8_t objections_max = 2;
  if (!session.are_settled() || (server != 0 && server != session.server)) {
    return;
  }
  if (server == 0) {
    *this = session;
    return;
  }
  bool agrees = true;
  for (const Saying saying : {Saying::mail, Saying::rcpt, Saying::end_of_data}) {
    agrees = agrees && of(saying) == session.of(saying);
  }
  objections = agrees ? objections : std::min<std::uint8_t>(objections_max, objections + 1);
  for (Words& words : by_saying) {
    words.varies = words.varies || objections == objections_max;
  }
}

bool PipeliningKnowledge::prove(Pipelining step) {
  if (has_proven(step)) {
    return false;
  }
  proven = std::max(proven, step);
  across_proven = across_proven || step == Pipelining::across;
  return true;
}

void PipeliningKnowledge::merge(const PipeliningKnowledge& other) {
  most = std::min(most, other.most);
  doubts.steps = other.doubts.steps;  // the latest says it
  doubts.silent = other.doubts.silent;
  proven = std::max(proven, other.proven);
  across_proven = across_proven || other.across_proven;
  chunking_proven = chunking_proven || other.chunking_proven;
  discarding_proven = discarding_proven || other.discarding_proven;
  several_proven = several_proven || other.several_proven;
  session_messages = other.session_messages;  // the latest says it
  session_messages_max = smaller_known(session_messages_max, other.session_messages_max);
  recipients_max = smaller_known(recipients_max, other.recipients_max);
  session_refusals = other.session_refusals;
  refusals_max = smaller_known(refusals_max, other.refusals_max);
  chunks_for_nobody = chunks_for_nobody || other.chunks_for_nobody;
  reset_unknown = reset_unknown || other.reset_unknown;
  mechanisms_failed |= other.mechanisms_failed;
  mechanisms_proven |= other.mechanisms_proven;
}

}  // namespace ringpost::protocol
