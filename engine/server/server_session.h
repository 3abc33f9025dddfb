// The server's side of one SMTP session: octets in, replies out. No socket, no TLS, no clock.
//
// RFC 5321 as a submission server speaks it, with the extensions of Extensions. It is as strict as
// the grammar allows and counts what a client does wrong, also where it goes on regardless. Two
// choices that RFCs leave open are made the harder way for the client. A message all of whose
// recipients were refused leaves its transaction open, as Exim does: without RSET the next MAIL
// gets 503. And a refused chunk makes every further one of its message fail (RFC 3030 2); their
// octets are read all the same.
//
// What becomes of mail is the ServerObserver's to say. What it is told costs a call each; what it
// has no wish for costs nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/server/command_syntax.h"
#include "engine/server/content_scan.h"
#include "engine/server/envelope.h"
#include "engine/server/login.h"
#include "engine/server/reply_queue.h"
#include "engine/server/server_observer.h"
#include "engine/server/server_options.h"
#include <ringpost/base.h>

namespace ringpost::server {

// What the transport does once all replies have left.
enum class Next : std::uint8_t {
  receive,
  start_tls,
  close,
  drop,   // close without a word of TLS's
  reset,  // the same, and TCP says RST
};
[[nodiscard]] constexpr bool is_end(Next next) { return next >= Next::close; }

// Any split of the input gives the same replies and the same counts. Memory is bounded whatever the
// client sends: content is looked at and let go, a line has at most 12,288 octets, and the envelope
// is kept only for an observer that wishes it. Thread: its connection's.
class ServerSession {
 public:
  // Everything passed in by reference outlives the session.
  ServerSession(const ServerSetup& setup, ClientFacts client, ReplyQueue& replies,
                ServerObserver& observer);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // The 220. Once, before any input of a client that behaves; input before it left is a violation.
  // Says what is next, as receive() does.
  Next greet();
  // Takes all of the input. After start_tls or an end nothing more may be passed in, but for octets
  // that come while the reply to STARTTLS has not left: they end the session.
  Next receive(Bytes input);
  // The answer to a message that was Taken::later, once for each, in any order; the replies want a
  // mark then, as behind receive(), and what is next is the same. Without an answer it is 250 with
  // the queue id. When the connection was lost nobody hears it, and nothing is counted.
  Next answer_message(std::uint64_t number, const Answer& answer);
  // Every reply made so far was handed to the transport: what comes from now on may answer it.
  void replies_left() { reply_awaited_ = end_unanswered_ = false; }
  // The handshake is done, before greet() or behind STARTTLS: the session begins anew.
  void tls_started(std::string_view version);

  // An answer, mostly 421, and the end: there are too many sessions (instead of greet()), the
  // client was silent, or the server goes down. It waits behind answers that are still owed, as
  // every reply does.
  void say_goodbye(const Answer& answer);
  // The transport broke. Whatever message was under way is discarded.
  void connection_lost();

  // Messages that were Taken::later wait for answer_message().
  [[nodiscard]] bool owes_answers() const { return !owed_.empty(); }
  // Nobody would lose anything by its end: no transaction is open and no answer owed.
  [[nodiscard]] bool is_between_messages() const { return !mail_granted_ && owed_.empty(); }
  [[nodiscard]] bool has_quit() const { return has_quit_; }
  // The observer has silenced it: it takes everything and says nothing.
  [[nodiscard]] bool is_stalled() const { return phase_ == Phase::stalled; }

 private:
  enum class Phase : std::uint8_t {
    command,        // a command line
    overlong_line,  // the rest of a line that is too long
    login,          // the answer to a 334
    content,        // behind 354, up to the lone dot
    chunk,          // octets of a BDAT
    refused_chunk,  // octets of a BDAT that was refused
    awaiting_tls,   // behind the 220 to STARTTLS: nothing may come
    stalled,        // whatever comes is lost
    closed,
  };

  // Octets taken from the front of a non-empty input, by phase.
  std::size_t take(Bytes input);
  std::size_t take_line(Bytes input);
  std::size_t take_overlong(Bytes input);
  std::size_t take_content(Bytes input);
  std::size_t take_chunk(Bytes input);
  std::size_t take_refused_chunk(Bytes input);
  void line(Bytes with_crlf);
  bool has_clean_end(Bytes with_crlf);
  void command(Bytes text, std::size_t line_bytes);
  void obey(const Command& command);

