// ringpost as a library: messages in, outcomes out. The command `ringpost send` is its first user.
//
//   ringpost::EngineOptions options;
//   options.endpoints.push_back(endpoint);
//   auto engine = ringpost::Engine::start(std::move(options), [](auto decided) { ... });
//   auto submitter = (*engine)->submitter();
//   ringpost::Message& message = *submitter.next();  // fill it: id, sender, recipients, content
//   submitter.submit();              // or says why it cannot be sent
//   submitter.flush();
//   (*engine)->drain(ringpost::never);  // says whether a login failed
//
// tools/examples/submit.cpp is a whole program.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost {

namespace engine {
struct EngineInside;
}  // namespace engine

// One recipient whose outcome is final. Valid during the callback.
struct OutcomeView {
  const Message* message = nullptr;
  std::uint32_t recipient_index = 0;  // of the message
  const Outcome* outcome = nullptr;

  [[nodiscard]] Bytes recipient() const { return message->recipients[recipient_index]; }
};

// Called on the engine's outcome thread, one call at a time, with every decided recipient exactly
// once; where there are several such threads, one call at a time on each. An empty batch says that
// no more is at hand: a good moment to write out what has gathered. While it runs no message of
// that thread is given back: a slow callback slows submission down, and loses nothing.
using OutcomeCallback = std::function<void(std::span<const OutcomeView>)>;

struct EngineError {
  std::string message;  // one sentence, with the way out where there is one
};

// Why an endpoint is not used any more, for people.
struct EndpointFailure {
  std::string endpoint;
  std::string stage;
  std::string message;

  // It lets nobody in: the password, the token, or the way to log in.
  [[nodiscard]] bool is_login() const { return stage == "auth"; }
};

// How a wait for outcomes has ended.
struct DrainReport {
  bool is_complete = false;  // every message has had its outcomes delivered
  // Endpoints that were given up so far. What was to go by them is `unsent`, or `unknown` where it
  // may have been accepted: an end that is complete and no success.
  std::vector<EndpointFailure> endpoint_failures{};

  [[nodiscard]] bool login_failed() const {
    for (const EndpointFailure& failure : endpoint_failures) {
      if (failure.is_login()) {
        return true;
      }
    }
    return false;
  }
  // That it is complete, and nothing else.
  explicit operator bool() const { return is_complete; }
};

// Why a message that was submitted cannot be sent: a clause.
struct SubmissionError {
  std::string message;
};

// A kind of refusals that fitted no rule of EndpointOptions::reply_rules and none of the words that
// are known of any server: only the class of its code decided.
struct UnruledRefusal {
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string words;       // what those of the kind have in common; may be empty
  std::string_view scope;  // what was made of it, in the words of [[endpoint.NAME.reply]]
  std::string_view action;
  std::uint64_t count = 0;
};

// A port of an endpoint that was tried in vain before another one served.
struct PassedOverPort {
  std::uint16_t port = 0;
  std::string_view why;  // "no connection came about"
};

// What held an endpoint back, and for which part of the time in which there was something to send.
struct FactorShare {
  // "input", "disk", "rate", "connections", "round trips", "server", "pause", "retries", "away".
  std::string_view factor;
  double share = 0;
};

// Bounds for which TimeSpread counts how many were within: the same on each machine, so that counts
// of several can be added up. From a server on the same machine to one that thinks for long.
inline constexpr std::array<Duration, 16> time_bounds{
    std::chrono::microseconds(1000), std::chrono::microseconds(2500),
    std::chrono::milliseconds(5),    std::chrono::milliseconds(10),
    std::chrono::milliseconds(25),   std::chrono::milliseconds(50),
    std::chrono::milliseconds(100),  std::chrono::milliseconds(250),
    std::chrono::milliseconds(500),  std::chrono::milliseconds(1000),
    std::chrono::milliseconds(2500), std::chrono::seconds(5),
    std::chrono::seconds(10),        std::chrono::seconds(30),
    std::chrono::seconds(60),        std::chrono::seconds(300)};

