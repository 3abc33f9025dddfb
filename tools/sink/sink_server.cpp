// What makes a server the sink: observers that record, count and do wrong on purpose, a provider's
// limits, and an end behind so many messages.
#include "tools/sink/sink_server.h"

#include <algorithm>
#include <utility>

#include "tls/sasl_crypto.h"
#include "tools/sink/message_record.h"
#include "tools/sink/sink_observer.h"

namespace ringpost::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto stop_time = 500ms;
constexpr auto record_delay = 20ms;  // a line waits for others, but not longer

}  // namespace

Result<std::unique_ptr<SinkServer>, std::string> SinkServer::create(
    SinkShared& shared, std::vector<BoundListener> listeners) {
  std::unique_ptr<SinkServer> server(new SinkServer(shared));
  if (auto result = server->set_up(std::move(listeners)); !result) {
    return Failure(result.error());
  }
  return server;
}

SinkServer::SinkServer(SinkShared& shared)
    : ConnectionServer({.sessions_max = shared.options.sessions_max / shared.options.threads,
                        .idle_timeout = shared.options.idle_timeout,
                        .farewell = {421, "4.3.2", "The sink is going down"},
                        .io = shared.io,
                        .threads = static_cast<std::uint32_t>(shared.options.threads)},
                       tally_),
      shared_(shared) {}

Result<void, std::string> SinkServer::set_up(std::vector<BoundListener> listeners) {
  const SinkOptions& options = shared_.options;
  const bool speaks_tls =
      std::any_of(listeners.begin(), listeners.end(),
                  [](const BoundListener& bound) { return bound.kind != ListenerKind::plain; });
  if (speaks_tls) {
    tls::ContextOptions tls_options;
    tls_options.role = tls::Role::server;
    tls_options.certificate_file = options.certificate_file;
    tls_options.key_file = options.key_file;
    tls_options.certificate_pem = shared_.certificate_pem;
    tls_options.key_pem = shared_.key_pem;
    auto context = tls::Context::create(tls_options);
    if (!context) {
      return Failure(context.error().message());
    }
    context_ = std::move(*context);
  }
  if (shared_.record != nullptr) {
    record_ = std::make_unique<RecordBuffer>(*shared_.record);
  }
  std::vector<io::Listener> sockets;
  std::vector<server::ConnectionSetup> setups;
  for (BoundListener& bound : listeners) {
    setups.push_back(setup_for(bound.kind));
    sockets.push_back(std::move(bound.listener));
  }
  return ConnectionServer::set_up(std::move(sockets), std::move(setups));
}

server::ConnectionSetup SinkServer::setup_for(ListenerKind kind) {
  const SinkOptions& options = shared_.options;
  server::ConnectionSetup setup;
  server::SessionPolicy& policy = setup.session.policy;
  policy.starttls = kind == ListenerKind::starttls;
  policy.auth_in_clear = kind == ListenerKind::plain && options.plain_auth;
  policy.auth_required = kind != ListenerKind::plain || options.plain_auth;
  setup.session.options = &options.session;
  setup.session.accounts = &shared_.accounts;
  setup.session.crypto = &tls::sasl_crypto();
  setup.session.counts = &tally_;
  setup.context = context_.get();
  setup.implicit_tls = kind == ListenerKind::tls;
  setup.reply_latency = options.faults.reply_latency;
  setup.greeting_latency = options.faults.greeting_latency;
  return setup;
}

std::unique_ptr<server::ConnectionObserver> SinkServer::observer_for(std::size_t /*listener*/,
                                                                     server::ConnectionKey /*key*/,
                                                                     std::uint64_t number) {
  auto recorder = record_ != nullptr ? std::make_unique<MessageRecorder>(*record_) : nullptr;
  return std::make_unique<SinkObserver>(shared_.options.faults, number, tally_, std::move(recorder),
                                        shared_.limits.get(), shared_.options.session.host_name);
}

void SinkServer::begin_turn() {
  if (record_ != nullptr) {
    record_->set_time(io().unix_time_us());
  }
  if (shared_.stopping.load(std::memory_order_relaxed) && !is_stopping()) {
    begin_stop(stop_time);
  }
}

// Before the replies leave with the next wait: who reads one may count on the numbers.
void SinkServer::end_turn() {
  flush_record();
  note_messages();
  published_.publish(tally_);
}

server::ConnectionLimits SinkServer::limits() {
  ProviderLimits* const limits = shared_.limits.get();
  return limits == nullptr ? server::ConnectionLimits{}
                           : server::ConnectionLimits{limits->idle(now()), limits->age(now())};
}

server::Answer SinkServer::on_limit_reached(bool by_age) {
  return answer_of(*shared_.limits->on_ended(by_age ? ProviderLimit::age : ProviderLimit::idle));
}

void SinkServer::flush_record() {
  if (record_ == nullptr || record_->empty()) {
    flush_record_at_ = never;
  } else if (flush_record_at_ == never) {
    flush_record_at_ = now() + record_delay;
  } else if (now() >= flush_record_at_) {
    record_->flush();
    flush_record_at_ = never;
  }
}

void SinkServer::note_messages() {
  const std::uint64_t limit = shared_.options.messages_max;
  const std::uint64_t accepted = tally_[Count::messages_accepted];
  if (limit == 0 || accepted == messages_noted_) {
    return;
  }
  const std::uint64_t more = accepted - std::exchange(messages_noted_, accepted);
  if (shared_.messages.fetch_add(more) + more >= limit) {
    shared_.stopping.store(true);
    wake();  // this thread; whoever watches the sink wakes the others
  }
}

}  // namespace ringpost::sink
