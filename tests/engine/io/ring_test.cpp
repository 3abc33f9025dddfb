// A ring over real sockets of loopback. The other end is an ordinary socket of this thread, which
// never needs to wait: loopback delivers before a system call returns.
#include "engine/io/ring.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/io/listener.h"

using namespace ringpost;
using io::Completion;
using io::Handle;
using io::Listener;
using io::Operation;
using io::Owner;
using io::Ring;
using io::RingOptions;
using io::SocketAddress;
using namespace std::chrono_literals;

namespace {

constexpr RingOptions small_ring = {
    .sockets_max = 16, .receive_buffers = 8, .receive_buffer_bytes = 256, .submission_entries = 8};

std::unique_ptr<Ring> make_ring(const RingOptions& options = small_ring) {
  auto ring = Ring::create(options);
  if (!ring) {
    SKIP("no io_uring: " << ring.error().message());
  }
  return std::move(*ring);
}

Listener make_listener() {
  return Listener::open(io::address_of_literal("127.0.0.1", 0).value(), false).value();
}

// A completion whose octets stay.
struct Kept {
  Owner owner = 0;
  Operation operation = Operation::wake;
  std::int32_t result = 0;
  std::string data;
  bool more = false;
};

std::vector<Kept> wait_once(Ring& ring, Instant deadline) {
  std::vector<Kept> kept;
  for (const Completion& completion : ring.wait(deadline)) {
    kept.push_back({completion.owner, completion.operation, completion.result,
                    std::string(completion.data), completion.more});
  }
  return kept;
}

// Waits until `enough` says so of everything that has completed; gives up after some seconds.
template <typename Enough>
std::vector<Kept> wait_until(Ring& ring, Enough enough) {
  std::vector<Kept> all;
  const Instant give_up = std::chrono::steady_clock::now() + 20s;
  while (!enough(all)) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    for (Kept& kept : wait_once(ring, std::chrono::steady_clock::now() + 1s)) {
      all.push_back(std::move(kept));
    }
  }
  return all;
}

auto count_of(std::size_t count) {
  return [count](const std::vector<Kept>& all) { return all.size() >= count; };
}

// The one completion of this operation.
Kept the_one(const std::vector<Kept>& all, Operation operation) {
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

Peer accept_one(const Listener& listener) {
  return Peer(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
}

// A connected pair: a handle of the ring and an ordinary socket.
struct Pair {
  Handle handle = 0;
  Peer peer;
};

Pair connect_pair(Ring& ring, const Listener& listener, Owner owner) {
  const Handle handle = ring.open(listener.address()).value();
  ring.connect(handle, listener.address(), owner);
  const auto all = wait_until(ring, count_of(1));
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].operation == Operation::connect);
  REQUIRE(all[0].owner == owner);
  REQUIRE(all[0].result == 0);
  return {handle, accept_one(listener)};
}

void close_handle(Ring& ring, Handle handle, Owner owner) {
  ring.close(handle, owner);
  const auto all = wait_until(ring, [](const std::vector<Kept>& seen) {
    return std::any_of(seen.begin(), seen.end(),
                       [](const Kept& kept) { return kept.operation == Operation::close; });
  });
  CHECK(the_one(all, Operation::close).result == 0);
}

std::string received_data(const std::vector<Kept>& all, Owner owner) {
  std::string data;
  for (const Kept& kept : all) {
    data += kept.operation == Operation::receive && kept.owner == owner ? kept.data : "";
  }
  return data;
}

// Octets that tell their place.
std::string numbered(std::size_t size) {
  std::string octets;
  while (octets.size() < size) {
    octets += std::to_string(octets.size()) + ",";
  }
  octets.resize(size);
  return octets;
}

}  // namespace

TEST_CASE("ring: connect, send, receive, end of stream, close") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 7);

  const std::string hello = "EHLO client.example\r\n";
  ring->send(pair.handle, hello, 7);
  ring->receive(pair.handle, 7);
  auto all = wait_until(*ring, count_of(1));
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(hello.size()));
  CHECK(pair.peer.hear(hello.size()) == hello);

  for (const char* const said : {"250-mx\r\n", "250 SIZE\r\n"}) {
    pair.peer.say(said);
    all = wait_until(*ring, count_of(1));
    REQUIRE(all.size() == 1);
    CHECK(all[0].owner == 7);
    CHECK(all[0].operation == Operation::receive);
    CHECK(all[0].data == said);
    CHECK(all[0].result == static_cast<std::int32_t>(all[0].data.size()));
    CHECK(all[0].more);
  }

  pair.peer.close();
  all = wait_until(*ring, count_of(1));
  REQUIRE(all.size() == 1);
  CHECK(all[0].operation == Operation::receive);
  CHECK(all[0].result == 0);
  CHECK_FALSE(all[0].more);
  close_handle(*ring, pair.handle, 7);
}