// How times are spread, to within 1.6 %. All zero where nothing was timed.
struct TimeSpread {
  std::uint64_t count = 0;
  Duration p50{};
  Duration p90{};
  Duration p99{};
  Duration p999{};
  Duration max{};
  Duration sum{};
  std::array<std::uint64_t, time_bounds.size()> within{};  // each of time_bounds
};

// What was done by way of an endpoint so far, or by way of all of them.
struct EndpointCounts {
  std::uint64_t transactions = 0;      // that ended
  std::uint64_t sessions = 0;          // that take messages, now
  std::uint64_t sessions_opened = 0;   // or were to be
  std::uint64_t sessions_ready = 0;    // that came as far as taking messages
  std::uint64_t sessions_resumed = 0;  // of these: TLS was resumed with a ticket
  // Deliveries that wait for another attempt, and in how long the next of them is due.
  std::uint64_t waiting = 0;
  std::optional<Duration> next_attempt_in{};
  // From the end of a message's data to its reply, and from a connect() to a session that takes
  // messages.
  TimeSpread reply_times{};
  TimeSpread opening_times{};
};

// How an endpoint is spoken to.
struct EndpointReport {
  std::string endpoint;
  // "lock-step", "command groups", "DATA groups" or "BDAT flights"; empty before the first session.
  std::string_view pipelining;
  // While it is waited for: how long already, and what was wrong at the last try.
  std::optional<Duration> away_for;
  std::string trouble;
  // What did not work with it, step by step: "goes on with DATA groups: ...".
  std::vector<std::string> fall_backs{};
  // The largest first; empty before anything was to be sent.
  std::vector<FactorShare> held_back_by{};
  // Transactions that other endpoints were given, because it did not answer.
  std::uint64_t handed_over = 0;
  // Refusals that no rule fitted: all, and the most frequent kinds.
  std::uint64_t refusals_unruled = 0;
  std::vector<UnruledRefusal> unruled{};
  // That sessions are opened to, now.
  PortOption port{};
  std::vector<PassedOverPort> ports_passed_over{};
  // The same in words: "no connection came about on 587, 2525"; empty where there are none.
  std::string why_port{};
  EndpointCounts counts{};
};

struct EngineStatistics {
  // Recipients whose outcome was delivered, by status: `[static_cast<std::size_t>(status)]`.
  std::array<std::uint64_t, status_count> outcomes{};
  // Taken by submitters, and not delivered in full. How many wait for another attempt, and how
  // long replies take, say Engine::endpoint_counts() and endpoint_reports().
  std::uint64_t messages_in_flight = 0;
  std::uint64_t messages = 0;       // transactions that ended
  std::uint64_t content_bytes = 0;  // of accepted messages
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_ready = 0;
  std::uint64_t sessions_resumed = 0;  // of the ready ones: TLS was resumed with a ticket
  std::uint64_t turns = 0;
  double worker_cpu_share = 0;   // of the time that workers have had: 1 is all of it
  IoChoice io = IoChoice::ring;  // what the workers use, never automatic
  // io_uring_enter calls; with epoll, system calls on sockets and those that wait.
  std::uint64_t ring_enters = 0;

  // Of the workers' hot path, for whoever wants to know what a message costs.
  std::uint64_t ring_submitted = 0;  // operations
  std::uint64_t ring_completions = 0;
  std::uint64_t receives = 0;  // completions with octets
  std::uint64_t sends = 0;
  std::uint64_t send_bytes = 0;
  std::uint64_t tls_records = 0;
  std::uint64_t bytes_copied = 0;  // in user space between a message and the kernel
  std::uint64_t receive_buffers_exhausted = 0;
  std::uint64_t completion_overflows = 0;
  std::uint64_t worker_allocations = 0;   // where EngineOptions::count_allocations is given
  std::uint64_t outcome_allocations = 0;  // of the outcome threads
};

