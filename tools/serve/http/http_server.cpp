// The problem: a thousand clients, most of whom wait, some of whom never read. The idea: Boost.Asio
// with one thread; a client that waits has a socket, a timer and some fields, and no buffer: the
// kernel says when there is something to read, which goes through one buffer of all. Outcomes come
// from other threads as a call that is posted to this one. Limits: no TLS, so nobody but this
// machine is let in; a proxy in front may have it.
#include "tools/serve/http/http_server.h"

#include <array>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/unix_time.h"
#include "tools/serve/http/http_connection.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Socket = asio::generic::stream_protocol::socket;
using ErrorCode = boost::system::error_code;

// Beyond the bound: clients who are told so, and have until linger_timeout to read it.
constexpr std::size_t turned_away_max = 64;
constexpr auto accept_pause = 100ms;  // where no file may be opened
constexpr Bytes unix_prefix = "unix:";
// Its owner and group: whoever may open it may send mail.
constexpr mode_t socket_mode = 0660;

Instant clock_now() { return std::chrono::steady_clock::now(); }

struct TcpAddress {
  asio::ip::address host;
  std::uint16_t port = 0;
};

Result<TcpAddress, std::string> tcp_address(Bytes text) {
  const std::size_t colon = text.rfind(':');
  Bytes host = text.substr(0, colon);
  const Bytes port = colon == Bytes::npos ? Bytes() : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  TcpAddress address;
  ErrorCode code;
  address.host =
      asio::ip::make_address(host == "localhost" ? "127.0.0.1" : std::string(host), code);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (code || error != std::errc() || end != port.data() + port.size() || port.empty()) {
    return Failure(std::string("is no address and port, as in 127.0.0.1:8025 or unix:/run/http"));
  }
  if (!address.host.is_loopback()) {
    return Failure(std::string(
        "is not on loopback, and without TLS a token would cross the network in clear: listen on "
        "127.0.0.1 or on unix:PATH, and put a proxy with TLS in front of it"));
  }
  return address;
}

class Clients;

// One socket. Keeps itself alive by what it has asked of Asio.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Clients& clients, Socket socket, const HttpSetup& setup, const Access& access);

  void start();
  void turn_away();
  void rung();
  void end();
  [[nodiscard]] bool is_idle() const { return connection_->is_idle(); }
  void end_soon();
  // What was turned away counts apart.
  [[nodiscard]] bool is_turned_away() const { return is_turned_away_; }

 private:
  void update();
  void note_busy();
  void read();
  void take_octets();
  void write();
  void set_timer();

  Clients& clients_;
  Socket socket_;
  asio::steady_timer timer_;
  std::unique_ptr<HttpConnection> connection_;
  const HttpSetup& setup_;
  const Access& access_;
  std::string writing_;
  std::size_t written_ = 0;
  Instant timer_at_ = never;
  bool is_reading_ = false;
  bool is_shut_down_ = false;
  bool is_turned_away_ = false;
  bool has_ended_ = false;
  bool was_busy_ = false;
};

// All of them, and the thread that they share.
class Clients {
 public:
  Clients(HttpServerOptions options)
      : options_(std::move(options)),
        most_(options_.connections_max == 0 ? connections_max : options_.connections_max) {
    setup_.exchange.taker = options_.taker;
    setup_.exchange.budget = &budget_;
    setup_.exchange.endpoint_names = options_.endpoint_names;
    setup_.exchange.reader = options_.reader;
    setup_.exchange.unix_time_us = cli::unix_time_us;
    setup_.exchange.answer_within = options_.answer_within;
    setup_.view = options_.view;
  }

  void add(Socket socket, const Access& access) {
    const std::size_t served = all_.size() - turned_away_;
    const bool has_room = served < most_;
    if (!has_room) {
      turned_away_count_.fetch_add(1, std::memory_order_relaxed);
      if (turned_away_ >= turned_away_max) {
        return;  // the socket is closed
      }
      ++turned_away_;
    } else {
      opened_.fetch_add(1, std::memory_order_relaxed);
    }
    auto client = std::make_shared<Client>(*this, std::move(socket), setup_, access);
    all_.insert(client);
    has_room ? client->start() : client->turn_away();
    count();
  }

  void remove(const std::shared_ptr<Client>& client) {
    turned_away_ -= client->is_turned_away() ? 1U : 0U;
    all_.erase(client);
    count();
  }

