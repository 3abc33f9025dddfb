// The problem: a session speaks SMTP on one thread, and its messages are decided on another. The
// idea: the sessions' thread lives around a ring; what was decided comes into a letter box, under a
// lock that is held for a swap, and the ring is woken once for all that came since it looked.
// Limits: one thread for each listener; the address of a client is not known to a ring that accepts
// by itself, so Received has the name alone that the client gave.
#include "tools/serve/smtp_listener.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <future>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "engine/client_name.h"
#include "engine/io/socket_address.h"
#include "tls/context.h"
#include "tls/sasl_crypto.h"
#include "tools/serve/serve_settings.h"
#include "tools/serve/submission_observer.h"
#include "tools/serve/user_accounts.h"
#include "tools/server/connection_server.h"

namespace ringpost::serve {

namespace {

using cli::ListenSecurity;
using cli::SmtpListenOptions;
using server::ConnectionKey;

constexpr auto stop_time = std::chrono::milliseconds(500);
constexpr std::string_view address_example = "127.0.0.1:2525";

// PHPMailer sends each line of a message by itself, so that by Nagle's algorithm the second one
// waits for the acknowledgement of the first, which the kernel holds back for 40 ms: a platform
// with a connection for each message waits for little else. The least that the kernel takes are two
// of its ticks, of 1, 4 or 10 ms; accepted sockets inherit it. Before Linux 6.16 nothing is
// changed.
void shorten_delayed_acknowledgements(int listening_descriptor) {
  constexpr int tcp_delack_max_us = 46;  // not yet in the headers of distributions
  for (const int microseconds : {2'000, 8'000, 20'000}) {
    if (::setsockopt(listening_descriptor, IPPROTO_TCP, tcp_delack_max_us, &microseconds,
                     sizeof(microseconds)) == 0) {
      return;
    }
  }
}

// What was decided on other threads.
class LetterBox {
 public:
  struct Letter {
    ConnectionKey key;
    std::uint64_t number = 0;
    ClientAnswer answer;
  };

  // True: it was empty, and whoever reads wants to be woken.
  bool put(Letter letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
    return letters_.size() == 1;
  }
  void take(std::vector<Letter>& into) {
    into.clear();
    const std::lock_guard lock(mutex_);
    into.swap(letters_);
  }

 private:
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

// What a reload has read.
struct Fresh {
  std::vector<cli::RouteOptions> routes;
  std::unique_ptr<tls::Context> context;  // null: as before
};

// What the thread of a listener is told, and tells.
struct Signals {
  std::atomic<bool> is_draining{false};
  std::atomic<bool> is_stopping{false};
  std::atomic<std::size_t> under_way{0};  // connections, and messages that wait for room
  std::atomic<std::size_t> connections{0};
  std::atomic<std::uint64_t> opened{0};  // so far, those that were turned away among them
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> turns{0};
  std::mutex fresh_mutex;  // guards the next one
  std::optional<Fresh> fresh;
};

Result<std::unique_ptr<tls::Context>, std::string> context_of(const SmtpListenOptions& options) {
  tls::ContextOptions tls_options;
  tls_options.role = tls::Role::server;
  tls_options.certificate_file = options.certificate_file;
  tls_options.key_file = options.key_file;
  auto context = tls::Context::create(tls_options);
  if (!context) {
    return Failure(context.error().message());
  }
  return std::move(*context);
}

// So that a certificate that is still the same is not kept another time. Empty: no file.
std::string mark_of_files(const SmtpListenOptions& options) {
  std::string mark;
  for (const std::string* const path : {&options.certificate_file, &options.key_file}) {
    struct stat status {};
    if (!path->empty() && ::stat(path->c_str(), &status) == 0) {
      mark += fmt::format("{} {} {} {}.{}\n", *path, status.st_ino, status.st_size,
                          status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    }
  }
  return mark;
}

class SmtpServer final : public server::ConnectionServer {
 public:
  SmtpServer(const SmtpListenOptions& options, const std::vector<cli::RouteOptions>& routes,
             UserAccounts* accounts, Intake& intake, Spool* spool, Signals& signals);

  [[nodiscard]] Result<void, std::string> set_up(io::Listener listener);

 private:
  std::unique_ptr<server::ConnectionObserver> observer_for(std::size_t /*listener*/,
                                                           ConnectionKey key,
                                                           std::uint64_t /*number*/) override {
    return std::make_unique<SubmissionObserver>(context_, key);
  }
  std::uint64_t next_number() override { return ++connections_made_; }
  void begin_turn() override;
  void take_fresh();
  void offer_held();
  void end_turn() override {
    signals_.under_way.store(open_connections() + held_.size());
    signals_.connections.store(open_connections());
    signals_.opened.store(counts_[server::Count::sessions]);
    signals_.turned_away.store(counts_[server::Count::sessions_refused]);
    signals_.turns.fetch_add(1);
  }
  Instant next_turn_at() const override {
    return waiting_.empty() ? never : waiting_.front().answer_by;
  }

  // A client that waits for an answer.
  struct Waiting {
    Instant answer_by;
    ConnectionKey key;
    std::uint64_t number;
  };

  // A message that there was no room for. Its client waits, which is the back-pressure.
  struct Held {
    ConnectionKey key;
    std::uint64_t number;
    Message message;
    Intake::Completion done;
    std::uint64_t bytes;
  };

  [[nodiscard]] bool stores() const { return options_.reply == cli::ReplyWhen::stored; }

  const SmtpListenOptions& options_;
  UserAccounts* const accounts_;  // null: nobody has to log in
  Intake& intake_;
  Signals& signals_;
  server::ServerCounts counts_;
  server::ServerOptions session_options_;
  std::vector<std::unique_ptr<tls::Context>> contexts_;  // the last one is for new connections
  SubmissionContext context_;
  LetterBox letters_;
  std::vector<LetterBox::Letter> read_;
  std::deque<Waiting> waiting_;  // the first to be answered in front: all wait equally long
  std::deque<Held> held_;
  std::uint64_t connections_made_ = 0;
};

server::ServerOptions session_options_of(const SmtpListenOptions& options, bool has_accounts) {
  server::ServerOptions session;
  session.extensions.auth = has_accounts;
  session.host_name = options.host_name;
  session.size_max = options.bytes_per_message;
  session.recipients_max = options.recipients_per_message;
  session.messages_max = options.messages_per_connection;
  session.errors_max = options.errors_max;
  session.announces_limits = true;
  session.grammar = server::Grammar::tolerant;
  return session;
}

SmtpServer::SmtpServer(const SmtpListenOptions& options,
                       const std::vector<cli::RouteOptions>& routes, UserAccounts* accounts,
                       Intake& intake, Spool* spool, Signals& signals)
    : ConnectionServer({.sessions_max = options.clients_max,
                        .idle_timeout = options.idle_timeout,
                        .farewell = {421, "4.3.2", "The server is going down"},
                        .io = options.io},
                       counts_),
      options_(options),
      accounts_(accounts),
      intake_(intake),
      signals_(signals),
      session_options_(session_options_of(options, accounts != nullptr)) {
  const auto started = std::chrono::system_clock::now().time_since_epoch();
  context_.host_name = options.host_name;
  context_.id_prefix =
      fmt::format("{:x}", std::chrono::duration_cast<std::chrono::microseconds>(started).count());
  context_.message_bytes_max = options.bytes_per_message;
  context_.incoming_bytes_max = options.incoming_bytes;
  context_.answer_within = options.answer_within;
  context_.routes = routes;
  context_.unix_time_us = [this] { return io().unix_time_us(); };
  context_.offer = [this](Message& message, Intake::Completion done) {
    // Nobody passes those who wait.
    return held_.empty() ? intake_.offer(message, std::move(done)) : Offer::full;
  };
  if (stores()) {
    context_.store = [spool](Message& message, StoreDone done) {
      return spool->store(message, std::move(done));
    };
  }
  context_.cancel = [this](Cancellation& cancellation) { intake_.cancel(cancellation); };
  context_.on_full = [this](ConnectionKey key, std::uint64_t number, Message message,
                            Intake::Completion done) {
    const std::uint64_t bytes = message.content.bytes();
    context_.incoming_bytes += bytes;
    held_.push_back({key, number, std::move(message), std::move(done), bytes});
  };
  context_.on_taken = [this](ConnectionKey key, std::uint64_t number) {
    waiting_.push_back({now() + options_.answer_within, key, number});
  };
  context_.on_answer = [this](ConnectionKey key, std::uint64_t number, ClientAnswer answer) {
    if (letters_.put({key, number, std::move(answer)})) {
      wake();
    }
  };
}

Result<void, std::string> SmtpServer::set_up(io::Listener listener) {
  if (options_.tls != ListenSecurity::off) {
    auto context = context_of(options_);
    if (!context) {
      return Failure(std::move(context.error()));
    }
    contexts_.push_back(std::move(*context));
  }
  server::ConnectionSetup setup;
  setup.session.policy.starttls = options_.tls == ListenSecurity::starttls;
  setup.session.policy.auth_in_clear = options_.tls == ListenSecurity::off;
  setup.session.policy.auth_required = accounts_ != nullptr;
  setup.session.options = &session_options_;
  setup.session.accounts = accounts_;
  setup.session.crypto = &tls::sasl_crypto();
  setup.session.counts = &counts_;
  setup.context = contexts_.empty() ? nullptr : contexts_.back().get();
  setup.implicit_tls = options_.tls == ListenSecurity::implicit;
  std::vector<io::Listener> listeners;
  listeners.push_back(std::move(listener));
  return ConnectionServer::set_up(std::move(listeners), {setup});
}

void SmtpServer::take_fresh() {
  const std::lock_guard lock(signals_.fresh_mutex);
  if (!signals_.fresh) {
    return;
  }
  context_.routes = std::move(signals_.fresh->routes);
  if (signals_.fresh->context != nullptr) {
    contexts_.push_back(std::move(signals_.fresh->context));
    replace_context(0, *contexts_.back());
  }
  signals_.fresh.reset();
}

void SmtpServer::begin_turn() {
  take_fresh();
  letters_.take(read_);
  for (const LetterBox::Letter& letter : read_) {
    answer(letter.key, letter.number,
           {letter.answer.code, letter.answer.enhanced, letter.answer.text});
  }
  offer_held();
  for (; !waiting_.empty() && waiting_.front().answer_by <= now(); waiting_.pop_front()) {
    const ClientAnswer silence = stores() ? answer_of_silent_disk(options_.answer_within)
                                          : answer_of_silence(options_.answer_within);
    answer(waiting_.front().key, waiting_.front().number,
           {silence.code, silence.enhanced, silence.text});
  }
  if (signals_.is_stopping.load() && !is_stopping()) {
    begin_stop(stop_time);
  } else if (signals_.is_draining.load() && !is_draining()) {
    begin_drain();
  }
}

// In the order in which they came, as far as there is room. Those whose clients wait no more go as
// well: they are over age, which their outcome lines say.
void SmtpServer::offer_held() {
  while (!held_.empty()) {
    Held& first = held_.front();
    const Offer offer = intake_.offer(first.message, first.done);
    if (offer == Offer::full) {
      return;
    }
    if (offer == Offer::closed) {
      answer(first.key, first.number, {421, "4.3.2", "The server is going down"});
    }
    context_.incoming_bytes -= first.bytes;
    held_.pop_front();
  }
}

class SmtpListener final : public FrontEnd {
 public:
  SmtpListener(const SmtpListenOptions& options, std::vector<cli::RouteOptions> routes,
               std::unique_ptr<UserAccounts> accounts)
      : options_(options), routes_(std::move(routes)), accounts_(std::move(accounts)) {}
  ~SmtpListener() override { stop(); }

  [[nodiscard]] Result<void, std::string> start(Intake& intake, Spool* spool);

  std::string place() const override { return "smtp=" + address_; }
  ListenerFigures figures() const override {
    return {"smtp", signals_.connections.load(), signals_.opened.load(),
            signals_.turned_away.load()};
  }
  Result<TakeOver, std::string> prepare_reload(const cli::ServeSettings& settings) override;
  bool take_pulse() override {
    const bool has_turned = turns_at_pulse_ != signals_.turns.load();
    turns_at_pulse_ = signals_.turns.load();
    server_->wake();
    return has_turned;
  }
  void begin_drain() override {
    signals_.is_draining.store(true);
    server_->wake();
  }
  bool is_idle() const override { return signals_.under_way.load() == 0; }
  void stop() override {
    if (thread_.joinable()) {
      signals_.is_stopping.store(true);
      server_->wake();
      may_end_.set_value();
      thread_.join();
    }
  }

 private:
  void run(Intake& intake, Spool* spool, io::Listener listener, std::promise<std::string> started);

  const SmtpListenOptions options_;
  const std::vector<cli::RouteOptions> routes_;
  const std::unique_ptr<UserAccounts> accounts_;
  std::string address_;
  Signals signals_;
  std::uint64_t turns_at_pulse_ = UINT64_MAX;
  std::string mark_of_files_ = mark_of_files(options_);
  // Made and run on the thread, which keeps it until stop(): whoever has a message under way may
  // wake it.
  std::unique_ptr<SmtpServer> server_;
  std::promise<void> may_end_;
  std::thread thread_;
};

Result<void, std::string> SmtpListener::start(Intake& intake, Spool* spool) {
  const auto address = io::listening_address(options_.address, address_example);
  if (!address) {
    return Failure(address.error());
  }
  auto listener = io::Listener::open(*address, false);
  if (!listener) {
    return Failure(listener.error().message());
  }
  shorten_delayed_acknowledgements(listener->descriptor());
  address_ = listener->address().text();
  std::promise<std::string> started;
  auto error = started.get_future();
  thread_ = std::thread(
      [this, &intake, spool, started = std::move(started), bound = std::move(*listener)]() mutable {
        run(intake, spool, std::move(bound), std::move(started));
      });
  std::string wrong = error.get();
  if (!wrong.empty()) {
    thread_.join();
    return Failure(std::move(wrong));
  }
  return {};
}

// Users, routes, and the certificate with its key.
Result<FrontEnd::TakeOver, std::string> SmtpListener::prepare_reload(
    const cli::ServeSettings& settings) {
  const auto found = std::find_if(
      settings.smtp.begin(), settings.smtp.end(),
      [this](const SmtpListenOptions& one) { return one.address == options_.address; });
  const SmtpListenOptions& options = found == settings.smtp.end() ? options_ : *found;
  std::optional<UserMap> users;
  if (accounts_ != nullptr && !options.users_file.empty()) {
    auto read = read_users(options.users_file);
    if (!read) {
      return Failure("listen.smtp: " + read.error());
    }
    users = std::move(*read);
  }
  auto fresh = std::make_shared<Fresh>();
  fresh->routes = settings.routes;
  std::string mark = mark_of_files(options);
  if (options_.tls != ListenSecurity::off && mark != mark_of_files_) {
    auto context = context_of(options);
    if (!context) {
      return Failure("listen.smtp: " + context.error());
    }
    fresh->context = std::move(*context);
  }
  return TakeOver([this, users = std::move(users), fresh, mark] {
    if (users) {
      accounts_->replace(*users);
    }
    mark_of_files_ = mark;
    {
      const std::lock_guard lock(signals_.fresh_mutex);
      signals_.fresh = std::move(*fresh);
    }
    server_->wake();
  });
}

void SmtpListener::run(Intake& intake, Spool* spool, io::Listener listener,
                       std::promise<std::string> started) {
  ::pthread_setname_np(::pthread_self(), "ringpost-smtp");
  auto server =
      std::make_unique<SmtpServer>(options_, routes_, accounts_.get(), intake, spool, signals_);
  if (auto set_up = server->set_up(std::move(listener)); !set_up) {
    started.set_value(set_up.error());
    return;
  }
  server_ = std::move(server);
  intake.listen_for_room([this] { server_->wake(); });
  started.set_value({});
  server_->run();
  may_end_.get_future().wait();
  server_.reset();
}

}  // namespace

std::string listen_offence(const SmtpListenOptions& options) {
  const auto address = io::listening_address(options.address, address_example);
  if (!address) {
    return address.error();
  }
  const bool has_tls = options.tls != ListenSecurity::off;
  if (has_tls != !options.certificate_file.empty() || has_tls != !options.key_file.empty()) {
    return fmt::format("{}: tls, certificate and key go together", options.address);
  }
  if (!address->is_loopback() && (!has_tls || options.users_file.empty())) {
    return fmt::format(
        "{}: other machines can reach it, so it needs tls, certificate, key and users: without "
        "them it would relay for anybody, or take passwords in clear (127.0.0.1 and [::1] are for "
        "programs on this machine)",
        options.address);
  }
  return {};
}

Result<std::unique_ptr<FrontEnd>, std::string> start_smtp_listener(
    const SmtpListenOptions& options, const std::vector<cli::RouteOptions>& routes, Intake& intake,
    Spool* spool) {
  const auto failure = [](const std::string& why) { return Failure("listen.smtp: " + why); };
  if (std::string offence = listen_offence(options); !offence.empty()) {
    return failure(offence);
  }
  std::unique_ptr<UserAccounts> accounts;
  if (!options.users_file.empty()) {
    auto users = read_users(options.users_file);
    if (!users) {
      return failure(users.error());
    }
    accounts = std::make_unique<UserAccounts>(std::move(*users), tls::sasl_crypto());
  }
  SmtpListenOptions complete = options;
  if (complete.host_name.empty()) {
    complete.host_name = engine::default_client_name();
  }
  if (complete.host_name.empty()) {
    complete.host_name = "localhost";
  }
  auto listener = std::make_unique<SmtpListener>(complete, routes, std::move(accounts));
  if (auto started = listener->start(intake, spool); !started) {
    return failure(started.error());
  }
  return std::unique_ptr<FrontEnd>(std::move(listener));
}

}  // namespace ringpost::serve
