// One SMTP submission session (RFC 5321, 6409) without a socket, a clock or TLS.
//
// Octets, messages and time go in; octets, verdicts and a deadline come out. The same inputs give
// the same outputs, and any split of the server's octets gives the same verdicts. The sending side
// runs ahead of the receiving side: a FIFO says which reply belongs to what.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/body_scan.h"
#include "codec/job.h"
#include "codec/limits.h"
#include "codec/sasl.h"
#include "codec/smtp_capability.h"
#include "codec/smtp_reply.h"
#include "engine/protocol/close_reason.h"
#include "engine/protocol/login.h"
#include "engine/protocol/reply_fifo.h"
#include "engine/protocol/session_state.h"
#include "engine/protocol/verdict.h"

namespace ringpost::protocol {

enum class TlsMode : std::uint8_t {
  none,      // plaintext relay; no credentials unless allow_plaintext_auth
  starttls,  // required: without it nothing is sent
  implicit,  // the caller has done the handshake before the session begins
};

// How far commands run ahead of replies, where PIPELINING is announced.
enum class Pipelining : std::uint8_t {
  off,     // every command waits for the reply to the one before
  within,  // MAIL, RCPTs and DATA leave together
  across,  // content, end of data and the next message's MAIL, RCPTs and DATA leave together
};

struct SessionTimeouts {
  Duration greeting = limits::greeting_timeout;
  Duration command = limits::command_timeout;
  Duration data = limits::data_timeout;
  Duration content = limits::content_timeout;
  Duration end_of_data = limits::end_of_data_timeout;
  Duration quit = limits::quit_timeout;
};

struct SessionOptions {
  std::string client_name = "localhost";  // for EHLO: a domain or an address literal
  TlsMode tls_mode = TlsMode::starttls;
  bool authenticate = false;
  codec::Credentials credentials;  // of sessions that are given no Login of their own
  std::optional<codec::AuthMechanism> mechanism;  // nothing: the best that is announced
  codec::SaslTools sasl;
  bool allow_plaintext_auth = false;
  Pipelining pipelining = Pipelining::across;
  std::uint32_t recipients_max = 100;  // of one transaction; RFC 5321 4.5.3.1.8
  SessionTimeouts timeouts;
};

// Hears what becomes of things. Called from within the session's methods: it takes notes and calls
// nothing of the session's. Views in the arguments die with the call.
class SessionListener {
 public:
  virtual ~SessionListener() = default;

  // The server said 220 to STARTTLS: what comes and goes from here on belongs to TLS.
  virtual void on_start_tls() = 0;
  // Greeted, secured, authenticated: messages are welcome.
  virtual void on_ready() = 0;
  virtual void on_verdict(Job& job, Recipient& recipient, const Verdict& verdict) = 0;
  // The session has let go of the job: every recipient of the transaction had its verdict.
  // Recipients whose progress is `waiting` were not part of it.
  virtual void on_message_done(Job& job) = 0;
  // Comes last, once.
  virtual void on_closed(const CloseReason& reason) = 0;
};

// Lifetime: options and listener outlive it; a job that was submitted stays untouched by others
// until on_message_done. Thread: one.
class Session {
 public:
  // `login` takes the place of the options' credentials.
  Session(const SessionOptions& options, SessionListener& listener, Instant now,
          std::shared_ptr<const Login> login = nullptr);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] bool closed() const { return state_ == SessionState::closed; }
  // Ready, and nothing is under way.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const codec::Capabilities& capabilities() const { return capabilities_; }
  // The depth in use with this server: what was asked for, as far as the server goes along.
  [[nodiscard]] Pipelining pipelining() const;
  [[nodiscard]] std::size_t messages_in_flight() const { return sequence_end_ - sequence_begin_; }

  // Whether submit() may be called.
  [[nodiscard]] bool wants_message() const;
  // Takes the job's undecided recipients, as many as fit one transaction. Precondition:
  // wants_message(), and the job has an undecided recipient. What the server cannot take is refused
  // at once.
  void submit(Job& job, Instant now);

  // Octets from the server, in clear or decrypted. In clear behind the 220 to STARTTLS they end the
  // session.
  void receive(Bytes octets, Instant now);
  // The handshake that on_start_tls() asked for is complete.
  void tls_established(Instant now);
  // The transport ended or failed.
  void transport_closed(CloseReason reason);
  // Stop now: no farewell, verdicts for everything in flight.
  void abort();
  // Take no more messages, and say QUIT when those under way are done.
  void quit(Instant now);

  // Whether output() would return octets now.
  [[nodiscard]] bool has_output();
  // The next octets for the wire: written into `room`, or a view into a job's content. Empty:
  // nothing to send. Precondition: room holds at least 1,024 octets. A message's end of data stands
  // in the last piece of it, never before.
  [[nodiscard]] Bytes output(std::span<char> room);
  // Octets that output() has returned so far.
  [[nodiscard]] std::uint64_t output_offset() const { return output_offset_; }
  // The kernel was given everything up to `offset`: the point of no return of each message that
  // ends before it. May be called without anything new.
  void handed_over(std::uint64_t offset, Instant now);

