// One session of the smart host: what it says to addresses and messages, and how a message that
// came becomes one of the engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/serve/client_answer.h"
#include "tools/serve/intake.h"
#include "tools/serve/spool/spool.h"
#include "tools/serve/submitted_header.h"
#include "tools/server/connection_server.h"
#include "tools/settings/serve_setting.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::serve {

// Which endpoint a message goes by. The first that fits decides; empty: any.
[[nodiscard]] std::string endpoint_for(const std::vector<cli::RouteOptions>& routes, Bytes user,
                                       Bytes sender);

// What the sessions of a listener have in common. Everything is called on their thread.
struct SubmissionContext {
  std::string host_name;  // in Received
  std::string id_prefix;  // of messages without an id of their own; differs between processes
  std::uint64_t message_bytes_max = 0;
  // Of contents that are on their way in, by all sessions together.
  std::uint64_t incoming_bytes_max = 0;
  std::uint64_t incoming_bytes = 0;
  Duration answer_within{};  // zero: as long as it takes
  std::vector<cli::RouteOptions> routes;

  std::function<std::int64_t()> unix_time_us;
  // Intake's, or a test's.
  std::function<Offer(Message&, Intake::Completion)> offer;
  // Spool's: a message is answered when that has it. Empty: when its outcomes are there.
  std::function<Result<void, StoreRefusal>(Message&, StoreDone)> store;
  // There was no room for it: it is offered again when there is. Until then its octets count as on
  // their way in.
  std::function<void(server::ConnectionKey, std::uint64_t number, Message, Intake::Completion)>
      on_full;
  // Intake's, or a test's: the client has gone.
  std::function<void(Cancellation&)> cancel;
  // A message was taken, or has to wait, and its answer is owed.
  std::function<void(server::ConnectionKey, std::uint64_t number)> on_taken;
  // The same message's outcomes are there. On any thread, and not before offer() was called.
  std::function<void(server::ConnectionKey, std::uint64_t number, ClientAnswer answer)> on_answer;
};

// Keeps the content of one message at most, which goes to the intake when it is whole. Thread: its
// session's.
class SubmissionObserver final : public server::ConnectionObserver {
 public:
  SubmissionObserver(SubmissionContext& context, server::ConnectionKey key)
      : context_(context), key_(key) {}
  ~SubmissionObserver() override { forget_content(); }

  [[nodiscard]] server::Wishes wishes() const override { return {.content = true}; }
  [[nodiscard]] server::Answer on_sender(const server::ClientFacts& client,
                                         const server::MailArguments& mail) override;
  [[nodiscard]] server::Answer on_recipient(const server::ClientFacts& client,
                                            const server::RcptArguments& rcpt) override;
  [[nodiscard]] server::ContentVerdict on_data(const server::ClientFacts& client,
                                               std::optional<std::uint64_t> bytes) override;
  void on_content(Bytes octets) override;
  void on_discarded() override { forget_content(); }
  [[nodiscard]] server::Taken on_message(const server::IncomingMessage& incoming) override;
  void on_lost() override;

 private:
  // Why the content is not kept.
  enum class Dropped : std::uint8_t { nothing, too_large, no_room };

  [[nodiscard]] server::Answer answer(std::uint16_t code, Bytes enhanced, std::string text);
  [[nodiscard]] server::Answer make_message(const server::IncomingMessage& incoming);
  [[nodiscard]] server::Taken submit(std::uint64_t number);
  [[nodiscard]] server::Taken store(std::uint64_t number);
  void forget_content();
  void drop_content(Dropped why);

  SubmissionContext& context_;
  const server::ConnectionKey key_;
  Message message_;                  // of the transaction, its content last of all
  std::string content_;              // as far as it has come
  std::vector<std::string> notify_;  // of each recipient, in capitals
  Dropped dropped_ = Dropped::nothing;
  std::uint64_t kept_bytes_ = 0;                // of incoming_bytes
  std::string words_;                           // of the last answer
  std::shared_ptr<Cancellation> cancellation_;  // of all its messages; null before the first
};

}  // namespace ringpost::serve
