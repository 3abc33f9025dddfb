// One SMTP submission session (RFC 5321, 6409) without a socket, a clock or TLS.
//
// Octets, messages and time go in; octets, verdicts and a deadline come out. The same inputs give
// the same outputs, and any split of the server's octets gives the same verdicts. The sending side
// runs ahead of the receiving side: a FIFO says which reply belongs to what.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/job/delivery.h"
#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/close_reason.h"
#include "engine/protocol/command_stream.h"
#include "engine/protocol/flight.h"
#include "engine/protocol/frontier.h"
#include "engine/protocol/login.h"
#include "engine/protocol/opening.h"
#include "engine/protocol/server_traits.h"
#include "engine/protocol/session_options.h"
#include "engine/protocol/session_state.h"
#include "engine/protocol/step_clock.h"
#include "engine/protocol/trial.h"
#include "engine/protocol/verdict.h"
#include <ringpost/limits.h>

namespace ringpost::protocol {

// Hears what becomes of things. Called from within the session's methods: it takes notes and calls
// nothing of the session's. Views in the arguments die with the call.
struct SaidInARow {
  std::uint32_t of_message = 1;
  std::uint32_t by_endpoint = 1;  // with nothing accepted in between
};

class SessionListener {
 public:
  virtual ~SessionListener() = default;

  // The server said 220 to STARTTLS: what comes and goes from here on belongs to TLS.
  virtual void on_start_tls() = 0;
  // Greeted, secured, authenticated: messages are welcome.
  virtual void on_ready() = 0;
  // From now on the server may take the message: see about_to_hand_over(). For the delivery's
  // recipients in [begin, end) that were offered or taken. Whoever keeps no journal need not
  // listen.
  virtual void on_end_of_data(Delivery& /*delivery*/, std::uint32_t /*begin*/,
                              std::uint32_t /*end*/) {}
  // Of the delivery's recipient with this index.
  virtual void on_verdict(Delivery& delivery, std::uint32_t index, const Verdict& verdict) = 0;
  // The session has let go of the delivery: every recipient of the transaction had its verdict.
  // Recipients whose progress is `waiting` were not part of it.
  virtual void on_delivery_done(Delivery& delivery) = 0;
  // The way in use does not work with this server, and the session goes on without it:
  // `why.fall_back` says how. An end of the session for such a cause says so by itself.
  virtual void on_fall_back(const CloseReason& /*why*/) {}
  // A refusal that no rule of the user's or of a preset fits.
  virtual void on_unruled(Stage /*stage*/, const codec::Reply& /*reply*/,
                          const Ruling& /*ruling*/) {}
  // A refusal in the words of a rule whose action is not taken at once: how often that was said in
  // a row by now, this time included.
  [[nodiscard]] virtual SaidInARow on_repeated(Delivery& /*delivery*/, const Ruling& /*ruling*/) {
    return {};
  }
  // The server says behind the login that it has one session too many. True: others go on, and have
  // what this one cannot; it ends.
  [[nodiscard]] virtual bool on_one_too_many() { return false; }
  // Comes last, once.
  virtual void on_closed(const CloseReason& reason) = 0;
};

// Lifetime: options and listener outlive it; a delivery that was submitted stays untouched by
// others until on_delivery_done. Thread: one.
class Session {
 public:
  // `knowledge`: what earlier sessions with this server have learnt. `login` takes the place of the
  // options' credentials.
  Session(const SessionOptions& options, SessionListener& listener, Instant now,
          const PipeliningKnowledge& knowledge = {}, std::shared_ptr<const Login> login = nullptr);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Before anything was received: how it names itself where the options have no name.
  void introduce_as(std::string client_name) { opening_.introduce_as(std::move(client_name)); }
  // The other sessions with this server, as far as they have come. Before the first message; it
  // outlives the session.
  void go_with(Frontier& frontier) { flight_.go_with(frontier); }

  [[nodiscard]] SessionState state() const { return state_; }
  // Nothing of the server's has come yet.
  [[nodiscard]] bool ungreeted() const { return opening_.is_ungreeted() && !closed(); }
  // Which ways to log in have failed before the one that worked, for people; empty: none.
  [[nodiscard]] std::string login_note() const {
    return state_ == SessionState::ready ? opening_.login_note() : std::string();
  }
  [[nodiscard]] bool closed() const { return state_ == SessionState::closed; }
  // Ready, and nothing is under way.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const codec::Capabilities& capabilities() const { return traits_.capabilities(); }
  // The way in use with this server: what was asked for, as far as the server goes along.
  [[nodiscard]] Pipelining pipelining() const { return traits_.pipelining(); }
  // What is known of the server's pipelining by now, for the sessions that come later; its words as
  // this one has heard them.
  [[nodiscard]] const PipeliningKnowledge& knowledge() const { return traits_.knowledge(); }
  // Grows whenever that has changed.
  [[nodiscard]] std::uint64_t knowledge_version() const { return traits_.version(); }
  // What other sessions have found out meanwhile. It may have something to say afterwards.
  void learn(const PipeliningKnowledge& knowledge);
  [[nodiscard]] std::size_t messages_in_flight() const { return flight_.size(); }
  // In on_delivery_done(): when the end of its data left; nothing: it never did.
  [[nodiscard]] Instant content_left_at() const { return flight_.last_left_at(); }