  // When expire() is due; `never` when the session is idle or the caller does the handshake.
  [[nodiscard]] Instant deadline() const { return deadline_; }
  void expire(Instant now);

 private:
  enum class Step : std::uint8_t { mail, rcpt, data, await_data, content, end_of_data, sent };

  // One message on its way through the session: a transaction of RFC 5321 3.3.
  struct Transaction {
    Job* job = nullptr;
    std::uint32_t recipients_begin = 0;
    std::uint32_t recipients_end = 0;
    std::uint32_t next_recipient = 0;  // whose RCPT is to be sent next
    std::uint32_t taken = 0;           // RCPTs with a 2xx, be it behind a refused MAIL
    Step step = Step::mail;
    bool mail_taken = false;
    bool mail_refused = false;
    bool lone_dot = false;  // 354 came though no recipient was taken (RFC 2920 3.1)
    codec::StuffCursor cursor;
    std::uint64_t end_offset = 0;  // of the end of data in the output stream; 0: not written yet
  };

  static constexpr std::size_t depth_max = 2;

  [[nodiscard]] Transaction& transaction(std::uint64_t sequence) {
    return transactions_[sequence % depth_max];
  }
  [[nodiscard]] const Transaction& transaction(std::uint64_t sequence) const {
    return transactions_[sequence % depth_max];
  }
  [[nodiscard]] bool secure() const;

  // Sending.
  void expect(Expected kind, std::uint64_t sequence = 0, std::uint32_t recipient = 0);
  void send_hello(SessionState state);
  void send_auth();
  [[nodiscard]] bool write_commands();
  [[nodiscard]] bool write_command(Transaction& current);
  [[nodiscard]] bool write_mail(Transaction& current);
  [[nodiscard]] bool write_rcpt(Transaction& current);
  [[nodiscard]] Bytes write_content(Transaction& current, std::span<char> room,
                                    std::size_t& written);
  void write_end_of_data(Transaction& current);
  [[nodiscard]] std::uint64_t written_offset() const {
    return output_offset_ + (pending_.size() - pending_taken_);
  }

  // Receiving: one handler for each kind of reply.
  void on_reply(const codec::Reply& reply);
  void credit(const Expectation& expectation, const codec::Reply& reply);
  [[nodiscard]] bool is_early(const Expectation& expectation, std::uint64_t handed_over) const;
  [[nodiscard]] bool out_of_place(const Expectation& expectation, const codec::Reply& reply);
  [[nodiscard]] std::string_view why_meaningless(const Expectation& expectation,
                                                 const codec::Reply& reply);
  void on_greeting_reply(const codec::Reply& reply);
  void on_hello_reply(Expected kind, const codec::Reply& reply);
  void on_starttls_reply(const codec::Reply& reply);
  void on_auth_reply(const codec::Reply& reply);
  void on_mail_reply(Transaction& current, const codec::Reply& reply);
  void on_rcpt_reply(Transaction& current, std::uint32_t index, const codec::Reply& reply);
  void on_data_reply(Transaction& current, const codec::Reply& reply);
  void on_end_of_data_reply(Transaction& current, const codec::Reply& reply);
  void become_ready();

  // Endings.
  void decide(Transaction& current, std::uint32_t index, const Verdict& verdict);
  void decide_all(Transaction& current, const Verdict& verdict);
  void finish(Transaction& current);
  [[nodiscard]] bool refuse_locally(Job& job);
  void close(CloseReason reason);
  void close_with_reply(CloseKind kind, Stage stage, const codec::Reply& reply, bool permanent);
  void close_on_protocol_error(std::string_view detail);
  void set_deadline(Instant now);
  [[nodiscard]] Stage stage_under_way() const;
  [[nodiscard]] Stage stage_of_message(std::uint64_t sequence) const;

  const SessionOptions& options_;
  SessionListener& listener_;
  SessionState state_ = SessionState::greeting;
  codec::ReplyParser parser_;
  codec::Capabilities capabilities_;
  std::shared_ptr<const Login> login_;         // null before AUTH, unless it was given one
  std::unique_ptr<codec::SaslExchange> sasl_;  // while it goes on
  std::string redacted_;                       // the reply at hand, where it quotes a secret
  ReplyFifo awaited_;

  // Messages in flight are those with sequence numbers from begin to end; `sending_` is the one
  // whose octets are next. Those before it wait for replies only.
  Transaction transactions_[depth_max];
  std::uint64_t sequence_begin_ = 0;
  std::uint64_t sequence_sending_ = 0;
  std::uint64_t sequence_end_ = 0;

  std::string pending_;  // commands that output() has not taken yet
  std::size_t pending_taken_ = 0;
  std::uint64_t output_offset_ = 0;
  std::uint64_t handed_over_offset_ = 0;
  std::uint64_t reply_begin_offset_ = 0;  // handed over when the reply at hand began to come
  bool reset_needed_ = false;  // a transaction is open at the server whose message is over for us
  bool quit_wanted_ = false;
  Instant deadline_ = never;
};

}  // namespace ringpost::protocol
