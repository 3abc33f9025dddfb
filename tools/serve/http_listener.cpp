// The HTTP front end on top of the intake: what is told apart there and here has the same names.
// The token is read when it starts, and when the configuration is read anew.
#include "tools/serve/http_listener.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tools/serve/http/http_server.h"
#include "tools/serve/serve_settings.h"
#include "tools/settings/secret.h"

namespace ringpost::serve {

namespace {

// As for bearer tokens that come in a header field of 8 KB.
constexpr std::size_t token_bytes_max = 1024;
// Shorter ones are guessed.
constexpr std::size_t token_bytes_min = 16;
// For answers that are on their way when everything else has ended.
constexpr auto farewell = std::chrono::seconds(2);

Result<std::string, std::string> read_token(const std::string& path) {
  auto content = cli::read_private_file(path, token_bytes_max);
  if (!content) {
    return Failure(fmt::format("token_file {}: {}", path, content.error()));
  }
  while (content->ends_with('\n') || content->ends_with('\r')) {
    content->pop_back();
  }
  const bool is_sayable =
      std::all_of(content->begin(), content->end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_sayable || content->size() < token_bytes_min) {
    return Failure(fmt::format(
        "token_file {}: a token is at least {} printable characters without a space; make one "
        "with: openssl rand -hex 32",
        path, token_bytes_min));
  }
  return std::move(*content);
}

http::Taken taken_of(Offer offer) {
  switch (offer) {
    case Offer::taken:
      return http::Taken::yes;
    case Offer::full:
      return http::Taken::full;
    case Offer::closed:
      return http::Taken::closed;
  }
  RP_ASSERT(false);
}

http::MessageTaker::Stored stored_of(StoreEnd end) {
  switch (end) {
    case StoreEnd::stored:
      return http::MessageTaker::Stored::yes;
    case StoreEnd::no_room:
      return http::MessageTaker::Stored::no_room;
    case StoreEnd::failed:
      return http::MessageTaker::Stored::failed;
  }
  RP_ASSERT(false);
}

class IntakeTaker final : public http::MessageTaker {
 public:
  IntakeTaker(Intake& intake, Spool* spool) : intake_(intake), spool_(spool) {}

  http::Taken take(Message& message, const Completion& done) override {
    return taken_of(intake_.offer(message, done));
  }
  http::Taken refuse(Message& message, std::string_view reason, const Completion& done) override {
    return taken_of(intake_.refuse(message, reason, done));
  }
  bool can_store() const override { return spool_ != nullptr; }
  Storing store(Message& message, const StoreCompletion& done) override {
    const auto stored = spool_->store(message, [done](StoreEnd end) { done(stored_of(end)); });
    if (stored) {
      return {http::Taken::yes, {}};
    }
    switch (stored.error().kind) {
      case StoreRefusal::Kind::invalid:
        return {http::Taken::full, stored.error().words};
      case StoreRefusal::Kind::full:
        return {http::Taken::full, {}};
      case StoreRefusal::Kind::closed:
        return {http::Taken::closed, {}};
    }
    RP_ASSERT(false);
  }
  void cancel(Cancellation& cancellation) override { intake_.cancel(cancellation); }

 private:
  Intake& intake_;
  Spool* const spool_;  // null: nothing is stored
};

class HttpListener final : public FrontEnd {
 public:
  HttpListener(Intake& intake, Spool* spool, cli::HttpListenOptions options)
      : taker_(intake, spool), options_(std::move(options)) {}
  ~HttpListener() override { stop(); }

  [[nodiscard]] Result<void, std::string> start(http::HttpServerOptions options) {
    options.taker = &taker_;
    auto server = http::HttpServer::start(std::move(options));
    if (!server) {
      return Failure(std::move(server.error()));
    }
    server_ = std::move(*server);
    return {};
  }

  std::string place() const override { return "http=" + server_->addresses().front(); }
  ListenerFigures figures() const override {
    const http::HttpCounts counts = server_->counts();
    return {"http", counts.connections, counts.connections_opened, counts.connections_turned_away};
  }
  Result<TakeOver, std::string> prepare_reload(const cli::ServeSettings& settings) override;
  bool take_pulse() override { return server_->take_pulse(); }
  void begin_drain() override { server_->stop_listening(); }
  bool is_idle() const override { return server_->counts().busy == 0; }
  void stop() override {
    if (server_) {
      server_->stop(farewell);
    }
  }

 private:
  IntakeTaker taker_;
  const cli::HttpListenOptions options_;
  std::unique_ptr<http::HttpServer> server_;
};

// The token.
Result<FrontEnd::TakeOver, std::string> HttpListener::prepare_reload(
    const cli::ServeSettings& settings) {
  const auto found = std::find_if(
      settings.http.begin(), settings.http.end(),
      [this](const cli::HttpListenOptions& one) { return one.address == options_.address; });
  const cli::HttpListenOptions& options = found == settings.http.end() ? options_ : *found;
  if (options_.token_file.empty() || options.token_file.empty()) {
    return TakeOver();
  }
  auto token = read_token(options.token_file);
  if (!token) {
    return Failure("listen.http: " + token.error());
  }
  return TakeOver([this, token = std::move(*token)] { server_->change_token(0, token); });
}

}  // namespace

std::optional<std::string> why_not_ready(const ServiceFigures& figures) {
  if (figures.intake.lines_unwritten > 0) {
    return "outcome lines cannot be written";
  }
  std::string why;
  for (const EndpointReport& report : figures.endpoints) {
    const auto failure = std::find_if(
        figures.failures.begin(), figures.failures.end(),
        [&report](const EndpointFailure& one) { return one.endpoint == report.endpoint; });
    if (failure == figures.failures.end() && !report.away_for) {
      return std::nullopt;
    }
    why += why.empty() ? "" : "; ";
    why += failure != figures.failures.end()
               ? fmt::format("{} was given up: {}", report.endpoint, failure->message)
               : fmt::format("{} does not answer: {}", report.endpoint, report.trouble);
  }
  return why;
}

Result<std::unique_ptr<FrontEnd>, std::string> start_http_listener(
    const cli::HttpListenOptions& options, std::span<const std::string> endpoint_names,
    Intake& intake, Spool* spool, std::function<ServiceFigures()> figures) {
  http::HttpServerOptions server;
  server.endpoint_names = endpoint_names;
  server.connections_max = options.clients_max;
  server.answer_within = options.answer_within;
  server.listeners.push_back({options.address, {}});
  if (!options.token_file.empty()) {
    auto token = read_token(options.token_file);
    if (!token) {
      return Failure("listen.http: " + token.error());
    }
    server.listeners.front().token = std::move(*token);
  }
  server.view.stats = [figures] { return stats_json(figures()); };
  server.view.metrics = [figures] { return metrics_text(figures()); };
  server.view.not_ready = [figures] { return why_not_ready(figures()); };
  auto listener = std::make_unique<HttpListener>(intake, spool, options);
  if (auto started = listener->start(std::move(server)); !started) {
    return Failure("listen.http: " + started.error());
  }
  return std::unique_ptr<FrontEnd>(std::move(listener));
}

}  // namespace ringpost::serve