  void end_soon() {
    for (const auto& client : std::set<std::shared_ptr<Client>>(all_)) {
      client->end_soon();
    }
  }
  void end() {
    for (const auto& client : std::set<std::shared_ptr<Client>>(all_)) {
      client->end();
    }
  }
  void note_busy(bool is_busy) {
    is_busy ? busy_.fetch_add(1, std::memory_order_relaxed)
            : busy_.fetch_sub(1, std::memory_order_relaxed);
  }

  [[nodiscard]] HttpCounts counts() const {
    return {now_.load(std::memory_order_relaxed), busy_.load(std::memory_order_relaxed),
            opened_.load(std::memory_order_relaxed),
            turned_away_count_.load(std::memory_order_relaxed)};
  }

  asio::io_context context_{1};
  std::array<char, read_bytes> buffer_{};  // what is read, until it is handed on
  std::atomic<bool> is_stopping_{false};

 private:
  void count() { now_.store(all_.size() - turned_away_, std::memory_order_relaxed); }

  const HttpServerOptions options_;
  const std::size_t most_;
  ByteBudget budget_;
  HttpSetup setup_;
  std::set<std::shared_ptr<Client>> all_;
  std::size_t turned_away_ = 0;
  std::atomic<std::uint64_t> now_{0};
  std::atomic<std::uint64_t> busy_{0};
  std::atomic<std::uint64_t> opened_{0};
  std::atomic<std::uint64_t> turned_away_count_{0};
};

// ---- A client -----------------------------------------------------------------------------------

Client::Client(Clients& clients, Socket socket, const HttpSetup& setup, const Access& access)
    : clients_(clients),
      socket_(std::move(socket)),
      timer_(clients.context_),
      setup_(setup),
      access_(access) {}

void Client::start() {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  auto ring = [self = weak_from_this(), &context = clients_.context_] {
    asio::post(context, [self] {
      if (const auto client = self.lock()) {
        client->rung();
      }
    });
  };
  connection_ = std::make_unique<HttpConnection>(setup_, access_, std::move(ring), clock_now());
  update();
}

void Client::turn_away() {
  is_turned_away_ = true;
  start();
  connection_->turn_away(clock_now());
  update();
}

void Client::rung() {
  if (!has_ended_) {
    connection_->go_on(clock_now());
    update();
  }
}

void Client::end_soon() {
  if (!has_ended_) {
    connection_->end_soon(clock_now());
    update();
  }
}

void Client::note_busy() {
  const bool is_busy = !has_ended_ && (connection_->is_busy() || !writing_.empty());
  if (std::exchange(was_busy_, is_busy) != is_busy) {
    clients_.note_busy(is_busy);
  }
}

// Whatever has happened, this does what follows.
void Client::update() {
  if (has_ended_) {
    return;
  }
  note_busy();
  if (writing_.empty()) {
    writing_ = connection_->collect(clock_now());
    written_ = 0;
    if (!writing_.empty()) {
      write();
    }
    note_busy();
  }
  if (connection_->is_hopeless() || (connection_->finished() && writing_.empty()) ||
      (clients_.is_stopping_ && connection_->is_idle())) {
    end();
    return;
  }
  if (connection_->is_leaving() && writing_.empty() && !std::exchange(is_shut_down_, true)) {
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  if (connection_->wants_input() && !is_reading_) {
    read();
  }
  set_timer();
}

void Client::read() {
  is_reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& code) {
    self->is_reading_ = false;
    if (!code && !self->has_ended_) {
      self->take_octets();
    }
  });
}

void Client::take_octets() {
  if (!connection_->wants_input()) {
    update();
    return;
  }
  ErrorCode code;
  const std::size_t bytes = socket_.read_some(asio::buffer(clients_.buffer_), code);
  if (code == asio::error::would_block) {
    update();
  } else if (code == asio::error::eof) {
    connection_->peer_ended(clock_now());
    update();
  } else if (code) {
    end();
  } else {
    connection_->received(Bytes(clients_.buffer_.data(), bytes), clock_now());
    update();
  }
}

void Client::write() {
  socket_.async_write_some(asio::buffer(writing_.data() + written_, writing_.size() - written_),
                           [self = shared_from_this()](const ErrorCode& code, std::size_t bytes) {
                             if (self->has_ended_) {
                               return;
                             }
                             if (code) {
                               self->end();
                               return;
                             }
                             self->written_ += bytes;
                             const bool all = self->written_ == self->writing_.size();
                             if (all) {
                               self->writing_ = {};
                             }
                             self->connection_->sent(all, clock_now());
                             if (!all) {
                               self->write();
                             }
                             self->update();
                           });
}