TEST_CASE("ring: a refused connection is -ECONNREFUSED") {
  const auto ring = make_ring();
  SocketAddress address;
  {
    const Listener listener = make_listener();
    address = listener.address();
  }
  const Handle handle = ring->open(address).value();
  ring->connect(handle, address, 3);
  const auto all = wait_until(*ring, count_of(1));
  CHECK(the_one(all, Operation::connect).result == -ECONNREFUSED);
  close_handle(*ring, handle, 3);
}

TEST_CASE("ring: a reset is an error of the receive") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  ring->receive(pair.handle, 1);
  pair.peer.reset();
  const auto all = wait_until(*ring, count_of(1));
  CHECK(the_one(all, Operation::receive).result == -ECONNRESET);
  CHECK_FALSE(the_one(all, Operation::receive).more);
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: reset ends the connection with one, behind what was sent") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  ring->receive(pair.handle, 1);
  ring->send(pair.handle, "221", 1);
  CHECK(the_one(wait_until(*ring, count_of(1)), Operation::send).result == 3);
  CHECK(pair.peer.hear(3) == "221");
  ring->reset(pair.handle);
  ring->close(pair.handle, 1);
  CHECK(the_one(wait_until(*ring, count_of(2)), Operation::close).result == 0);
  CHECK(pair.peer.is_reset());
}

TEST_CASE("ring: a receive that starves for buffers loses nothing and goes on") {
  const auto ring = make_ring({.sockets_max = 4,
                               .receive_buffers = 2,
                               .receive_buffer_bytes = 64,
                               .submission_entries = 4});
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  const std::string said = numbered(20'000);
  pair.peer.say(said);
  ring->receive(pair.handle, 1);
  const auto all = wait_until(*ring, [&](const std::vector<Kept>& seen) {
    return received_data(seen, 1).size() >= said.size();
  });
  CHECK(received_data(all, 1) == said);
  CHECK(std::all_of(all.begin(), all.end(), [](const Kept& kept) { return kept.more; }));
  CHECK(ring->counters().receive_buffers_exhausted > 0);
  pair.peer.say("still there");
  CHECK(received_data(wait_until(*ring, count_of(1)), 1) == "still there");
  pair.peer.close();
  CHECK(the_one(wait_until(*ring, count_of(1)), Operation::receive).result == 0);
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: sockets that starve together keep their streams apart") {
  const auto ring = make_ring({.sockets_max = 8,
                               .receive_buffers = 4,
                               .receive_buffer_bytes = 128,
                               .submission_entries = 4});
  const Listener listener = make_listener();
  std::vector<Pair> pairs;
  std::vector<std::string> said;
  for (Owner owner = 0; owner < 8; ++owner) {
    pairs.push_back(connect_pair(*ring, listener, owner));
    said.push_back(std::to_string(owner) + ":" + numbered(5000));
  }
  for (Owner owner = 0; owner < 8; ++owner) {
    pairs[owner].peer.say(said[owner]);
    pairs[owner].peer.close();
    ring->receive(pairs[owner].handle, owner);
  }
  const auto all = wait_until(*ring, [](const std::vector<Kept>& seen) {
    return std::count_if(seen.begin(), seen.end(), [](const Kept& kept) { return !kept.more; }) ==
           8;
  });
  for (Owner owner = 0; owner < 8; ++owner) {
    CHECK(received_data(all, owner) == said[owner]);
    close_handle(*ring, pairs[owner].handle, owner);
  }
}

TEST_CASE("ring: a send of megabytes completes whole, once") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  const std::string octets = numbered(8u << 20);
  ring->send(pair.handle, octets, 1);
  std::string heard;
  std::thread reader([&] { heard = pair.peer.hear(octets.size()); });
  const auto all = wait_until(*ring, count_of(1));
  reader.join();
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(octets.size()));
  CHECK(heard == octets);
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: a send that breaks off in its middle is a failure, not a short count") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  const std::string octets(32u << 20, 'x');
  ring->send(pair.handle, octets, 1);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 50ms).empty());
  CHECK(pair.peer.hear(1000).size() == 1000);
  pair.peer.reset();
  const auto all = wait_until(*ring, count_of(1));
  CHECK(the_one(all, Operation::send).result < 0);
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: close ends what is under way, each with a completion") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 5);
  const std::string octets(32u << 20, 'x');
  ring->receive(pair.handle, 5);
  ring->send(pair.handle, octets, 5);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 50ms).empty());
  ring->close(pair.handle, 5);
  const auto all = wait_until(*ring, count_of(3));
  CHECK(all.size() == 3);
  CHECK(the_one(all, Operation::close).result == 0);
  CHECK(the_one(all, Operation::receive).result == -ECANCELED);
  CHECK_FALSE(the_one(all, Operation::receive).more);
  CHECK(the_one(all, Operation::send).result < 0);
  for (const Kept& kept : all) {
    CHECK(kept.owner == 5);
  }
}

