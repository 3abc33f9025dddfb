// getaddrinfo blocks, for as long as the name servers please. It therefore runs on a thread of its
// own that shares its state with the Resolver: when the Resolver goes away during a look-up, the
// thread is left to finish alone and its answer is dropped.
#include "engine/io/resolver.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <resolv.h>
#include <thread>

namespace ringpost::io {

namespace {

// While it lives, look-ups of this thread try no search domains (resolv.conf(5)).
class WithoutSearch {
 public:
  WithoutSearch() {
    ::res_init();
    options_before_ = _res.options;
    _res.options &= ~static_cast<unsigned long>(RES_DNSRCH | RES_DEFNAMES);
  }
  ~WithoutSearch() { _res.options = options_before_; }
  WithoutSearch(const WithoutSearch&) = delete;
  WithoutSearch& operator=(const WithoutSearch&) = delete;

 private:
  unsigned long options_before_ = 0;
};

Resolver::Answer look_up(std::string host, std::uint16_t port) {
  std::optional<WithoutSearch> without_search;
  if (host.size() > 1 && host.ends_with('.')) {
    host.pop_back();
    without_search.emplace();
  }
  if (auto literal = address_of_literal(host, port)) {
    return std::vector<SocketAddress>{*literal};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  int error = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {
    // AI_ADDRCONFIG hides loopback-only machines' addresses; ask again without it.
    hints.ai_flags = 0;
    error = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  }
  if (error != 0) {
    return Failure(
        ResolveError{"the name \"" + host + "\" does not resolve: " + ::gai_strerror(error),
                     error == EAI_AGAIN});
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct Resolver::State {
  struct Request {
    std::string host;
    std::uint16_t port;
    Callback callback;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Request> requests;
  bool stopping = false;

  static void run(const std::shared_ptr<State>& state) {
    std::unique_lock lock(state->mutex);
    for (;;) {
      state->changed.wait(lock, [&] { return state->stopping || !state->requests.empty(); });
      if (state->stopping) {
        return;
      }
      const Request request = std::move(state->requests.front());
      state->requests.pop_front();
      lock.unlock();
      Answer answer = look_up(request.host, request.port);
      lock.lock();
      // Called under the lock, so that the destructor cannot return in the middle of a callback.
      if (!state->stopping) {
        request.callback(std::move(answer));
      }
    }
  }
};

Resolver::Resolver() : state_(std::make_shared<State>()) {
  std::thread([state = state_] { State::run(state); }).detach();
}

Resolver::~Resolver() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
}

void Resolver::resolve(std::string host, std::uint16_t port, Callback callback) {
  const std::lock_guard lock(state_->mutex);
  state_->requests.push_back({std::move(host), port, std::move(callback)});
  state_->changed.notify_all();
}

}  // namespace ringpost::io