void Client::set_timer() {
  const Instant due = connection_->due();
  if (due == timer_at_) {
    return;
  }
  timer_at_ = due;
  if (due == never) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(due);
  timer_.async_wait([self = shared_from_this(), due](const ErrorCode& code) {
    if (code || self->has_ended_ || self->timer_at_ != due) {
      return;  // another time has been set
    }
    self->timer_at_ = never;
    self->connection_->go_on(clock_now());
    self->update();
  });
}

void Client::end() {
  if (std::exchange(has_ended_, true)) {
    return;
  }
  ErrorCode ignored;
  note_busy();
  timer_.cancel();
  socket_.close(ignored);
  connection_.reset();
  clients_.remove(shared_from_this());
}

// ---- A listener ---------------------------------------------------------------------------------

// Of either kind of address.
template <typename Acceptor>
class Listener {
 public:
  Listener(Clients& clients, Access access)
      : clients_(clients),
        access_(access),
        acceptor_(clients.context_),
        socket_(clients.context_),
        pause_(clients.context_) {}

  void accept() {
    acceptor_.async_accept(socket_, [this](const ErrorCode& code) {
      if (code == asio::error::operation_aborted || !acceptor_.is_open()) {
        return;
      }
      if (!code) {
        clients_.add(Socket(std::move(socket_)), access_);
        socket_ = Socket(clients_.context_);
        accept();
        return;
      }
      pause_.expires_after(accept_pause);
      pause_.async_wait([this](const ErrorCode& paused) {
        if (!paused && acceptor_.is_open()) {
          accept();
        }
      });
    });
  }

  void close() {
    ErrorCode ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

  Acceptor& acceptor() { return acceptor_; }
  void change(const Access& access) { access_ = access; }

 private:
  Clients& clients_;
  Access access_;
  Acceptor acceptor_;
  Socket socket_;
  asio::steady_timer pause_;
};

template <typename Acceptor, typename Endpoint>
Result<void, std::string> open_acceptor(Acceptor& acceptor, const Endpoint& endpoint) {
  ErrorCode code;
  acceptor.open(endpoint.protocol(), code);
  if (!code) {
    acceptor.set_option(typename Acceptor::reuse_address(true), code);
  }
  if (!code) {
    acceptor.bind(endpoint, code);
  }
  if (!code) {
    acceptor.listen(Acceptor::max_listen_connections, code);
  }
  return code ? Result<void, std::string>(Failure("cannot be listened on: " + code.message()))
              : Result<void, std::string>();
}

// A socket's file outlives whoever has made it; one that nobody answers at is in the way.
Result<void, std::string> make_way(const std::string& path, asio::io_context& context) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return {};
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Failure(std::string("is there already, and no socket"));
  }
  Local::socket probe(context);
  ErrorCode code;
  probe.connect(Local::endpoint(path), code);
  if (!code) {
    return Failure(std::string("is in use by another process"));
  }
  if (code == asio::error::connection_refused) {
    ::unlink(path.c_str());
  }
  return {};
}

}  // namespace

struct HttpServer::State {
  explicit State(HttpServerOptions given)
      : listener_options(given.listeners), clients(std::move(given)) {}

  Result<void, std::string> listen(const HttpListenerOptions& options) {
    const Bytes address = options.address;
    return address.starts_with(unix_prefix)
               ? listen_local(std::string(address.substr(unix_prefix.size())), {options.token})
               : listen_tcp(address, {options.token});
  }

  Result<void, std::string> listen_tcp(Bytes text, Access access) {
    const auto address = tcp_address(text);
    if (!address) {
      return Failure(address.error());
    }
    auto listener = std::make_unique<Listener<tcp::acceptor>>(clients, access);
    auto opened = open_acceptor(listener->acceptor(), tcp::endpoint(address->host, address->port));
    if (!opened) {
      return opened;
    }
    ErrorCode ignored;
    listener->acceptor().set_option(tcp::no_delay(true), ignored);
    const std::uint16_t port = listener->acceptor().local_endpoint(ignored).port();
    const std::string host = address->host.to_string();
    addresses.push_back(address->host.is_v6() ? fmt::format("[{}]:{}", host, port)
                                              : fmt::format("{}:{}", host, port));
    accesses.push_back([at = listener.get()](const Access& changed) { at->change(changed); });
    tcp_listeners.push_back(std::move(listener));
    return {};
  }