// Thread-safe, but for what a Submitter does. Lifetime: outlives its submitters. Destruction
// without drain() aborts: messages under way become `unknown` or `unsent`, and their outcomes are
// delivered first.
class RINGPOST_API Engine {
 public:
  class Submitter;

  // Checks the options, starts the threads and waits until each can use sockets. No connection is
  // made before the first message.
  [[nodiscard]] static Result<std::unique_ptr<Engine>, EngineError> start(EngineOptions options,
                                                                          OutcomeCallback callback);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // One for each thread that submits.
  [[nodiscard]] Submitter submitter();

  // Waits until every message has had its outcomes delivered, or until the deadline; says which,
  // and which endpoints were given up, failed logins among them.
  [[nodiscard]] DrainReport drain(Instant deadline);
  // Messages that no session has taken yet become `unsent`, and so does whatever is submitted from
  // now on. Messages under way go on.
  void stop_sending();
  // Messages with this cancellation that no session has begun become `unsent` with its reason,
  // wherever they wait, those that are submitted later too; one that a server has put off stays
  // `deferred`. What a session has begun goes on. Whether there was any, outcomes say.
  void cancel(Cancellation& cancellation);
  // While `held`, no session is given another message; those under way go on, and others wait. Call
  // it when what becomes of messages cannot be written down for a while.
  void hold_sending(bool held);
  // Ends all sessions now. Outcomes of what was under way follow.
  void abort();

  // For a watchdog, on one thread: asks all workers to turn, and says whether each has since it was
  // asked last; true at the first call.
  [[nodiscard]] bool take_pulse();
  // Endpoints that were given up so far.
  [[nodiscard]] std::vector<EndpointFailure> endpoint_failures() const;
  [[nodiscard]] std::vector<EndpointReport> endpoint_reports() const;
  // Of all endpoints together.
  [[nodiscard]] EndpointCounts endpoint_counts() const;
  // The journal could not be written, and nothing more is sent.
  [[nodiscard]] bool journal_failed() const;
  [[nodiscard]] EngineStatistics statistics() const;

 private:
  friend struct engine::EngineInside;  // engine/run feeds and tells by itself
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Hands messages to an engine. Each is used by one thread.
class RINGPOST_API Engine::Submitter {
 public:
  Submitter(Submitter&&) noexcept;
  Submitter& operator=(Submitter&&) = delete;
  ~Submitter();

  // An empty message to fill: `id`, `sender`, recipients with validated addresses, `content` (by a
  // ContentMaker), `endpoint` if it matters. Waits while too much is in flight: that is the
  // back-pressure. The message stays the submitter's until submit() or refuse(), and next() returns
  // the same one until then. Null when the engine was aborted.
  [[nodiscard]] Message* next();
  // The same without waiting: null where next() would wait, too. What waits in the batch leaves
  // then.
  [[nodiscard]] Message* try_next();
  // Of the message at hand, which there must be, what an earlier run has left of each recipient.
  // Empty, as it comes: nothing. One at least must be left to be told of.
  [[nodiscard]] std::vector<PriorFate>& fates();
  // The message goes on its way. It may wait in a small batch until flush() or later submissions.
  // One that could not be said in SMTP (no id, no recipient, an address that is empty or has a line
  // end, a NUL or too many octets, a content that no ContentMaker has sealed) is refused, as by
  // refuse(), and this is the reason. Without a message at hand nothing happens but the error.
  Result<void, SubmissionError> submit();
  // The message at hand cannot be sent: each of its recipients is `invalid` with this reason;
  // without recipients one outcome with an empty address is delivered.
  void refuse(std::string_view reason);
  // Everything submitted so far leaves the batch. Call it before waiting for more input.
  void flush();

 private:
  friend class Engine;
  struct State;
  explicit Submitter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost
