// The problem: what a server takes is said in several ways and at several times: by its
// announcements, by what earlier sessions met with, and by what this one does. And a reply in a
// burst that is missing or one too many shows by nothing but its words (see ServerWords).
//
// The idea: one place hears all of it and answers in limits: how far to run ahead, how many
// messages a session, how many recipients a transaction. Others say what has happened; whatever
// that changes is news, which later sessions get as a value (PipeliningKnowledge). Limits: what it
// means for the messages at hand is the session's matter.
#include "engine/protocol/server_traits.h"

#include <algorithm>
#include <optional>

namespace ringpost::protocol {

namespace {

std::optional<Saying> saying_of(Expected kind) {
  switch (kind) {
    case Expected::rset:
      return Saying::rset;
    case Expected::mail:
    case Expected::trial_mail:
      return Saying::mail;
    case Expected::rcpt:
      return Saying::rcpt;
    case Expected::end_of_data:
      return Saying::end_of_data;
    case Expected::greeting:
    case Expected::ehlo:
    case Expected::helo:
    case Expected::starttls:
    case Expected::auth:
    case Expected::data:
    case Expected::chunk:
    case Expected::quit:
    case Expected::trial_other:
      break;
  }
  return std::nullopt;
}

}  // namespace

ServerTraits::ServerTraits(const SessionOptions& options, const PipeliningKnowledge& knowledge)
    : options_(options),
      knowledge_(knowledge),
      words_of_others_(knowledge.words),
      session_messages_before_(knowledge.session_messages),
      session_refusals_before_(knowledge.session_refusals) {
  knowledge_.words = {};
}

void ServerTraits::hear_hello(const codec::Reply& reply, const codec::Capabilities& capabilities) {
  words_.server = hash_with_announced(words_.server, reply);
  capabilities_ = capabilities;
  pipelining_ = pipelining_shown();
}

// ---- What follows ------------------------------------------------------------------------------

Pipelining ServerTraits::pipelining_shown() const {
  if (!capabilities_.pipelining) {
    return Pipelining::off;
  }
  Pipelining way = std::min(options_.pipelining, knowledge_.most);
  // With fewer messages a session there is no room for a trial.
  constexpr std::uint64_t messages_for_trial = 4;
  const bool shown = has_proven(Pipelining::flights) || messages_max() >= messages_for_trial;
  if (way == Pipelining::flights && (!capabilities_.chunking || !shown)) {
    way = Pipelining::across;
  }
  // One refused recipient of a message on trial is refused twice, and its content in between: where
  // a session has no more refusals than that, no trial would ever end.
  constexpr std::uint32_t refusals_of_trial = 3;
  if (knowledge_.refusals_max != 0 && knowledge_.refusals_max < refusals_of_trial) {
    while (way != Pipelining::off && !has_proven(way)) {
      way = one_less(way);
    }
  }
  const bool one_by_one = options_.messages_in_flight_max == 1;
  return way == Pipelining::across && one_by_one ? Pipelining::within : way;
}

// ---- What is learnt ----------------------------------------------------------------------------

void ServerTraits::note_news() {
  ++version_;
  pipelining_ = pipelining_shown();
}

bool ServerTraits::learn(const PipeliningKnowledge& knowledge) {
  const bool doubts = (knowledge.doubts.steps & ~knowledge_.doubts.steps) != 0;
  knowledge_.merge(knowledge);
  words_of_others_ = knowledge.words;
  pipelining_ = pipelining_shown();
  return doubts;
}

void ServerTraits::prove(Pipelining step) {
  if (knowledge_.prove(step)) {
    note_news();
  }
}

void ServerTraits::note(bool PipeliningKnowledge::*trait) {
  if (!(knowledge_.*trait)) {
    knowledge_.*trait = true;
    note_news();
  }
}

void ServerTraits::fall_back(Pipelining to) {
  knowledge_.most = std::min(knowledge_.most, to);
  note_news();
}

void ServerTraits::note_recipients_max(std::uint32_t recipients) {
  knowledge_.recipients_max = recipients;
  note_news();
}

void ServerTraits::note_full_session(std::uint64_t messages) {
  if (!told_full_) {
    told_full_ = true;
    knowledge_.session_messages_max = messages;
    note_news();
  }
}

void ServerTraits::note_put_off(std::uint64_t messages) {
  knowledge_.session_messages = messages;
  note_news();
}

// Behind as many messages as another one, and in front of the next: that is no chance.
void ServerTraits::note_end_behind_messages(std::uint64_t messages) {
  if (has_ended_behind(messages)) {
    knowledge_.session_messages_max = messages;
  }
  knowledge_.session_messages = messages;
  note_news();
}

// One fewer is taken: it may have been the next one that it did not want to hear.
void ServerTraits::note_end_behind_refusals(std::uint32_t refusals, bool said) {
  if (said || refusals == session_refusals_before_) {
    knowledge_.refusals_max = std::max(1u, refusals - 1);
  }
  knowledge_.session_refusals = refusals;
  note_news();
}

// A first session has had a MAIL or two more than messages: so many more have to pass.
void ServerTraits::note_passed(std::uint64_t messages) {
  constexpr std::uint64_t messages_beyond = 2;
  const std::uint64_t limit = knowledge_.session_messages;
  if (limit != 0 && messages >= limit + messages_beyond) {
    knowledge_.session_messages = 0;
    note_news();
  }
}

void ServerTraits::note_login(AuthMechanism mechanism, codec::MechanismSet failed) {
  knowledge_.mechanisms_proven |= codec::bit_of(mechanism);
  knowledge_.mechanisms_failed |= failed;
}

bool ServerTraits::note_login_failure(AuthMechanism mechanism) {
  const codec::MechanismSet bit = codec::bit_of(mechanism);
  const bool news = (knowledge_.mechanisms_failed & bit) == 0;
  knowledge_.mechanisms_failed |= bit;
  return news;
}

// ---- Words -------------------------------------------------------------------------------------

// One thing too many that the server says to an envelope would be taken for the answer to a message
// while its words are not known. The few messages by which they become so do not wait, in the
// session that has shown flights to work and has heard all of them, if they were steady.
bool ServerTraits::waits_for_words(std::uint64_t sequence, std::uint64_t in_front) const {
  // Behind so many it says yes too seldom to be told by that.
  constexpr std::uint64_t messages_for_words = 64;
  if (words_.are_settled() || words_of_others_.are_settled() || sequence >= messages_for_words) {
    return false;
  }
  const std::uint64_t heard = words_.of(Saying::end_of_data).heard;
  return !words_steady_ || heard + in_front >= Words::settled;
}

bool ServerTraits::in_words_of_another(Expected kind, const codec::Reply& reply, bool in_burst) {
  const std::optional<Saying> saying = saying_of(kind);
  // Most servers say the same octets again and again, which need no hash.
  return saying && reply.positive() && !usual_of(*saying).is(reply) &&
         hear_words(*saying, reply, in_burst);
}

bool ServerTraits::hear_words(Saying saying, const codec::Reply& reply, bool in_burst) {
  const std::size_t hash = hash_of_words(reply);
  const Words& own = words_.of(saying);
  if (own.are_settled() && own.hash == hash) {
    if (UsualReply& usual = usual_of(saying); usual.code == 0) {
      usual = {reply.code, reply.enhanced, std::string(reply.text)};
    }
    return false;
  }
  // Among a session's first replies one too many would pass for what the server says otherwise:
  // until enough has been heard, what others have heard tells.
  const bool of_this_make = words_.server == words_of_others_.server;
  const ServerWords& known = of_this_make && !own.are_settled() ? words_of_others_ : words_;
  const bool jokes = of_this_make && words_of_others_.vary();
  if (in_burst && !jokes && known.belongs_elsewhere(saying, hash)) {
    return true;
  }
  // Of the messages that did not wait for the words to be known: see waits_for_words().
  const bool ran_first = saying == Saying::end_of_data && words_steady_ && !own.are_settled();
  if (in_burst && ran_first && words_.sounds_misplaced(saying, hash)) {
    return true;
  }
  if (words_.hear(saying, hash) && words_.are_settled() && !knowledge_.words.are_settled()) {
    knowledge_.words = words_;
    note_news();
  }
  return false;
}

}  // namespace ringpost::protocol
