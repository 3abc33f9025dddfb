// What all workers share of one endpoint: whether it can be used, where it is, and how fast.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/address_book.h"
#include "engine/circuit.h"
#include "engine/endpoint_patience.h"
#include "engine/endpoint_rate.h"
#include "engine/io/resolver.h"
#include "engine/login_source.h"
#include "engine/port_choice.h"
#include "engine/protocol/close_reason.h"
#include "engine/protocol/pipelining.h"
#include "engine/refusal_tally.h"
#include "engine/rule_repeats.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::engine {

// A wrong password tried by a thousand connections at once gets an address blocked. So one session,
// the canary, goes first, and the others follow when it has been let in; while the endpoint is away
// one canary after the other tries, with growing pauses. What one of its addresses says is that
// address's, as long as there are others; what its servers say of the credentials is the
// endpoint's. One that refuses for good everywhere and has never worked is asked once.
// Thread-safe; asked only when a session is to be opened or has ended.
class EndpointGate {
 public:
  enum class Answer : std::uint8_t {
    go,      // open a session to one of `addresses`
    wait,    // not now: wake() will come, or try_again_at
    failed,  // never: failure() says why
  };
  struct Admission {
    Answer answer = Answer::wait;
    bool canary = false;
    std::vector<io::SocketAddress> addresses;                  // the one to begin with first
    TransportSecurity security = TransportSecurity::starttls;  // of their port
    Instant connect_by = never;  // when the patience with the endpoint ends
    Instant ready_by = never;    // the same, where the user has set it
    Instant secured_by = never;  // greeted, and under TLS: another port is next
    Duration greeting_patience = limits::greeting_patience;  // when all others have failed
    std::shared_ptr<const protocol::Login> login;            // null: nobody logs in
    protocol::PipeliningKnowledge knowledge;
    Instant try_again_at = never;
  };

  // Looks a name up and calls back, once, on any thread: io::Resolver, or what a test puts there.
  using Resolve = std::function<void(std::string, std::uint16_t, io::Resolver::Callback)>;

  // Reads a token and calls back, once, on any thread.
  using ReadToken = std::function<void(std::function<void(TokenResult)>)>;

  // `wake_workers` is called, on any thread, when an answer of wait may have become another one.
  // `clock` is the time of a look-up's end, which comes by itself. `read_token` is there when the
  // options have a TokenReader. `quota_memory`: where the counts of the rates are, which outlives
  // it; null: in this gate alone.
  EndpointGate(const EndpointOptions& options, Resolve resolve, std::function<void()> wake_workers,
               std::function<Instant()> clock = std::chrono::steady_clock::now,
               ReadToken read_token = {}, queue::QuotaMemory* quota_memory = nullptr);

  // Who hears of what happens to the endpoint. Called without a lock, on any thread.
  void on_notice(std::function<void(const EndpointNotice&)> callback) {
    notice_ = std::move(callback);
  }

  [[nodiscard]] Admission ask(Instant now);
  // These addresses refused or did not answer; a session may have come about with another one.
  void addresses_failed(std::span<const std::string> addresses, Instant now);
  // A session that was let through has been greeted, secured and authenticated, at `address`.
  void session_ready(bool canary, protocol::Pipelining pipelining, std::uint64_t token_number = 0,
                     std::string_view address = {});
  // What a session has found out about the server, its words once only. What it should not try is
  // the matter of session_ended(). Returns what is known now: what went wrong, too, and what of
  // that was an accident or is in doubt.
  protocol::PipeliningKnowledge learn(const protocol::PipeliningKnowledge& news);
  // A session goes on in a simpler way: see protocol::SessionListener.
  void fell_back(const protocol::CloseReason& why);
  // A message leaves without the DSN parameters that its job asks for: the server knows none.
  void left_out_dsn();
  // The same of ways to log in, which sessions learn before they are ready, or instead.
  void learn_mechanisms(const protocol::PipeliningKnowledge& knowledge);
  // Has whoever runs the engine hear it, unless he did.
  void tell(const std::string& message);
  // A limit was found out.
  void tell_found_rate();
  // A recipient was accepted, or refused for good: many equal refusals in a row, and nothing else,
  // close the gate.
  void recipient_accepted() {
    accepted_.store(true, std::memory_order_relaxed);
    repeats_.broken();
  }
  void recipient_refused(Stage stage, const codec::Reply& reply);
  // A message came too fast there. Where no other word has come for as long as the patience with an
  // endpoint lasts, the gate closes.
  void came_too_fast(Stage stage, const codec::Reply& reply, Instant now);
  // The first recipient on that session who got an answer, whichever it was.
  void session_progressed();
  // How far a session that was let through had come when it ended.
  struct Ending {
    bool canary = false;
    bool was_ready = false;               // session_ready() was called
    bool progressed = false;              // session_progressed() was called
    std::uint64_t token_number = 0;       // of its Login
    std::string_view address = {};        // that took the connection; empty: none did
    bool had_message = true;              // one was given to it
    bool in_doubt = false;                // and may have been taken, without a word
    bool certificate_was_judged = false;  // and refused
    protocol::StepSet next = 0;           // steps that it was to try again
  };
  void session_ended(const Ending& ending, const protocol::CloseReason& reason, Instant now);

  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  // Why; valid and unchanging once failed() is true.
  [[nodiscard]] const protocol::CloseReason& failure() const { return failure_; }
  // "; tried for 10 m", where more than one try was made before it failed(); else nothing.
  [[nodiscard]] const std::string& effort() const { return effort_; }
  // What went wrong last, as long as nothing has gone well since.
  [[nodiscard]] std::optional<protocol::CloseReason> trouble() const;
  // How long the endpoint is away already, once that was worth a notice.
  [[nodiscard]] std::optional<Duration> away_for(Instant now) const;
  // The one that sessions are opened to now.
  [[nodiscard]] PortOption port() const;
  // How it was chosen, as of now.
  [[nodiscard]] PortChoice ports() const;
  // "mx.example:587"
  [[nodiscard]] std::string place() const;
  // How the latest session speaks, and no further ahead than was learnt; none before the first.
  [[nodiscard]] std::optional<protocol::Pipelining> pipelining() const;
  // What was told of ways of speaking that did not work, in their order.
  [[nodiscard]] std::vector<std::string> fall_backs() const;
  // Whether it should be given messages that others could send.
  [[nodiscard]] bool takes_work(Instant now) const { return !failed() && circuit_.takes_work(now); }
  [[nodiscard]] Circuit& circuit() { return circuit_; }
  [[nodiscard]] const Circuit& circuit() const { return circuit_; }
  // All workers: there is something to do for them.
  void wake() { wake_workers_(); }
  // How fast it may be given messages. Any thread.
  [[nodiscard]] EndpointRate& rate() { return rate_; }
  [[nodiscard]] RefusalTally& refusals() { return refusals_; }
  [[nodiscard]] const RefusalTally& refusals() const { return refusals_; }
  [[nodiscard]] RuleRepeats& repeats() { return repeats_; }
  // Whether sessions may be opened beside those that are to work, before those end. Not soon after
  // the server has refused one too many. Any thread.
  [[nodiscard]] bool allows_spares(Instant now) const {
    return now.time_since_epoch().count() >= no_spares_until_.load(std::memory_order_relaxed);
  }
  // A session that was let in has been told that there are too many. True: the others are as many
  // as are opened from now on, and one more now and then. False: there are no others.
  [[nodiscard]] bool one_too_many(Instant now);
  // As many as the server has let in at a time, where it has refused one more; 0: it has not.
  [[nodiscard]] std::uint64_t sessions_known() const;
  // While it is held no session is given a message; those under way go on. Any thread; routes look
  // at it now and then.
  void hold(bool held) { held_.store(held, std::memory_order_relaxed); }
  [[nodiscard]] bool held() const { return held_.load(std::memory_order_relaxed); }
  [[nodiscard]] const EndpointOptions& options() const { return options_; }

 private:
  enum class State : std::uint8_t { untested, testing, open };
  // What is to be told, once the lock is given back.
  using Notices = std::vector<std::string>;

