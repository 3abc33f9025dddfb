// The way into the engine for everybody who takes messages from others: the one bound on what is
// under way, the outcome lines, and who is told what became of which message.
//
//   ringpost::Message message;                         // filled: id, sender, recipients, content
//   switch (intake.offer(message, [](const Message&, std::span<const Outcome> outcomes) { ... })) {
//     case Offer::taken: ...    // `message` is empty again, and the function will be called, once
//     case Offer::full: ...     // put the client off; listen_for_room() says when to try again
//     case Offer::closed: ...   // the program ends: put the client off
//   }
//
// Nothing here waits for a provider, so any loop may call it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tools/process/log.h"
#include "tools/serve/endpoint_names.h"
#include "tools/serve/offer.h"
#include "tools/serve/outcome_keeper.h"
#include "tools/serve/outcome_log.h"
#include "tools/serve/outcome_receiver.h"
#include "tools/serve/reloadable_engine.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::serve {

struct IntakeOptions {
  EngineOptions engine;
  // Filled by it: for those who tell of outcomes, and are there before it.
  std::shared_ptr<EndpointNames> endpoint_names = std::make_shared<EndpointNames>();
  // Under way at a time, from offer() until the completion is called. A message is taken while both
  // are not reached, so octets go above by one message at most.
  std::size_t messages_max = 10'000;
  std::uint64_t bytes_max = 256'000'000;
  std::string outcomes_path;            // empty: no lines are written
  OutcomeReceiver* receiver = nullptr;  // of outcomes; null: nobody. Outlives the intake
  OutcomeKeeper* keeper = nullptr;      // before anybody else; null: nobody. Outlives the intake
};

// Lifetime: outlives those who offer. close() comes before these go, so that no completion finds
// them gone. Any thread, but for start(), close() and the destructor.
class Intake {
 public:
  using Completion = serve::Completion;

  // The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<Intake>, std::string> start(IntakeOptions options,
                                                                          cli::Log& log);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes the message, or leaves it as it is. What the engine finds wrong with it is an outcome as
  // any other (`invalid`). `context` of the message is the intake's. `fates`, of an earlier run,
  // come for each recipient or for none, and leave one at least to be told of.
  [[nodiscard]] Offer offer(Message& message, Completion done, std::vector<PriorFate> fates = {});
  // The same of a message that cannot be sent: its recipients are told `invalid` with this reason.
  [[nodiscard]] Offer refuse(Message& message, std::string_view reason, Completion done,
                             std::vector<PriorFate> fates = {});
  // The client of messages with this cancellation has gone: those that no session has are `unsent`,
  // and told of as any other.
  void cancel(Cancellation& cancellation) { engine_->cancel(cancellation); }
  // Whether offer() would say `full`, as far as anybody knows a moment later: for whoever would
  // rather refuse a message before it comes.
  [[nodiscard]] bool is_full() const;
  // Called when there is room again after somebody was told `full`, on any thread, and it does
  // little: it offers nothing by itself. There may be several.
  void listen_for_room(std::function<void()> listener);

  [[nodiscard]] std::size_t messages_under_way() const;
  [[nodiscard]] std::uint64_t bytes_under_way() const;
  // How often a message was put off for lack of room.
  [[nodiscard]] std::uint64_t refused_for_room() const { return refused_for_room_.load(); }
  [[nodiscard]] const ReloadableEngine& engine() const { return *engine_; }
  // Messages that are offered from now on go by these. The error is a sentence.
  [[nodiscard]] Result<void, std::string> replace_endpoints(std::vector<EndpointOptions> endpoints);

  // See Engine.
  [[nodiscard]] bool take_pulse() { return engine_->take_pulse(); }

  [[nodiscard]] ReloadableEngine& engine() { return *engine_; }

  // SIGHUP: see OutcomeLog.
  void reopen_outcomes();
  // Outcome lines so far are on the disk when this returns true.
  [[nodiscard]] bool sync_outcomes() { return outcomes_->sync(); }
  // To be called from time to time: tries to write outcome lines that could not be.
  void tick();
  // Ends what is under way now: sessions are ended, everybody has an outcome, and every completion
  // was called when it returns. Nothing is taken any more.
  void close();
  // Outcome lines that never could be written.
  [[nodiscard]] std::uint64_t lost_lines() const { return outcomes_->unwritten_lines(); }

 private:
  struct Waiting {
    Completion done;
    std::vector<Outcome> outcomes;
    std::size_t left = 0;  // recipients without one
    std::uint64_t bytes = 0;
  };

  explicit Intake(IntakeOptions options);
  [[nodiscard]] Result<void, std::string> set_up();
  // A message that waits for the engine.
  struct Queued {
    Message message;
    std::string refusal;  // empty: it is to be sent
    std::vector<PriorFate> fates;
  };

  [[nodiscard]] Offer take(Message& message, std::string_view refusal, Completion done,
                           std::vector<PriorFate> fates);
  static void submit(ReloadableEngine::Submitter& submitter, Message& room, Queued& queued);
  void note(const OutcomeView& decided);
  void write_noted();
  [[nodiscard]] bool has_room() const;
  void on_decided(std::span<const OutcomeView> decided);
  void complete(std::span<const Message* const> messages);
  void tell_room();
  void run_overflow();
  void tell_unsent(const Queued& queued);

  const IntakeOptions options_;
  std::unique_ptr<OutcomeLog> outcomes_;
  std::mutex room_mutex_;  // guards the next one
  std::vector<std::function<void()>> room_listeners_;
  std::mutex told_mutex_;                  // guards the two below, and the keeper's calls
  std::string lines_;                      // scratch
  std::string noted_lines_;                // that are not in the outcome file yet
  std::vector<const Message*> completed_;  // of the outcome thread, within a call

  mutable std::mutex mutex_;  // guards the rest but for what is atomic
  std::size_t messages_out_ = 0;
  std::uint64_t bytes_out_ = 0;
  bool is_closed_ = false;
  std::deque<Queued> overflow_;
  std::condition_variable overflow_changed_;
  std::optional<ReloadableEngine::Submitter> submitter_;

  std::atomic<bool> somebody_waits_{false};
  std::atomic<std::uint64_t> refused_for_room_{0};
  std::unique_ptr<ReloadableEngine> engine_;
  std::thread overflow_thread_;
};

}  // namespace ringpost::serve
