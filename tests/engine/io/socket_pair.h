// Real sockets of loopback: an Io's on one end, and on the other an ordinary socket of the test's
// thread, which never needs to wait: loopback delivers before a system call returns.
#pragma once

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/io/epoll.h"
#include "engine/io/listener.h"
#include "engine/io/ring.h"

namespace ringpost::io::test {

using namespace std::chrono_literals;

inline constexpr IoOptions small_io = {
    .sockets_max = 16, .receive_buffers = 8, .receive_buffer_bytes = 256, .submission_entries = 8};

template <typename Kind>
std::unique_ptr<Io> io_of(const IoOptions& options = small_io) {
  auto made = Kind::create(options);
  if (!made) {
    SKIP("not to be had here: " << made.error().message());
  }
  return std::move(*made);
}

inline Listener make_listener() {
  return Listener::open(address_of_literal("127.0.0.1", 0).value(), false).value();
}

// A completion whose octets stay.
struct Kept {
  Owner owner = 0;
  Operation operation = Operation::wake;
  std::int32_t result = 0;
  std::string data;
  bool more = false;
};

inline std::vector<Kept> wait_once(Io& sockets, Instant deadline) {
  std::vector<Kept> kept;
  for (const Completion& completion : sockets.wait(deadline)) {
    kept.push_back({completion.owner, completion.operation, completion.result,
                    std::string(completion.data), completion.more});
  }
  return kept;
}

// Waits until `enough` says so of everything that has completed; gives up after some seconds.
template <typename Enough>
std::vector<Kept> wait_until(Io& sockets, Enough enough) {
  std::vector<Kept> all;
  const Instant give_up = std::chrono::steady_clock::now() + 20s;
  while (!enough(all)) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    for (Kept& kept : wait_once(sockets, std::chrono::steady_clock::now() + 1s)) {
      all.push_back(std::move(kept));
    }
  }
  return all;
}

inline auto count_of(std::size_t count) {
  return [count](const std::vector<Kept>& all) { return all.size() >= count; };
}

// The one completion of this operation.
inline Kept the_one(const std::vector<Kept>& all, Operation operation) {
  const auto is_it = [&](const Kept& kept) { return kept.operation == operation; };
  REQUIRE(std::count_if(all.begin(), all.end(), is_it) == 1);
  return *std::find_if(all.begin(), all.end(), is_it);
}

// An ordinary socket.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {
    REQUIRE(descriptor_ >= 0);
    const timeval patience{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  }
  Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Peer() { close(); }

  void close() {
    if (descriptor_ >= 0) {
      ::close(std::exchange(descriptor_, -1));
    }
  }
  // Ends the connection with a reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }
  // It says nothing more, and goes on hearing.
  void end_stream() const { REQUIRE(::shutdown(descriptor_, SHUT_WR) == 0); }
  void say(std::string_view octets) const {
    while (!octets.empty()) {
      const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
      REQUIRE(sent > 0);
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // So many octets, or those before the end. Claims nothing, since it is called on other threads,
  // too, where Catch2 takes no assertions.
  [[nodiscard]] std::string hear(std::size_t count) const {
    std::string octets(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      const ssize_t received = ::recv(descriptor_, octets.data() + have, count - have, 0);
      if (received <= 0) {
        octets.resize(have);
        break;
      }
      have += static_cast<std::size_t>(received);
    }
    return octets;
  }
  [[nodiscard]] bool is_reset() const {
    char octet = 0;
    return ::recv(descriptor_, &octet, 1, 0) < 0 && errno == ECONNRESET;
  }
  [[nodiscard]] bool at_end() const {
    char octet = 0;
    return ::recv(descriptor_, &octet, 1, 0) == 0;
  }

 private:
  int descriptor_;
};

inline Peer accept_one(const Listener& listener) {
  return Peer(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
}

// A connected pair: a handle of an Io and an ordinary socket.
struct Pair {
  Handle handle = 0;
  Peer peer;
};

inline Pair connect_pair(Io& sockets, const Listener& listener, Owner owner) {
  const Handle handle = sockets.open(listener.address()).value();
  sockets.connect(handle, listener.address(), owner);
  const auto all = wait_until(sockets, count_of(1));
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].operation == Operation::connect);
  REQUIRE(all[0].owner == owner);
  REQUIRE(all[0].result == 0);
  return {handle, accept_one(listener)};
}

inline void close_handle(Io& sockets, Handle handle, Owner owner) {
  sockets.close(handle, owner);
  const auto all = wait_until(sockets, [](const std::vector<Kept>& seen) {
    return std::any_of(seen.begin(), seen.end(),
                       [](const Kept& kept) { return kept.operation == Operation::close; });
  });
  CHECK(the_one(all, Operation::close).result == 0);
}

inline std::string received_data(const std::vector<Kept>& all, Owner owner) {
  std::string data;
  for (const Kept& kept : all) {
    data += kept.operation == Operation::receive && kept.owner == owner ? kept.data : "";
  }
  return data;
}

// Octets that tell their place.
inline std::string numbered(std::size_t size) {
  std::string octets;
  while (octets.size() < size) {
    octets += std::to_string(octets.size()) + ",";
  }
  octets.resize(size);
  return octets;
}

}  // namespace ringpost::io::test