  [[nodiscard]] Admission admit(Instant now);
  void bound_canary(Admission& admission, Instant now) const;
  [[nodiscard]] bool start_looking_up(Instant now);
  void resolved(io::Resolver::Answer answer);
  void not_resolved(const protocol::CloseReason& reason, Instant now, Notices& notices);
  void token_read(TokenResult token);
  [[nodiscard]] protocol::CloseReason ruled(const Ending& ending, protocol::CloseReason reason);
  [[nodiscard]] bool waits_for_an_end(Instant now);
  [[nodiscard]] std::optional<queue::LearntLimits> note_one_too_many(
      const protocol::CloseReason& reason, Instant now);
  [[nodiscard]] std::optional<queue::LearntLimits> note_one_more(Instant now);
  void keep(const std::optional<queue::LearntLimits>& learnt);
  void session_failed(const Ending& ending, const protocol::CloseReason& reason, Instant now,
                      Notices& notices);
  void login_refused(const Ending& ending, const protocol::CloseReason& reason, Instant now,
                     Notices& notices);
  void failed_beside_sessions(const Ending& ending, const protocol::CloseReason& reason,
                              Instant now);
  void go_to_current_port();
  [[nodiscard]] std::string place_of(std::uint16_t port) const;
  void port_failed(const protocol::CloseReason& reason, bool has_connection, Instant now,
                   Notices& notices);
  void round_failed(const protocol::CloseReason& reason, bool for_good, Instant now,
                    Notices& notices);
  void say_away(const protocol::CloseReason& reason, Instant now, Notices& notices);
  void fail(const protocol::CloseReason& reason);
  void give_up(const protocol::CloseReason& reason, Instant now);
  void doubt(const protocol::CloseReason& reason);
  [[nodiscard]] std::optional<std::string> fall_back(const protocol::CloseReason& reason);
  [[nodiscard]] protocol::StepSet choose_next();
  void tell(const Notices& notices);

  const EndpointOptions& options_;
  Resolve resolve_;
  std::function<void()> wake_workers_;
  std::function<Instant()> clock_;
  ReadToken read_token_;
  std::function<void(const EndpointNotice&)> notice_;
  std::unique_ptr<queue::QuotaMemory> own_quota_memory_;
  queue::QuotaMemory& memory_;
  EndpointRate rate_;
  RefusalTally refusals_;
  RuleRepeats repeats_;
  Circuit circuit_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> held_{false};
  std::atomic<bool> accepted_{false};  // anything, ever
  std::atomic<bool> said_no_dsn_{false};
  std::atomic<Instant::rep> no_spares_until_{0};
  protocol::CloseReason failure_;
  std::string effort_;

  mutable std::mutex mutex_;  // guards all below
  State state_ = State::untested;
  AddressBook addresses_;
  PortChoice ports_;
  bool looking_up_ = false;
  std::uint16_t look_up_port_ = 0;  // of the look-up under way
  bool look_up_wanted_ = true;
  Instant look_up_at_{};        // the answer is old, or a failed look-up is tried again
  bool pause_was_cut_ = false;  // for new addresses, since the endpoint went away
  EndpointPatience patience_;
  Instant closed_until_{};         // of the pause under way, or the last one
  bool pause_is_counted_ = false;  // it stands for a failed round
  std::uint32_t sessions_ready_ = 0;
  std::uint32_t sessions_open_ = 0;   // let through, and not ended
  std::uint64_t sessions_known_ = 0;  // see sessions_known()
  std::uint32_t sessions_told_ = 0;   // one_too_many(), and not ended
  bool keeps_to_known_ = false;       // by an earlier run, or told behind a login
  bool grows_by_one_ = false;         // the latter: those that are let in may be too many
  Instant ask_for_more_at_ = never;   // behind that, one more is tried
  Instant one_too_many_at_ = Instant::min();
  std::size_t refusal_words_ = 0;  // a hash of the latest refusal
  std::uint32_t refusals_equal_ = 0;
  std::optional<protocol::CloseReason> trouble_;
  protocol::CloseReason refusal_;  // the latest that was for good
  Instant away_since_ = never;     // it was said
  protocol::PipeliningKnowledge knowledge_;
  // By steps: how each that is in doubt has failed, and which of them some session is to try again.
  std::array<std::optional<protocol::CloseReason>, protocol::pipelining_count> doubts_;
  protocol::StepSet next_given_ = 0;
  std::optional<protocol::Pipelining> pipelining_;
  std::vector<std::string> fall_backs_;  // a step each
  std::vector<std::string> told_;
  LoginSource login_source_;
  protocol::CloseReason token_refusal_;  // of the last token that was refused
};

}  // namespace ringpost::engine
