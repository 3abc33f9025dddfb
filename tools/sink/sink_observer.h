// What the sink does with the mail of one session: refuses what an address asks to have refused,
// does wrong what chance has decided, and tells its record of the rest.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "tools/server/client_connection.h"
#include "tools/sink/fault_dice.h"
#include "tools/sink/message_observer.h"
#include "tools/sink/provider_session.h"
#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// Thread: its session's.
class SinkObserver final : public server::ConnectionObserver {
 public:
  // `faults`, `tally`, `messages` and `limits` outlive it. Without `messages` nobody is told of
  // any, without `limits` no provider is played.
  SinkObserver(const FaultOptions& faults, std::uint64_t session, Tally& tally,
               MessageObserver* messages, ProviderLimits* limits = nullptr, Bytes host = {});

  // The same with whoever is told of messages, in the observer's own hands.
  SinkObserver(const FaultOptions& faults, std::uint64_t session, Tally& tally,
               std::unique_ptr<MessageObserver> messages, ProviderLimits* limits, Bytes host);

  // A provider counts it no more.
  void on_over() override;

  [[nodiscard]] server::Wishes wishes() const override;

  void on_violation(Violation violation, std::uint64_t amount) override;

  [[nodiscard]] server::StageVerdict before_stage(FaultStage stage) override;
  [[nodiscard]] server::StageVerdict after_stage(FaultStage stage, server::ReplyQueue& replies,
                                                 std::size_t begin) override;

  [[nodiscard]] server::Answer on_greeting(const server::ClientFacts& client) override;
  [[nodiscard]] server::Answer on_login(const server::ClientFacts& client, bool is_right) override;
  [[nodiscard]] server::Answer on_sender(const server::ClientFacts& client,
                                         const server::MailArguments& mail) override;
  [[nodiscard]] server::Answer on_recipient(const server::ClientFacts& client,
                                            const server::RcptArguments& rcpt) override;
  [[nodiscard]] server::ContentVerdict on_data(const server::ClientFacts& client,
                                               std::optional<std::uint64_t> bytes) override;
  void on_content(Bytes octets) override { messages_->content(octets); }
  void on_discarded() override { messages_->discarded(); }
  [[nodiscard]] server::Taken on_message(const server::IncomingMessage& message) override;

 private:
  [[nodiscard]] server::Ending drop();
  void record(const server::IncomingMessage& message);

  const FaultOptions& faults_;
  Tally& tally_;
  const std::unique_ptr<MessageObserver> own_messages_;  // null: they are somebody else's
  MessageObserver* const messages_;
  std::optional<ProviderSession> provider_;
  const Bytes host_;
  FaultDice dice_;
  // Between before_stage() and after_stage(), and of content until its time comes.
  std::array<std::optional<FaultKind>, server::stage_count> coming_{};
  Refusal refusal_at_end_ = Refusal::none;  // the heaviest that recipients of the message ask for
  std::array<std::uint64_t, violation_count> violations_{};  // of the session
};

}  // namespace ringpost::sink
