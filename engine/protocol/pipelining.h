// How far commands run ahead of replies, where PIPELINING (RFC 2920) and CHUNKING (RFC 3030) are
// announced, and what sessions learn of a server by that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/smtp/smtp_capability.h"
#include "codec/smtp/smtp_reply.h"
#include <ringpost/base.h>

namespace ringpost::protocol {

// In order: each runs further ahead than the one before it. A ladder that an endpoint climbs one
// step at a time: a step that it has not shown is tried with one message (session_trial.cpp).
enum class Pipelining : std::uint8_t {
  // Every command waits for the reply to the one before: four round trips a message.
  off,
  // MAIL, RCPTs and DATA leave together: two round trips.
  within,
  // Content, end of data and the next message's MAIL, RCPTs and DATA leave together: one.
  across,
  // RSET, MAIL, RCPTs and BDAT of many messages leave together: many messages a round trip.
  flights,
};
inline constexpr std::size_t pipelining_count = 4;
// "lock-step", "command groups", "DATA groups", "BDAT flights".
[[nodiscard]] std::string_view name_of(Pipelining pipelining);
// Precondition: it is not `off`.
[[nodiscard]] Pipelining one_less(Pipelining pipelining);
// Behind the last one comes a value that is larger than all.
[[nodiscard]] constexpr Pipelining one_more(Pipelining pipelining) {
  return static_cast<Pipelining>(static_cast<std::uint8_t>(pipelining) + 1);
}

// Of steps, a bit each.
using StepSet = std::uint8_t;
[[nodiscard]] constexpr StepSet bit_of(Pipelining step) {
  return static_cast<StepSet>(1u << static_cast<unsigned>(step));
}

// Steps that have failed once in a way that may have been the network's: sessions stay below for a
// while, and one of them tries again (session_trial.cpp). Those that were shown since do not count.
struct StepDoubts {
  StepSet steps = 0;
  StepSet silent = 0;  // those of them that failed in silence
  StepSet next = 0;    // this session is the one that tries again
  bool operator==(const StepDoubts&) const = default;
};

// What a server says with a 2xx, by what it answers. RFC 3463 gives MAIL, RCPT and the end of data
// statuses of their own, and servers do not keep to it: Gmail says 2.1.5 to RSET, others to MAIL.
// So only what this very server has said tells its replies apart.
enum class Saying : std::uint8_t { rset, mail, rcpt, end_of_data };  // messages last
inline constexpr std::size_t saying_count = 4;

struct Words {
  std::size_t hash = 0;    // of the status and the words; what varies in them is left out
  std::uint8_t heard = 0;  // how often; counted up to `settled`
  bool varies = false;     // it says this and that

  // So often the same that it is a habit.
  static constexpr std::uint8_t settled = 3;
  [[nodiscard]] bool are_settled() const { return heard == settled; }
  bool operator==(const Words&) const = default;
};

struct ServerWords {
  // Whose they are, by how it greets and what it announces: nodes behind one name may be of several
  // makes. 0: nobody's.
  std::size_t server = 0;
  std::array<Words, saying_count> by_saying;
  std::uint8_t objections = 0;  // sessions that have heard something else

  [[nodiscard]] const Words& of(Saying saying) const {
    return by_saying[static_cast<std::size_t>(saying)];
  }
  // Of MAIL, RCPT and the end of data enough has been heard.
  [[nodiscard]] bool are_settled() const;
  // Whether it changes some of its words.
  [[nodiscard]] bool vary() const;
  // Whether that was news.
  bool hear(Saying saying, std::size_t hash);
  // Whether the server uses these words for another command, as a habit, and has another habit for
  // this: then a reply is missing, or one too many. Of a server that changes its words nothing is
  // told by them.
  [[nodiscard]] bool belongs_elsewhere(Saying saying, std::size_t hash) const;
  // The same before there are habits: it was heard to say otherwise here, and this elsewhere.
  [[nodiscard]] bool sounds_misplaced(Saying saying, std::size_t hash) const;
  // Whether each command was answered in the same words each time so far, and the end of data was
  // answered. Of a server that says this and that (chasquid jokes), that would be chance.
  [[nodiscard]] bool are_steady() const;
  // The testimony of one session more. Words of the first server stay. One that says otherwise may
  // have been out of step; behind two nothing is told by words any more.
  void hear_session(const ServerWords& session);
  bool operator==(const ServerWords&) const = default;
};

// A number for a reply's status and its first words, up to one with digits or '@' (an id, an
// address, a count). Never 0.
[[nodiscard]] std::size_t hash_of_words(const codec::Reply& reply);
// Nodes of one make greet in the same words, but for names, times and ids, and announce the same:
// of its greeting, and of that with the answer to EHLO. Never 0.
[[nodiscard]] std::size_t hash_of_greeting(const codec::Reply& greeting);
[[nodiscard]] std::size_t hash_with_announced(std::size_t hash, const codec::Reply& hello);

// What sessions have learnt of a server, handed on to the next.
struct PipeliningKnowledge {
  Pipelining most = Pipelining::flights;  // what runs further ahead went wrong
  StepDoubts doubts;
  Pipelining proven = Pipelining::off;  // replies have kept step so far ahead
  bool across_proven = false;           // in DATA groups, too, where `proven` is flights
  bool chunking_proven = false;         // a BDAT was answered with a 2xx
  // The octets of a BDAT that it refused were read as such, and not as commands.
  bool discarding_proven = false;
  // A whole flight of many messages came back.
  bool several_proven = false;
  // A session was ended behind so many messages and in front of the next, as by a server that takes
  // no more of them a session; 0: none was. What is in flight then is in doubt, so the flights of
  // later sessions end here, and the next message goes alone. When it is taken this was no limit.
  std::uint64_t session_messages = 0;
  // It takes so many messages a session: it has said so, or ended two sessions there; 0: not known.
  std::uint64_t session_messages_max = 0;
  // It takes so many recipients a transaction, as it has said; 0: not known.
  std::uint32_t recipients_max = 0;
  // A session was ended behind so many refusals, and what a session may have at most since the
  // server has said why, or did it twice; 0: none was, not known.
  std::uint32_t session_refusals = 0;
  std::uint32_t refusals_max = 0;
  // It has said yes to octets without a recipient, so that this is no sign of a lost step.
  bool chunks_for_nobody = false;
  bool reset_unknown = false;  // RSET was refused as a command
  // In a session: its own, once they are settled. At an endpoint: those of its sessions, since a
  // session has to tell its replies apart before it has heard enough.
  ServerWords words;
  // Ways to log in that the server announces: those that it does not know how to go, and those that
  // have worked.
  codec::MechanismSet mechanisms_failed = 0;
  codec::MechanismSet mechanisms_proven = 0;

  [[nodiscard]] bool has_proven(Pipelining step) const {
    return step == Pipelining::across ? across_proven : proven >= step;
  }
  // Whether that was news.
  bool prove(Pipelining step);
  // What another session has learnt, but for its words. What went wrong comes by
  // CloseReason::fall_back, too, and counts here as well.
  void merge(const PipeliningKnowledge& other);
  bool operator==(const PipeliningKnowledge&) const = default;
};

}  // namespace ringpost::protocol