  void on_hello(Bytes name, bool extended);
  void on_starttls(Bytes arguments);
  void on_auth(Bytes arguments);
  void on_login_step(LoginStep step);
  void end_login(bool is_right);
  void on_mail(Bytes arguments);
  void on_rcpt(Bytes arguments);
  void on_data(Bytes arguments);
  void on_bdat(Bytes arguments);
  void on_rset(Bytes arguments);
  void on_quit(Bytes arguments);
  void on_unknown();

  bool mail_may_begin();
  void begin_transaction(const MailArguments& mail);
  bool content_may_begin(Bytes& complaint, bool& is_violation) const;
  void forget_tries();
  [[nodiscard]] Answer begin_content(Framing framing, std::optional<std::uint64_t> bytes);
  bool begin_chunked_content();
  void begin_chunk();
  void chunk_done();
  void judge_message();
  void take_message();
  void count_answer(unsigned code, std::uint64_t bytes);
  bool refuse_content();
  void note_content();
  void discard_content();
  void abandon_content();
  void end_transaction();

  // Says that it is over: the observer has answered, or ended the session.
  [[nodiscard]] bool is_over_before(Stage stage);
  void end_stage(Stage stage, std::size_t reply_begin);
  bool carry_out(const StageVerdict& verdict);
  [[nodiscard]] Bytes until_question(Bytes input) const;
  [[nodiscard]] bool is_over_behind(std::size_t content_bytes);
  [[nodiscard]] ServerObserver* content_observer() const {
    return wishes_.content ? &observer_ : nullptr;
  }

  // What the next EHLO is told, in words or as flags.
  [[nodiscard]] const std::optional<Announcement>& announcement() const;
  [[nodiscard]] const Extensions& extensions() const;
  [[nodiscard]] bool starttls_offered() const;
  [[nodiscard]] bool auth_offered() const;
  [[nodiscard]] bool pipelining_offered() const { return offered_.pipelining; }
  void offer_extensions(Bytes name);
  void append_ehlo(std::vector<std::string>& lines) const;

  void reply(unsigned code, Bytes enhanced, Bytes text);
  void say(const Answer& answer);
  [[nodiscard]] std::string line_of(const Answer& answer) const;
  template <typename Out>
  void write_reply(Out& out, unsigned code, Bytes enhanced, Bytes text) const;
  void refuse(const SyntaxError& error);
  void refuse_sequence(Bytes text, bool is_violation);
  bool refuse_arguments(Bytes arguments);
  void violate(Violation violation, std::uint64_t amount = 1);
  bool close_if_due();
  void count(Count what, std::uint64_t amount = 1) { counts_.add(what, amount); }
  void close();

  const ServerSetup& setup_;
  const ServerOptions& options_;
  ClientFacts client_;
  ServerCounts& counts_;
  ReplyQueue& replies_;
  ServerObserver& observer_;
  const Wishes wishes_;

  Phase phase_ = Phase::command;
  Next next_ = Next::receive;
  std::string partial_line_;
  // A reply that had to be awaited (RFC 2920 3.1) has not left yet.
  bool reply_awaited_ = false;
  bool end_unanswered_ = false;  // likewise the reply to an end of data
  bool has_quit_ = false;
  bool has_violated_ = false;
  std::uint64_t errors_ = 0;  // replies of 5xx since the last message

  // Since the greeting or the handshake.
  bool has_greeted_ = false;  // EHLO or HELO
  Extensions offered_{};      // what the last EHLO was told
  Login login_;
  bool auth_tried_ = false;
  unsigned auth_failures_ = 0;

  // The transaction. What was tried is kept beside what was granted, because a client that
  // pipelines cannot know of a refusal: its RCPT behind a refused MAIL gets 503 and is no
  // violation. Tried counts whatever the refusal was.
  bool mail_tried_ = false;
  bool rcpt_tried_ = false;
  bool mail_granted_ = false;
  Envelope envelope_;
  std::size_t recipient_count_ = 0;

  ContentScan scan_;
  bool content_begun_ = false;
  bool chunk_failed_ = false;
  bool chunk_last_ = false;
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  SyntaxError chunk_refusal_;       // for the end of a refused chunk
  std::string chunk_refusal_text_;  // the observer's, into which that one points
  std::string chunk_refusal_enhanced_;

  std::uint64_t question_in_ = ContentVerdict::nowhere;  // so many octets of content before it

  struct Owed {
    std::uint64_t number;
    std::uint64_t bytes;
  };
  std::uint64_t messages_ = 0;  // with a number
  std::vector<Owed> owed_;      // an answer
};

}  // namespace ringpost::server