  Result<void, std::string> listen_local(const std::string& path, Access access) {
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
      return Failure(
          fmt::format("has no path of 1 to {} octets", sizeof(sockaddr_un::sun_path) - 1));
    }
    if (auto way = make_way(path, clients.context_); !way) {
      return way;
    }
    auto listener = std::make_unique<Listener<Local::acceptor>>(clients, access);
    // Nobody else may connect in the moment before its mode is set.
    const mode_t before = ::umask(0177);
    auto opened = open_acceptor(listener->acceptor(), Local::endpoint(path));
    ::umask(before);
    if (!opened) {
      return opened;
    }
    ::chmod(path.c_str(), socket_mode);
    addresses.push_back(std::string(unix_prefix) + path);
    paths.push_back(path);
    accesses.push_back([at = listener.get()](const Access& changed) { at->change(changed); });
    local_listeners.push_back(std::move(listener));
    return {};
  }

  void accept() {
    for (const auto& listener : tcp_listeners) {
      listener->accept();
    }
    for (const auto& listener : local_listeners) {
      listener->accept();
    }
  }

  void close_listeners() {
    for (const auto& listener : tcp_listeners) {
      listener->close();
    }
    for (const auto& listener : local_listeners) {
      listener->close();
    }
    for (const std::string& path : std::exchange(paths, {})) {
      ::unlink(path.c_str());
    }
  }

  // On the thread that serves.
  void change_token(std::size_t number, std::string token) {
    listener_options[number].token = std::move(token);
    accesses[number]({listener_options[number].token});
  }

  std::vector<HttpListenerOptions> listener_options;         // the tokens stay here
  std::vector<std::function<void(const Access&)>> accesses;  // changes that of each
  Clients clients;
  std::vector<std::unique_ptr<Listener<tcp::acceptor>>> tcp_listeners;
  std::vector<std::unique_ptr<Listener<Local::acceptor>>> local_listeners;
  std::vector<std::string> addresses;
  std::vector<std::string> paths;
  std::atomic<bool> has_turned{true};
  std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::start(HttpServerOptions options) {
  auto state = std::make_unique<State>(std::move(options));
  for (const HttpListenerOptions& listener : state->listener_options) {
    if (auto listening = state->listen(listener); !listening) {
      state->close_listeners();
      return Failure(fmt::format("{} {}", listener.address, listening.error()));
    }
  }
  state->accept();
  state->thread = std::thread([&context = state->clients.context_] {
    const auto work = asio::make_work_guard(context);
    context.run();
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() { stop(Duration::zero()); }

const std::vector<std::string>& HttpServer::addresses() const { return state_->addresses; }
HttpCounts HttpServer::counts() const { return state_->clients.counts(); }

void HttpServer::change_token(std::size_t listener, std::string token) {
  asio::post(state_->clients.context_,
             [state = state_.get(), listener, token] { state->change_token(listener, token); });
}

bool HttpServer::take_pulse() {
  const bool has_turned = state_->has_turned.exchange(false);
  asio::post(state_->clients.context_, [state = state_.get()] { state->has_turned = true; });
  return has_turned;
}

void HttpServer::stop_listening() {
  state_->clients.is_stopping_ = true;
  asio::post(state_->clients.context_, [state = state_.get()] {
    state->close_listeners();
    state->clients.end_soon();
  });
}

void HttpServer::stop(Duration at_most) {
  if (!state_->thread.joinable()) {
    return;
  }
  stop_listening();
  constexpr auto look_every = 10ms;
  const Instant give_up_at = clock_now() + at_most;
  while (counts().busy > 0 && clock_now() < give_up_at) {
    std::this_thread::sleep_for(look_every);
  }
  asio::post(state_->clients.context_, [state = state_.get()] {
    state->clients.end();
    state->clients.context_.stop();
  });
  state_->thread.join();
}

Result<void, std::string> check_http_address(Bytes address) {
  if (address.starts_with(unix_prefix)) {
    return {};
  }
  auto parsed = tcp_address(address);
  return parsed ? Result<void, std::string>() : Failure(std::move(parsed.error()));
}

}  // namespace ringpost::http