TEST_CASE("ring: close of what was prepared in the same turn") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 5);
  const std::string octets = "QUIT\r\n";
  ring->receive(pair.handle, 5);
  ring->send(pair.handle, octets, 5);
  ring->close(pair.handle, 5);
  const auto all = wait_until(*ring, count_of(3));
  CHECK(all.size() == 3);
  CHECK(the_one(all, Operation::close).result == 0);
  CHECK(the_one(all, Operation::receive).result == -ECANCELED);
  // The send came first and had room.
  CHECK(the_one(all, Operation::send).result == 6);
  CHECK(pair.peer.hear(6) == octets);
  CHECK(pair.peer.at_end());
}

TEST_CASE("ring: close of a connect that hangs") {
  const auto ring = make_ring();
  // A queue of one that is full drops whoever comes.
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SocketAddress address = io::address_of_literal("127.0.0.1", 0).value();
  auto* const generic = reinterpret_cast<sockaddr*>(&address.storage);
  REQUIRE(::bind(descriptor, generic, address.length) == 0);
  REQUIRE(::listen(descriptor, 0) == 0);
  REQUIRE(::getsockname(descriptor, generic, &address.length) == 0);
  std::vector<Handle> handles;
  for (Owner owner = 0; owner < 6; ++owner) {
    handles.push_back(ring->open(address).value());
    ring->connect(handles.back(), address, owner);
  }
  static_cast<void>(wait_once(*ring, std::chrono::steady_clock::now() + 100ms));
  for (Owner owner = 0; owner < 6; ++owner) {
    ring->close(handles[owner], owner);
  }
  const auto all = wait_until(*ring, [](const std::vector<Kept>& seen) {
    return std::count_if(seen.begin(), seen.end(),
                         [](const Kept& kept) { return kept.operation == Operation::close; }) ==
               6 &&
           seen.size() >= 9;
  });
  CHECK(std::any_of(all.begin(), all.end(), [](const Kept& kept) {
    return kept.operation == Operation::connect && kept.result == -ECANCELED;
  }));
  ::close(descriptor);
}

TEST_CASE("ring: a receive that starved when its socket is closed ends once") {
  for (int round = 0; round < 20; ++round) {
    const auto ring = make_ring({.sockets_max = 2,
                                 .receive_buffers = 2,
                                 .receive_buffer_bytes = 64,
                                 .submission_entries = 4});
    const Listener listener = make_listener();
    Pair pair = connect_pair(*ring, listener, 1);
    pair.peer.say(numbered(5000));
    ring->receive(pair.handle, 1);
    for (int turn = 0; turn < round; ++turn) {
      static_cast<void>(wait_once(*ring, std::chrono::steady_clock::now() + 1ms));
    }
    ring->close(pair.handle, 1);
    const auto all = wait_until(*ring, [](const std::vector<Kept>& seen) {
      const auto ended = [](const Kept& kept) { return !kept.more; };
      return std::count_if(seen.begin(), seen.end(), ended) >= 2;
    });
    for (const Kept& kept : all) {
      CHECK(kept.more == (kept.operation == Operation::receive && kept.result > 0));
    }
    CHECK(the_one(all, Operation::close).result == 0);
    // Nothing of the old socket comes behind its end.
    CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 5ms).empty());
    const Pair next = connect_pair(*ring, listener, 2);
    close_handle(*ring, next.handle, 2);
  }
}

TEST_CASE("ring: a wake from another thread ends a wait, and one from before the next") {
  const auto ring = make_ring();
  for (int round = 0; round < 20; ++round) {
    std::thread other([&] { ring->wake(); });
    const auto all = wait_until(*ring, count_of(1));
    other.join();
    CHECK(the_one(all, Operation::wake).result >= 0);
  }
  ring->wake();
  CHECK(the_one(wait_until(*ring, count_of(1)), Operation::wake).result >= 0);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 5ms).empty());
}

