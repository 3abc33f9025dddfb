// One thread of a sink.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/context.h"
#include "tools/server/connection_server.h"
#include "tools/sink/provider_limits.h"
#include "tools/sink/record.h"
#include "tools/sink/sink_options.h"
#include "tools/sink/tally.h"
#include <ringpost/base.h>

namespace ringpost::sink {

enum class ListenerKind : std::uint8_t { starttls, tls, plain };
inline constexpr std::size_t listener_kind_count = 3;

struct BoundListener {
  ListenerKind kind = ListenerKind::starttls;
  io::Listener listener;
};

// What the threads of one sink share. Outlives them.
struct SinkShared {
  explicit SinkShared(const SinkOptions& wanted) : options(wanted), accounts(options.account) {
    if (options.provider) {
      limits = std::make_unique<ProviderLimits>(*options.provider);
    }
  }

  SinkOptions options;
  SinkAccounts accounts;
  std::unique_ptr<ProviderLimits> limits;  // null: no provider is played
  std::string certificate_pem;  // empty: no listener speaks TLS, or the options name files
  std::string key_pem;
  std::unique_ptr<Record> record;  // null: nothing is recorded
  std::atomic<std::uint64_t> sessions{0};
  std::atomic<std::uint64_t> messages{0};  // kept up only when options.messages_max asks for it
  IoChoice io = IoChoice::ring;            // of all threads; never automatic
  std::atomic<bool> stopping{false};       // every thread ends soon once it is true
};

// Runs until shared.stopping: then sessions are told 421, and after at most half a second it
// returns. Thread: that of any ConnectionServer; tally() may be called by any while it lives.
class SinkServer final : public server::ConnectionServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SinkServer>, std::string> create(
      SinkShared& shared, std::vector<BoundListener> listeners);

  [[nodiscard]] Tally tally() const { return published_.read(); }

 private:
  explicit SinkServer(SinkShared& shared);
  Result<void, std::string> set_up(std::vector<BoundListener> listeners);
  [[nodiscard]] server::ConnectionSetup setup_for(ListenerKind kind);

  std::unique_ptr<server::ConnectionObserver> observer_for(std::size_t listener,
                                                           server::ConnectionKey key,
                                                           std::uint64_t number) override;
  std::uint64_t next_number() override {
    return shared_.sessions.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  void begin_turn() override;
  void end_turn() override;
  Instant next_turn_at() const override { return flush_record_at_; }
  server::ConnectionLimits limits() override;
  server::Answer on_limit_reached(bool by_age) override;
  void flush_record();
  void note_messages();

  SinkShared& shared_;
  std::unique_ptr<tls::Context> context_;
  std::unique_ptr<RecordBuffer> record_;
  Tally tally_;
  PublishedTally published_;
  Instant flush_record_at_ = never;
  std::uint64_t messages_noted_ = 0;
};

}  // namespace ringpost::sink