  // It takes no more messages than it has, ever, and says QUIT behind them.
  [[nodiscard]] bool is_spent() const { return quit_wanted_; }
  // Messages that it may still have, and any session with this server; UINT64_MAX: no limit.
  [[nodiscard]] std::uint64_t messages_left() const {
    const std::uint64_t most = traits_.messages_max();
    const std::uint64_t had = flight_.begun() + messages_extra_;
    return most == UINT64_MAX ? most : most - std::min(most, had);
  }
  [[nodiscard]] std::uint64_t messages_max() const { return traits_.messages_max(); }
  // Whether submit() may be called.
  [[nodiscard]] bool wants_message() const;
  // Takes the delivery's recipients that are neither decided nor postponed, as many as fit one
  // transaction. Precondition: wants_message(), and the delivery is open and has such a recipient.
  // What the server cannot take is refused at once.
  void submit(Delivery& delivery, Instant now);

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
  // The next octets for the wire: written into `room`, or a view into a message's content. Empty:
  // nothing to send. Precondition: room holds at least 1,024 octets. A message's end of data stands
  // in the last piece of it, never before.
  [[nodiscard]] Bytes output(std::span<char> room);
  // Octets that output() has returned so far.
  [[nodiscard]] std::uint64_t output_offset() const { return stream_.output_offset(); }
  // The kernel will be given everything up to `offset` next: on_end_of_data() comes for each
  // message that ends before it, once. For whoever has to write down what may be accepted before it
  // can be.
  void about_to_hand_over(std::uint64_t offset);
  // The kernel was given everything up to `offset`: the point of no return of each message that
  // ends before it. May be called without anything new.
  void handed_over(std::uint64_t offset, Instant now);

  // When expire() is due; `never` when the session is idle or the caller does the handshake.
  [[nodiscard]] Instant deadline() const { return deadline_; }
  void expire(Instant now);

 private:
  using Step = Transaction::Step;

  // Sending.
  [[nodiscard]] Pipelining way_of(const Transaction& current) const;
  [[nodiscard]] bool may_run_ahead(const Transaction& current) const;
  void quit_when_spent();
  [[nodiscard]] bool in_doubt(const Transaction& current, const CloseReason& reason,
                              bool first) const;
  [[nodiscard]] bool write_commands();
  [[nodiscard]] bool write_command(Transaction& current);
  [[nodiscard]] bool write_mail(Transaction& current);
  [[nodiscard]] bool write_rcpt(Transaction& current);
  [[nodiscard]] bool write_data(Transaction& current);
  void write_bdat(Transaction& current);

  // Trials of a way that the endpoint has not shown (session_trial.cpp).
  [[nodiscard]] bool on_trial(const Transaction& current) const {
    return trial_ && &current == &flight_.at(trial_->sequence);
  }
  void begin_trial(Transaction& current);
  void write_discarding_trial(const Transaction& current);
  void write_first_chunk(Transaction& current);
  [[nodiscard]] bool hold(Transaction& current, Stage stage, std::uint32_t index,
                          const codec::Reply& reply);
  [[nodiscard]] bool hold_end_of_data(const codec::Reply& reply);
  void pass_trial();
  void end_trial_unproven(Transaction& current);
  void release_front(const CloseReason* reason);
  void ask_again(Transaction& current);
  [[nodiscard]] Pipelining shown_by_trial() const;
  void compare_opinions(bool content_asked_for);
  void fall_back_now(CloseReason why, Pipelining to);
  void finish_front(Transaction& front, const HeldReply& answer);
  void finish_transaction(Transaction& current);
  [[nodiscard]] bool trial_has_left() const;
  void bear_out_silence();
  [[nodiscard]] Duration trial_patience() const;
  [[nodiscard]] Bytes write_content(Transaction& current, std::span<char> room,
                                    std::size_t& written);
  void append_content(Transaction& current, std::size_t count);
  // Nothing follows a BDAT whose last line has an end: its last octet is the end of data, and must
  // be known as such before the next call, since the reply may come first.
  void end_content(Transaction& current);
  void write_end_of_data(Transaction& current);

