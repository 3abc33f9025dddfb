// What a session knows of its server: what it announces, what earlier sessions have learnt, and
// what this one finds out. The one place that turns all of that into limits.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "codec/smtp/smtp_capability.h"
#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/pipelining.h"
#include "engine/protocol/reply_fifo.h"
#include "engine/protocol/session_options.h"
#include <ringpost/base.h>

namespace ringpost::protocol {

// Knows no message. Whatever is learnt is news for the sessions that come later: see version().
// Lifetime: the options outlive it. Thread: its session's.
class ServerTraits {
 public:
  ServerTraits(const SessionOptions& options, const PipeliningKnowledge& knowledge);

  // ---- Announced ----

  [[nodiscard]] const codec::Capabilities& capabilities() const { return capabilities_; }
  void hear_greeting(const codec::Reply& greeting) { words_.server = hash_of_greeting(greeting); }
  // Of a server that announces nothing because it was said HELO: no capabilities.
  void hear_hello(const codec::Reply& reply, const codec::Capabilities& capabilities);
  // What was announced in clear counts for nothing under TLS (RFC 3207 4.2).
  void forget_announced() { capabilities_ = {}; }

  // ---- Known, and what follows ----

  // Handed on to later sessions; its words as this session has heard them.
  [[nodiscard]] const PipeliningKnowledge& knowledge() const { return knowledge_; }
  // Grows whenever that has changed.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // What was asked for, as far as the server goes along.
  [[nodiscard]] Pipelining pipelining() const { return pipelining_; }
  [[nodiscard]] bool has_proven(Pipelining step) const { return knowledge_.has_proven(step); }
  [[nodiscard]] bool is_doubted(Pipelining step) const {
    return (knowledge_.doubts.steps & bit_of(step)) != 0 && !has_proven(step);
  }
  // Messages that the server takes a session; 0: nobody knows.
  [[nodiscard]] std::uint64_t messages_taken_max() const {
    return smaller_limit(knowledge_.session_messages_max, capabilities_.session_messages_max);
  }
  // Messages that a session may have, as it takes them and was asked for.
  [[nodiscard]] std::uint64_t messages_max() const {
    const std::uint64_t most = smaller_limit(options_.messages_max, messages_taken_max());
    return most == 0 ? UINT64_MAX : most;
  }
  // Recipients of a transaction, likewise.
  [[nodiscard]] std::uint32_t recipients_max() const {
    const auto known = smaller_limit(knowledge_.recipients_max, capabilities_.recipients_max);
    return static_cast<std::uint32_t>(smaller_limit(options_.recipients_max, known));
  }

  // ---- Learnt ----

  // What other sessions have found out meanwhile. True: it casts doubt on a step.
  bool learn(const PipeliningKnowledge& knowledge);
  // What is learnt is the endpoint's, and has no place here.
  void note_news();
  void prove(Pipelining step);
  void prove_chunking() { note(&PipeliningKnowledge::chunking_proven); }
  void prove_discarding() { note(&PipeliningKnowledge::discarding_proven); }
  void prove_several() { note(&PipeliningKnowledge::several_proven); }
  // What runs further ahead has gone wrong.
  void fall_back(Pipelining to);
  void note_reset_unknown() { note(&PipeliningKnowledge::reset_unknown); }
  void note_chunks_for_nobody() { note(&PipeliningKnowledge::chunks_for_nobody); }
  void note_recipients_max(std::uint32_t recipients);
  // A session that has had so many messages says that it is full.
  void note_full_session(std::uint64_t messages);
  // It may be.
  void note_put_off(std::uint64_t messages);
  // The session was ended behind so many messages, and in front of the next.
  void note_end_behind_messages(std::uint64_t messages);
  // The same of refusals. `said`: because of them.
  void note_end_behind_refusals(std::uint32_t refusals, bool said);
  // So many messages of this session have passed.
  void note_passed(std::uint64_t messages);
  // An earlier session has come to an end there.
  [[nodiscard]] bool has_ended_behind(std::uint64_t messages) const {
    return session_messages_before_ == messages;
  }
  // The way to log in that is at hand works, and those that were tried before do not.
  void note_login(AuthMechanism mechanism, codec::MechanismSet failed);
  // Whether that was news.
  bool note_login_failure(AuthMechanism mechanism);

  // ---- Words ----

  // Notes the words of a reply in which the server says yes. True: they are its words for another
  // command, and the reply came in a burst, where a missing or surplus one shifts all behind it.
  [[nodiscard]] bool in_words_of_another(Expected kind, const codec::Reply& reply, bool in_burst);
  // A trial of this session's has shown that a step works, `flights` or another: whether it has
  // heard the same words each time so far.
  void note_steadiness(bool flights) { words_steady_ = flights && words_.are_steady(); }
  // Whether the end of data of the message with this number, behind `in_front` others that have no
  // answer yet, waits until the server's words are known.
  [[nodiscard]] bool waits_for_words(std::uint64_t sequence, std::uint64_t in_front) const;

 private:
  // What a server says with a 2xx, octet for octet.
  struct UsualReply {
    std::uint16_t code = 0;
    EnhancedStatus enhanced;
    std::string text;

    [[nodiscard]] bool is(const codec::Reply& reply) const {
      return code == reply.code && enhanced == reply.enhanced && text == reply.text;
    }
  };

  // 0 is no limit. Without a branch, since every reply asks.
  [[nodiscard]] static std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b) {
    return std::min(a - 1, b - 1) + 1;  // 0 becomes the largest number, and again 0
  }
  // Something that was not known, and is so.
  void note(bool PipeliningKnowledge::*trait);
  [[nodiscard]] UsualReply& usual_of(Saying saying) {
    return usual_[static_cast<std::size_t>(saying)];
  }
  [[nodiscard]] Pipelining pipelining_shown() const;
  [[nodiscard]] bool hear_words(Saying saying, const codec::Reply& reply, bool in_burst);

  const SessionOptions& options_;
  codec::Capabilities capabilities_;
  Pipelining pipelining_ = Pipelining::off;  // kept: many ask
  bool words_steady_ = false;                // in the trial of flights, which was this session's
  bool told_full_ = false;                   // how many messages it takes
  PipeliningKnowledge knowledge_;
  std::uint64_t version_ = 0;
  ServerWords words_;                           // as this session has heard them
  std::array<UsualReply, saying_count> usual_;  // once words are settled
  ServerWords words_of_others_;                 // of the endpoint
  // As they were known when it began: ends that came since may have the same cause, as when a
  // server goes down.
  std::uint64_t session_messages_before_ = 0;
  std::uint32_t session_refusals_before_ = 0;
};

}  // namespace ringpost::protocol
