// The server's side of one SMTP session: octets in, replies out. No socket, no TLS, no clock.
//
// RFC 5321 as a submission server speaks it, with the extensions of Extensions. It is as strict as
// the grammar allows and counts what a client does wrong, also where it goes on regardless. Two
// choices that RFCs leave open are made the harder way for the client. A message all of whose
// recipients were refused leaves its transaction open, as Exim does: without RSET the next MAIL
// gets 503. And a refused chunk makes every further one of its message fail (RFC 3030 2); their
// octets are read all the same.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "engine/server/command_syntax.h"
#include "engine/server/reply_queue.h"
#include "tools/sink/content_scan.h"
#include "tools/sink/fault_dice.h"
#include "tools/sink/login.h"
#include "tools/sink/message_observer.h"
#include "tools/sink/sink_options.h"
#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

using namespace server;  // whose grammar and replies it speaks

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
// client sends: content is looked at and let go, a line has at most 12,288 octets, and the names of
// accepted recipients are kept only for an observer. Thread: its connection's.
class SmtpServerSession {
 public:
  // Everything passed in outlives the session. `observer` may be null.
  SmtpServerSession(const ServerOptions& options, SessionPolicy policy, std::uint64_t number,
                    Tally& tally, ReplyQueue& replies, MessageObserver* observer);
  SmtpServerSession(const SmtpServerSession&) = delete;
  SmtpServerSession& operator=(const SmtpServerSession&) = delete;

  // The 220. Once, before any input of a client that behaves; input before it left is a violation.
  // Says what is next, as receive() does.
  Next greet();
  // Takes all of the input. After start_tls or an end nothing more may be passed in, but for octets
  // that come while the reply to STARTTLS has not left: they end the session.
  Next receive(Bytes input);
  // Every reply made so far was handed to the transport: what comes from now on may answer it.
  void replies_left() { reply_awaited_ = end_unanswered_ = false; }
  // The handshake is done, before greet() or behind STARTTLS: the session begins anew.
  void tls_started(std::string_view version);

  // 421, and the end: there are too many sessions (instead of greet()), the client was silent, or
  // we go down.
  void turn_away();
  void time_out();
  void shut_down();
  // The transport broke. Whatever message was under way is discarded.
  void connection_lost();

  [[nodiscard]] bool has_quit() const { return has_quit_; }
  // A fault has silenced it: it takes everything and says nothing.
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
  void on_mail(Bytes arguments);
  void on_rcpt(Bytes arguments);
  void on_data(Bytes arguments);
  void on_bdat(Bytes arguments);
  void on_rset(Bytes arguments);
  void on_quit(Bytes arguments);
  void on_unknown();

  bool mail_may_begin();
  void begin_transaction(const MailArguments& mail);
  bool refuse_recipient(Refusal refusal);
  bool content_may_begin(Bytes& complaint, bool& is_violation) const;
  void forget_tries();
  void begin_content(Framing framing);
  void begin_chunk();
  void chunk_done();
  void judge_message();
  void accept_message();
  bool refuse_content();
  void note_content();
  void discard_content();
  void abandon_content();
  void end_transaction();

  // What chance has decided for a stage, between begin_stage() and end_stage().
  struct StageFault {
    std::optional<FaultKind> kind;
    FaultStage stage = FaultStage::end;
    std::size_t reply_begin = 0;  // in what waits to leave
    bool in_place = false;        // it is done, and the stage is over
  };
  [[nodiscard]] StageFault begin_stage(FaultStage stage);
  void end_stage(const StageFault& fault);
  void spoil_reply(const StageFault& fault);
  void plan_content(std::uint64_t content_bytes);
  [[nodiscard]] Bytes until_content_fault(Bytes input);
  bool fault_in_content();
  void drop();
  void stall();

  [[nodiscard]] bool starttls_offered() const;
  [[nodiscard]] bool auth_offered() const;
  [[nodiscard]] bool pipelining_offered() const { return offered_.pipelining; }
  void offer_extensions(Bytes name);

  void reply(int code, Bytes enhanced, Bytes text);
  void refuse(const SyntaxError& error);
  void refuse_sequence(Bytes text, bool is_violation);
  bool refuse_arguments(Bytes arguments);
  void violate(Violation violation, std::uint64_t amount = 1);
  bool close_if_violated();
  void close();

  const ServerOptions& options_;
  const SessionPolicy policy_;
  const std::uint64_t number_;
  Tally& tally_;
  ReplyQueue& replies_;
  MessageObserver* const observer_;

  Phase phase_ = Phase::command;
  Next next_ = Next::receive;
  std::string partial_line_;
  // A reply that had to be awaited (RFC 2920 3.1) has not left yet.
  bool reply_awaited_ = false;
  bool end_unanswered_ = false;  // likewise the reply to an end of data
  bool has_quit_ = false;
  bool has_violated_ = false;
  std::array<std::uint64_t, violation_count> violations_{};

  // Since the greeting or the handshake.
  std::string tls_version_;
  bool has_greeted_ = false;  // EHLO or HELO
  Extensions offered_{};      // what the last EHLO was told
  Login login_;
  std::string user_;
  bool auth_tried_ = false;
  unsigned auth_failures_ = 0;

  // The transaction. What was tried is kept beside what was granted, because a client that
  // pipelines cannot know of a refusal: its RCPT behind a refused MAIL gets 503 and is no
  // violation. Tried counts whatever the refusal was.
  bool mail_tried_ = false;
  bool rcpt_tried_ = false;
  bool mail_granted_ = false;
  MailArguments mail_{};  // its views are empty: sender_ has the text
  std::string sender_;    // both only for an observer
  std::string recipients_;
  std::size_t recipient_count_ = 0;
  Refusal refusal_at_end_ = Refusal::none;

  ContentScan scan_;
  bool content_begun_ = false;
  bool chunk_failed_ = false;
  bool chunk_last_ = false;
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  SyntaxError chunk_refusal_;  // for the end of a refused chunk

  std::uint64_t messages_ = 0;

  FaultDice dice_;
  std::optional<FaultKind> content_fault_;
  std::uint64_t content_fault_in_ = 0;  // so many octets of content are taken before it
};

}  // namespace ringpost::sink