  // Receiving: one handler for each kind of reply.
  void on_reply(const codec::Reply& reply, Instant now);
  void credit(const Expectation& expectation, const codec::Reply& reply);
  [[nodiscard]] bool out_of_place(const Expectation& expectation, const codec::Reply& reply);
  [[nodiscard]] std::string_view why_meaningless(const Expectation& expectation,
                                                 const codec::Reply& reply);
  void on_opening_reply(Expected kind, const codec::Reply& reply);
  void on_rset_reply(const codec::Reply& reply);
  void on_mail_reply(Transaction& current, const codec::Reply& reply);
  void on_rcpt_reply(Transaction& current, std::uint32_t index, const codec::Reply& reply);
  void on_data_reply(Transaction& current, const codec::Reply& reply);
  void on_chunk_reply(Transaction& current, const codec::Reply& reply);
  [[nodiscard]] Ruling ruling_of(Stage stage, const codec::Reply& reply) const;
  [[nodiscard]] Verdict judge(Transaction& current, Stage stage, const codec::Reply& reply);
  [[nodiscard]] std::optional<Verdict> act_on(const Ruling& ruling, Transaction& current,
                                              Stage stage, const codec::Reply& reply);
  [[nodiscard]] Verdict stop_for(const Ruling& ruling, Stage stage, const codec::Reply& reply);
  [[nodiscard]] bool is_one_too_many();
  [[nodiscard]] std::optional<Verdict> act_on_mistake(const Ruling& ruling, const SaidInARow& said,
                                                      Stage stage, const codec::Reply& reply);
  [[nodiscard]] bool is_too_fast(const Expectation& expectation, const codec::Reply& reply) const;
  bool learn_recipients_max(const Expectation& expectation, const codec::Reply& reply);
  [[nodiscard]] static bool is_cut_short(const Transaction& current, const codec::Reply& reply);
  void release_refused_mail();
  void note_session_is_full(std::uint64_t messages);
  void note_too_many_recipients(Transaction& current, Stage stage, const codec::Reply& reply);
  void note_reply_time(Instant now);
  void on_end_of_data_reply(Transaction& current, const codec::Reply& reply);
  void learn_from_accepted(const Transaction& current);
  void learn_from_end(CloseReason& reason);
  void end_when_answered(CloseReason reason);
  [[nodiscard]] bool left_in_burst(const Expectation& expectation) const;

  // Endings.
  void decide(Transaction& current, std::uint32_t index, const Verdict& verdict);
  void decide_all(Transaction& current, const Verdict& verdict);
  void finish(Transaction& current);
  void finish_if_pointless(Transaction& current);
  void finish_answered();
  [[nodiscard]] bool refuse_locally(Delivery& delivery);
  void close(CloseReason reason);
  void close_with_reply(CloseKind kind, Stage stage, const codec::Reply& reply, bool permanent);
  void close_on_protocol_error(std::string_view detail);
  // The same, with the reply that was out of place.
  void close_on_protocol_error(std::string_view detail, const codec::Reply& reply);
  [[nodiscard]] std::optional<Pipelining> fall_back(const CloseReason& reason) const;
  void judge_trial(CloseReason& reason) const;
  [[nodiscard]] bool is_of_the_way(const CloseReason& reason) const;
  void set_deadline(Instant now);
  [[nodiscard]] bool may_leave_crowd() const;
  [[nodiscard]] Stage stage_under_way() const;
  [[nodiscard]] Stage stage_of_message(std::uint64_t sequence) const;

  const SessionOptions& options_;
  SessionListener& listener_;
  SessionState state_ = SessionState::greeting;
  CommandStream stream_;
  ServerTraits traits_;
  Flight flight_;
  Opening opening_;
  std::unique_ptr<StepClock> step_clock_;         // null: nobody measures
  std::unique_ptr<const CloseReason> last_word_;  // a refused RSET: the end should come next
  std::unique_ptr<HeldReply> refused_mail_;       // the last reply, while others are awaited
  // A session that is full, said for good: the end should come next, as behind 421.
  std::unique_ptr<CloseReason> full_word_;
  std::unique_ptr<CloseReason> ending_;  // no more messages, and the end when all is answered
  std::unique_ptr<Trial> trial_;         // one at a time
  std::unique_ptr<SecondOpinion> second_opinion_;
  std::uint32_t opinions_unclear_ = 0;
  bool trial_mail_taken_ = false;  // the transaction that was taken back may have counted
  bool chunks_taken_ = false;      // in this session: of a pool some nodes may not know BDAT

  std::uint64_t mails_taken_ = 0;  // MAILs with a 2xx
  std::uint64_t mails_answered_ = 0;
  // Replies of 4xx that may mean a full session, since a MAIL was taken.
  std::uint32_t put_offs_ = 0;
  std::uint64_t messages_extra_ = 0;  // MAILs beyond one a message
  std::uint32_t refusals_ = 0;        // replies of the 4xx and 5xx kind
  Instant waits_since_{};             // for the reply that is next
  Duration slowest_reply_{};          // to a command so far
  bool reset_needed_ = false;  // a transaction is open at the server whose message is over for us
  // The last transaction that was refused had recipients, and the server may have kept them.
  bool recipients_left_open_ = false;
  bool crowded_ = false;  // the message in front asked for more recipients than the server takes
  std::optional<bool> is_one_too_many_;  // what was said to that
  bool has_mistaken_ = false;            // as a rule says
  bool quit_wanted_ = false;
  Instant deadline_ = never;
};

}  // namespace ringpost::protocol
