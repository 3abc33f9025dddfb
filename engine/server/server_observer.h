// Who decides what becomes of a session's mail: the sink with its faults and its record, or a relay
// with its queues and quotas.
//
// The session knows the protocol and its own limits; everything else is asked of here, at the
// moment when an answer is due. Nothing has to be overridden: a server whose observer is this class
// takes whatever is right and forgets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "engine/server/command_syntax.h"
#include "engine/server/envelope.h"
#include "engine/server/reply_queue.h"
#include "engine/server/server_count.h"
#include <ringpost/base.h>

namespace ringpost::server {

// Places of a session that an observer can look at: a command and its reply, or the middle of
// content. The words of flags hang on their order in the sink.
enum class Stage : std::uint8_t {
  greeting,
  ehlo,
  starttls,
  auth,
  mail,
  rcpt,
  data,     // behind DATA, and in front of the content of a BDAT, which has no reply here
  content,  // within, where on_data() has asked for it: there is no reply
  end,
};
inline constexpr std::size_t stage_count = 9;

// One reply of one line. The text is valid until the session has taken it over, which is before it
// calls anybody again; of what is too long for a line or has no place in it (RFC 5321 4.5.3.1.5)
// nothing reaches the client. 421 ends the session.
struct Answer {
  std::uint16_t code = 0;  // 0: none, and the session goes on by itself
  Bytes enhanced;          // without it there is none; not said where they are not offered
  Bytes text;

  [[nodiscard]] bool is_given() const { return code != 0; }
};

// How a session ends, or seems to.
enum class Ending : std::uint8_t {
  none,
  drop,   // the connection is closed without a word
  reset,  // the same, and TCP says RST
  stall,  // whatever comes is taken and lost, and nothing leaves any more
};

struct StageVerdict {
  Ending ending = Ending::none;
  Answer answer{};  // said before that
};

// What the session knows of its client. Views and references to it die with the session.
struct ClientFacts {
  std::uint64_t session = 0;  // number of it, within the server
  std::string peer{};         // address, as whoever accepted it has written it
  std::string hello{};        // what EHLO or HELO said; empty: nothing yet
  bool is_extended = false;   // it was EHLO
  std::string tls_version{};  // empty: in clear
  std::string user{};         // empty: not logged in
};

// A message that is complete and within the session's limits. All views are the session's and die
// with the call.
struct IncomingMessage {
  const ClientFacts& client;
  std::uint64_t number = 0;  // within the session, from 1; those that are refused at once have none
  Bytes queue_id;            // in the session's own 250
  const Envelope& envelope;  // without any text, unless that was wished for
  std::uint64_t bytes = 0;
  bool chunked = false;
};

// What becomes of it.
struct Taken {
  // Nothing is answered yet: ServerSession::answer_message() does, and until then no reply passes
  // its place. The session goes on taking in what a client that pipelines sends behind it; how many
  // answers may be owed is the observer's to bound.
  bool later = false;
  // Without one 250 with the queue id. Else of class 2, 4 or 5.
  Answer answer{};
};

// Whether the content of a message shall come.
struct ContentVerdict {
  static constexpr std::uint64_t nowhere = std::numeric_limits<std::uint64_t>::max();

  Answer answer{};  // refuses; what a BDAT brings is read all the same
  // Behind how many octets, at least one, before_stage(Stage::content) is to be asked.
  std::uint64_t ask_behind = nowhere;
};

// What an observer wants to hear beyond the rest, because each of them costs something.
struct Wishes {
  bool stages = false;    // before_stage(), after_stage()
  bool envelope = false;  // IncomingMessage::envelope
  bool content = false;   // on_content(), on_discarded()
};

// Called by one session, on its thread, and calls nothing of it in return. Thread: the session's.
class ServerObserver {
 public:
  ServerObserver() = default;
  ServerObserver(const ServerObserver&) = delete;
  ServerObserver& operator=(const ServerObserver&) = delete;
  virtual ~ServerObserver() = default;

  // Once, when the session begins.
  [[nodiscard]] virtual Wishes wishes() const { return {}; }

  // It was counted already.
  virtual void on_violation(Violation /*violation*/, std::uint64_t /*amount*/) {}

  // In the place of obeying: where the session ends here, by itself or with 421, what was said is
  // neither taken nor answered. There is no other answer here.
  [[nodiscard]] virtual StageVerdict before_stage(Stage /*stage*/) { return {}; }
  // Behind obeying: the reply stands in `replies` from `begin` on (ReplyQueue::size() before it).
  // What was taken stays so. Not called where nothing was replied, or the session is over.
  [[nodiscard]] virtual StageVerdict after_stage(Stage /*stage*/, ReplyQueue& /*replies*/,
                                                 std::size_t /*begin*/) {
    return {};
  }

  // In front of the greeting: an answer is said in its place, and the session ends.
  [[nodiscard]] virtual Answer on_greeting(const ClientFacts& /*client*/) { return {}; }
  // A login came to its end: with the right secret an answer refuses it all the same, with a wrong
  // one it is what is said. None: 235, or 535.
  [[nodiscard]] virtual Answer on_login(const ClientFacts& /*client*/, bool /*is_right*/) {
    return {};
  }

  // Nothing but this judgement is left to be passed: an answer refuses, none accepts.
  [[nodiscard]] virtual Answer on_sender(const ClientFacts& /*client*/,
                                         const MailArguments& /*mail*/) {
    return {};
  }
  [[nodiscard]] virtual Answer on_recipient(const ClientFacts& /*client*/,
                                            const RcptArguments& /*rcpt*/) {
    return {};
  }
  // DATA, or the first BDAT of a message. `bytes` are those of that chunk, or what MAIL has said.
  [[nodiscard]] virtual ContentVerdict on_data(const ClientFacts& /*client*/,
                                               std::optional<std::uint64_t> /*bytes*/) {
    return {};
  }

  // The next octets of the message under way, dot-stuffing taken off. A row of these ends with
  // on_message() or on_discarded().
  virtual void on_content(Bytes /*octets*/) {}
  virtual void on_discarded() {}

  [[nodiscard]] virtual Taken on_message(const IncomingMessage& /*message*/) { return {}; }
};

}  // namespace ringpost::server