TEST_CASE("ring: a wake reaches a wait that would never end") {
  const auto ring = make_ring();
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    ring->wake();
  });
  const auto all = wait_once(*ring, never);
  other.join();
  REQUIRE(all.size() == 1);
  CHECK(all[0].operation == Operation::wake);
}

TEST_CASE("ring: many wakes are few completions") {
  const auto ring = make_ring();
  for (int i = 0; i < 1000; ++i) {
    ring->wake();
  }
  CHECK(wait_until(*ring, count_of(1)).size() == 1);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 5ms).empty());
}

TEST_CASE("ring: a wait ends at its deadline, and at once when that has passed") {
  const auto ring = make_ring();
  const Instant before = std::chrono::steady_clock::now();
  CHECK(wait_once(*ring, before + 30ms).empty());
  CHECK(std::chrono::steady_clock::now() >= before + 30ms);
  CHECK(ring->now() >= before + 30ms);
  const Instant later = std::chrono::steady_clock::now();
  CHECK(wait_once(*ring, later - 1h).empty());
  CHECK(std::chrono::steady_clock::now() < later + 20s);
}

TEST_CASE("ring: what arrived before a deadline in the past is still reported") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*ring, listener, 1);
  ring->receive(pair.handle, 1);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() - 1s).empty());
  pair.peer.say("x");
  CHECK(received_data(wait_once(*ring, std::chrono::steady_clock::now() - 1s), 1) == "x");
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: sockets are bounded, and come back when they are closed") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  std::vector<Handle> handles;
  for (std::uint32_t i = 0; i < small_ring.sockets_max; ++i) {
    const auto handle = ring->open(listener.address());
    REQUIRE(handle);
    CHECK(std::find(handles.begin(), handles.end(), *handle) == handles.end());
    handles.push_back(*handle);
  }
  const auto none = ring->open(listener.address());
  REQUIRE_FALSE(none);
  CHECK(none.error().error_number == ENFILE);
  close_handle(*ring, handles[5], 1);
  const auto again = ring->open(listener.address());
  REQUIRE(again);
  CHECK(*again == handles[5]);
}

TEST_CASE("ring: more operations than the queue has entries, and more completions than one wait") {
  constexpr std::uint32_t count = 1100;
  const auto ring = make_ring({.sockets_max = count,
                               .receive_buffers = 2,
                               .receive_buffer_bytes = 64,
                               .submission_entries = 8});
  SocketAddress address;
  {
    const Listener listener = make_listener();
    address = listener.address();
  }
  std::vector<Handle> handles;
  for (Owner owner = 0; owner < count; ++owner) {
    handles.push_back(ring->open(address).value());
    ring->connect(handles.back(), address, owner);
  }
  auto all = wait_until(*ring, count_of(count));
  std::map<Owner, int> seen;
  for (const Kept& kept : all) {
    CHECK(kept.result == -ECONNREFUSED);
    ++seen[kept.owner];
  }
  CHECK(seen.size() == count);
  for (Owner owner = 0; owner < count; ++owner) {
    ring->close(handles[owner], owner);
  }
  all = wait_until(*ring, count_of(count));
  CHECK(all.size() == count);
  CHECK(ring->counters().completion_overflows == 0);
  CHECK(ring->open(address));
}

TEST_CASE("ring: many more arrivals than its completion queue holds are all reported, in order") {
  // Four sockets make a completion queue of 32 entries at most, and each arrival of one octet takes
  // an entry and a buffer.
  const auto ring = make_ring({.sockets_max = 4,
                               .receive_buffers = 512,
                               .receive_buffer_bytes = 16,
                               .submission_entries = 8});
  const Listener listener = make_listener();
  std::vector<Pair> pairs;
  for (Owner owner = 0; owner < 4; ++owner) {
    pairs.push_back(connect_pair(*ring, listener, owner));
    ring->receive(pairs.back().handle, owner);
  }
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 1ms).empty());
  const std::string octets = numbered(16 * 120);
  for (const Pair& pair : pairs) {
    pair.peer.say(octets);
  }
  const auto all = wait_until(*ring, [&](const std::vector<Kept>& seen) {
    return received_data(seen, 0).size() + received_data(seen, 1).size() +
               received_data(seen, 2).size() + received_data(seen, 3).size() ==
           4 * octets.size();
  });
  for (Owner owner = 0; owner < 4; ++owner) {
    CHECK(received_data(all, owner) == octets);
  }
  CHECK(all.size() >= 4 * 120);
  CHECK(std::all_of(all.begin(), all.end(), [](const Kept& kept) { return kept.more; }));
}

TEST_CASE("ring: a peer who takes a little at a time gets all of it, and it completes once") {
  const auto ring = make_ring();
  const Listener listener = make_listener();
  const int tiny = 1;  // the kernel makes it its least
  REQUIRE(::setsockopt(listener.descriptor(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)) == 0);
  Pair pair = connect_pair(*ring, listener, 1);
  const std::string octets = numbered(4u << 20);
  ring->send(pair.handle, octets, 1);
  std::string heard;
  std::thread reader([&] {
    constexpr std::size_t piece = 700;
    for (std::size_t got = 1; got > 0 && heard.size() < octets.size();) {
      const std::string more = pair.peer.hear(std::min(piece, octets.size() - heard.size()));
      heard += more;
      got = more.size();
    }
  });
  const auto all = wait_until(*ring, count_of(1));
  reader.join();
  CHECK(all.size() == 1);
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(octets.size()));
  CHECK(heard == octets);
  close_handle(*ring, pair.handle, 1);
}

TEST_CASE("ring: a limit on open files makes the table smaller, and is no error") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The hard one, too: liburing raises the other. Whoever is not root cannot go back.
  const rlimit limited{40, 40};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limited) == 0);
  RingOptions options = small_ring;
  options.sockets_max = 1000;
  const auto ring = Ring::create(options);
  const Listener listener = make_listener();
  REQUIRE(ring);
  std::uint32_t opened = 0;
  while ((*ring)->open(listener.address())) {
    ++opened;
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK((*ring)->sockets_max() == 40);
  CHECK(opened == 40);
}

TEST_CASE("ring: a listening ring accepts, serves and closes more than its table holds") {
  const auto ring = make_ring({.sockets_max = 4,
                               .receive_buffers = 4,
                               .receive_buffer_bytes = 64,
                               .submission_entries = 4});
  const Listener listener = make_listener();
  constexpr Owner door = 99;
  ring->accept(listener.descriptor(), door);
  for (Owner round = 0; round < 20; ++round) {
    const auto other = make_ring();
    const Handle theirs = other->open(listener.address()).value();
    other->connect(theirs, listener.address(), 1);
    CHECK(the_one(wait_until(*other, count_of(1)), Operation::connect).result == 0);
    auto all = wait_until(*ring, count_of(1));
    const Kept accepted = the_one(all, Operation::accept);
    CHECK(accepted.owner == door);
    REQUIRE(accepted.result >= 0);
    CHECK(accepted.more);
    const auto ours = static_cast<Handle>(accepted.result);
    ring->receive(ours, round);
    const std::string greeting = "220 mx\r\n";
    ring->send(ours, greeting, round);
    CHECK(the_one(wait_until(*ring, count_of(1)), Operation::send).result == 8);
    other->receive(theirs, 1);
    CHECK(received_data(wait_until(*other, count_of(1)), 1) == greeting);
    close_handle(*other, theirs, 1);
    CHECK(the_one(wait_until(*ring, count_of(1)), Operation::receive).result == 0);
    close_handle(*ring, ours, round);
  }
}

TEST_CASE("ring: it knows the date and its library, and counts") {
  const auto ring = make_ring();
  const std::uint64_t enters = ring->counters().enters;
  static_cast<void>(wait_once(*ring, std::chrono::steady_clock::now() + 1ms));
  CHECK(ring->counters().enters == enters + 1);
  CHECK(ring->unix_time_us() > 1'600'000'000'000'000);
  const std::string version = Ring::library_version();
  CHECK(version.find('.') != std::string::npos);
  CHECK(version.find_first_not_of("0123456789.") == std::string::npos);
}

TEST_CASE("ring: one that goes with operations under way takes them along") {
  const Listener listener = make_listener();
  const std::string octets(32u << 20, 'x');
  auto ring = make_ring();
  Pair pair = connect_pair(*ring, listener, 1);
  ring->receive(pair.handle, 1);
  ring->send(pair.handle, octets, 1);
  CHECK(wait_once(*ring, std::chrono::steady_clock::now() + 10ms).empty());
  ring.reset();
  SUCCEED("nothing to be seen but by a sanitizer");
}
