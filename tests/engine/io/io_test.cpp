// What io.h promises, kept by the ring and by epoll: each claim is tried with both.
#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <vector>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/engine/io/socket_pair.h"

namespace ringpost::io::test {

TEMPLATE_TEST_CASE("io: connect, send, receive, end of stream, close", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 7);

  const std::string hello = "EHLO client.example\r\n";
  sockets->send(pair.handle, hello, 7);
  sockets->receive(pair.handle, 7);
  auto all = wait_until(*sockets, count_of(1));
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(hello.size()));
  CHECK(pair.peer.hear(hello.size()) == hello);

  for (const char* const said : {"250-mx\r\n", "250 SIZE\r\n"}) {
    pair.peer.say(said);
    all = wait_until(*sockets, count_of(1));
    REQUIRE(all.size() == 1);
    CHECK(all[0].owner == 7);
    CHECK(all[0].operation == Operation::receive);
    CHECK(all[0].data == said);
    CHECK(all[0].result == static_cast<std::int32_t>(all[0].data.size()));
    CHECK(all[0].more);
  }

  pair.peer.close();
  all = wait_until(*sockets, count_of(1));
  REQUIRE(all.size() == 1);
  CHECK(all[0].operation == Operation::receive);
  CHECK(all[0].result == 0);
  CHECK_FALSE(all[0].more);
  close_handle(*sockets, pair.handle, 7);
}

TEMPLATE_TEST_CASE("io: a refused connection is -ECONNREFUSED", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  SocketAddress address;
  {
    const Listener listener = make_listener();
    address = listener.address();
  }
  const Handle handle = sockets->open(address).value();
  sockets->connect(handle, address, 3);
  const auto all = wait_until(*sockets, count_of(1));
  CHECK(the_one(all, Operation::connect).result == -ECONNREFUSED);
  close_handle(*sockets, handle, 3);
}

TEMPLATE_TEST_CASE("io: a reset is an error of the receive", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  sockets->receive(pair.handle, 1);
  pair.peer.reset();
  const auto all = wait_until(*sockets, count_of(1));
  CHECK(the_one(all, Operation::receive).result == -ECONNRESET);
  CHECK_FALSE(the_one(all, Operation::receive).more);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: reset ends the connection with one, behind what was sent", "", Ring,
                   Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  sockets->receive(pair.handle, 1);
  sockets->send(pair.handle, "221", 1);
  CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::send).result == 3);
  CHECK(pair.peer.hear(3) == "221");
  sockets->reset(pair.handle);
  sockets->close(pair.handle, 1);
  CHECK(the_one(wait_until(*sockets, count_of(2)), Operation::close).result == 0);
  CHECK(pair.peer.is_reset());
}

TEMPLATE_TEST_CASE("io: a receive that starves for buffers loses nothing and goes on", "", Ring,
                   Epoll) {
  const auto sockets = io_of<TestType>({.sockets_max = 4,
                                        .receive_buffers = 2,
                                        .receive_buffer_bytes = 64,
                                        .submission_entries = 4});
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  const std::string said = numbered(20'000);
  pair.peer.say(said);
  sockets->receive(pair.handle, 1);
  const auto all = wait_until(*sockets, [&](const std::vector<Kept>& seen) {
    return received_data(seen, 1).size() >= said.size();
  });
  CHECK(received_data(all, 1) == said);
  CHECK(std::all_of(all.begin(), all.end(), [](const Kept& kept) { return kept.more; }));
  CHECK(sockets->counters().receive_buffers_exhausted > 0);
  pair.peer.say("still there");
  CHECK(received_data(wait_until(*sockets, count_of(1)), 1) == "still there");
  pair.peer.close();
  CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::receive).result == 0);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: sockets that starve together keep their streams apart", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>({.sockets_max = 8,
                                        .receive_buffers = 4,
                                        .receive_buffer_bytes = 128,
                                        .submission_entries = 4});
  const Listener listener = make_listener();
  std::vector<Pair> pairs;
  std::vector<std::string> said;
  for (Owner owner = 0; owner < 8; ++owner) {
    pairs.push_back(connect_pair(*sockets, listener, owner));
    said.push_back(std::to_string(owner) + ":" + numbered(5000));
  }
  for (Owner owner = 0; owner < 8; ++owner) {
    pairs[owner].peer.say(said[owner]);
    pairs[owner].peer.close();
    sockets->receive(pairs[owner].handle, owner);
  }
  const auto all = wait_until(*sockets, [](const std::vector<Kept>& seen) {
    return std::count_if(seen.begin(), seen.end(), [](const Kept& kept) { return !kept.more; }) ==
           8;
  });
  for (Owner owner = 0; owner < 8; ++owner) {
    CHECK(received_data(all, owner) == said[owner]);
    close_handle(*sockets, pairs[owner].handle, owner);
  }
}

TEMPLATE_TEST_CASE("io: a send of megabytes completes whole, once", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  const std::string octets = numbered(8u << 20);
  sockets->send(pair.handle, octets, 1);
  std::string heard;
  std::thread reader([&] { heard = pair.peer.hear(octets.size()); });
  const auto all = wait_until(*sockets, count_of(1));
  reader.join();
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(octets.size()));
  CHECK(heard == octets);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: a send that breaks off in its middle is a failure, not a short count", "",
                   Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  const std::string octets(32u << 20, 'x');
  sockets->send(pair.handle, octets, 1);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 50ms).empty());
  CHECK(pair.peer.hear(1000).size() == 1000);
  pair.peer.reset();
  const auto all = wait_until(*sockets, count_of(1));
  CHECK(the_one(all, Operation::send).result < 0);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: close ends what is under way, each with a completion", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 5);
  const std::string octets(32u << 20, 'x');
  sockets->receive(pair.handle, 5);
  sockets->send(pair.handle, octets, 5);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 50ms).empty());
  sockets->close(pair.handle, 5);
  const auto all = wait_until(*sockets, count_of(3));
  CHECK(all.size() == 3);
  CHECK(the_one(all, Operation::close).result == 0);
  CHECK(the_one(all, Operation::receive).result == -ECANCELED);
  CHECK_FALSE(the_one(all, Operation::receive).more);
  CHECK(the_one(all, Operation::send).result < 0);
  for (const Kept& kept : all) {
    CHECK(kept.owner == 5);
  }
}

TEMPLATE_TEST_CASE("io: close of what was prepared in the same turn", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 5);
  const std::string octets = "QUIT\r\n";
  sockets->receive(pair.handle, 5);
  sockets->send(pair.handle, octets, 5);
  sockets->close(pair.handle, 5);
  const auto all = wait_until(*sockets, count_of(3));
  CHECK(all.size() == 3);
  CHECK(the_one(all, Operation::close).result == 0);
  CHECK(the_one(all, Operation::receive).result == -ECANCELED);
  // The send came first and had room.
  CHECK(the_one(all, Operation::send).result == 6);
  CHECK(pair.peer.hear(6) == octets);
  CHECK(pair.peer.at_end());
}

TEMPLATE_TEST_CASE("io: close of a connect that hangs", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  // A queue of one that is full drops whoever comes.
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SocketAddress address = address_of_literal("127.0.0.1", 0).value();
  auto* const generic = reinterpret_cast<sockaddr*>(&address.storage);
  REQUIRE(::bind(descriptor, generic, address.length) == 0);
  REQUIRE(::listen(descriptor, 0) == 0);
  REQUIRE(::getsockname(descriptor, generic, &address.length) == 0);
  std::vector<Handle> handles;
  for (Owner owner = 0; owner < 6; ++owner) {
    handles.push_back(sockets->open(address).value());
    sockets->connect(handles.back(), address, owner);
  }
  static_cast<void>(wait_once(*sockets, std::chrono::steady_clock::now() + 100ms));
  for (Owner owner = 0; owner < 6; ++owner) {
    sockets->close(handles[owner], owner);
  }
  const auto all = wait_until(*sockets, [](const std::vector<Kept>& seen) {
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

TEMPLATE_TEST_CASE("io: a receive that starved when its socket is closed ends once", "", Ring,
                   Epoll) {
  for (int round = 0; round < 20; ++round) {
    const auto sockets = io_of<TestType>({.sockets_max = 2,
                                          .receive_buffers = 2,
                                          .receive_buffer_bytes = 64,
                                          .submission_entries = 4});
    const Listener listener = make_listener();
    Pair pair = connect_pair(*sockets, listener, 1);
    pair.peer.say(numbered(5000));
    sockets->receive(pair.handle, 1);
    for (int turn = 0; turn < round; ++turn) {
      static_cast<void>(wait_once(*sockets, std::chrono::steady_clock::now() + 1ms));
    }
    sockets->close(pair.handle, 1);
    const auto all = wait_until(*sockets, [](const std::vector<Kept>& seen) {
      const auto ended = [](const Kept& kept) { return !kept.more; };
      return std::count_if(seen.begin(), seen.end(), ended) >= 2;
    });
    for (const Kept& kept : all) {
      CHECK(kept.more == (kept.operation == Operation::receive && kept.result > 0));
    }
    CHECK(the_one(all, Operation::close).result == 0);
    // Nothing of the old socket comes behind its end.
    CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 5ms).empty());
    const Pair next = connect_pair(*sockets, listener, 2);
    close_handle(*sockets, next.handle, 2);
  }
}

TEMPLATE_TEST_CASE("io: a wake from another thread ends a wait, and one from before the next", "",
                   Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  for (int round = 0; round < 20; ++round) {
    std::thread other([&] { sockets->wake(); });
    const auto all = wait_until(*sockets, count_of(1));
    other.join();
    CHECK(the_one(all, Operation::wake).result >= 0);
  }
  sockets->wake();
  CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::wake).result >= 0);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 5ms).empty());
}

TEMPLATE_TEST_CASE("io: a wake reaches a wait that would never end", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    sockets->wake();
  });
  const auto all = wait_once(*sockets, never);
  other.join();
  REQUIRE(all.size() == 1);
  CHECK(all[0].operation == Operation::wake);
}

TEMPLATE_TEST_CASE("io: many wakes are few completions", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  for (int i = 0; i < 1000; ++i) {
    sockets->wake();
  }
  CHECK(wait_until(*sockets, count_of(1)).size() == 1);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 5ms).empty());
}

TEMPLATE_TEST_CASE("io: a wait ends at its deadline, and at once when that has passed", "", Ring,
                   Epoll) {
  const auto sockets = io_of<TestType>();
  const Instant before = std::chrono::steady_clock::now();
  CHECK(wait_once(*sockets, before + 30ms).empty());
  CHECK(std::chrono::steady_clock::now() >= before + 30ms);
  CHECK(sockets->now() >= before + 30ms);
  const Instant later = std::chrono::steady_clock::now();
  CHECK(wait_once(*sockets, later - 1h).empty());
  CHECK(std::chrono::steady_clock::now() < later + 20s);
}

TEMPLATE_TEST_CASE("io: what arrived before a deadline in the past is still reported", "", Ring,
                   Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  sockets->receive(pair.handle, 1);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() - 1s).empty());
  pair.peer.say("x");
  CHECK(received_data(wait_once(*sockets, std::chrono::steady_clock::now() - 1s), 1) == "x");
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: sockets are bounded, and come back when they are closed", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  std::vector<Handle> handles;
  for (std::uint32_t i = 0; i < small_io.sockets_max; ++i) {
    const auto handle = sockets->open(listener.address());
    REQUIRE(handle);
    CHECK(std::find(handles.begin(), handles.end(), *handle) == handles.end());
    handles.push_back(*handle);
  }
  const auto none = sockets->open(listener.address());
  REQUIRE_FALSE(none);
  CHECK(none.error().error_number == ENFILE);
  close_handle(*sockets, handles[5], 1);
  const auto again = sockets->open(listener.address());
  REQUIRE(again);
  CHECK(*again == handles[5]);
}

TEMPLATE_TEST_CASE(
    "io: more operations than the queue has entries, and more completions than one wait", "", Ring,
    Epoll) {
  constexpr std::uint32_t count = 1100;
  const auto sockets = io_of<TestType>({.sockets_max = count,
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
    handles.push_back(sockets->open(address).value());
    sockets->connect(handles.back(), address, owner);
  }
  auto all = wait_until(*sockets, count_of(count));
  std::map<Owner, int> seen;
  for (const Kept& kept : all) {
    CHECK(kept.result == -ECONNREFUSED);
    ++seen[kept.owner];
  }
  CHECK(seen.size() == count);
  for (Owner owner = 0; owner < count; ++owner) {
    sockets->close(handles[owner], owner);
  }
  all = wait_until(*sockets, count_of(count));
  CHECK(all.size() == count);
  CHECK(sockets->counters().completion_overflows == 0);
  CHECK(sockets->open(address));
}

TEMPLATE_TEST_CASE(
    "io: many more arrivals than its completion queue holds are all reported, in order", "", Ring,
    Epoll) {
  // Four sockets make a completion queue of 32 entries at most, and each arrival of one octet takes
  // an entry and a buffer.
  const auto sockets = io_of<TestType>({.sockets_max = 4,
                                        .receive_buffers = 512,
                                        .receive_buffer_bytes = 16,
                                        .submission_entries = 8});
  const Listener listener = make_listener();
  std::vector<Pair> pairs;
  for (Owner owner = 0; owner < 4; ++owner) {
    pairs.push_back(connect_pair(*sockets, listener, owner));
    sockets->receive(pairs.back().handle, owner);
  }
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 1ms).empty());
  const std::string octets = numbered(16 * 120);
  for (const Pair& pair : pairs) {
    pair.peer.say(octets);
  }
  const auto all = wait_until(*sockets, [&](const std::vector<Kept>& seen) {
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

TEMPLATE_TEST_CASE("io: a peer who takes a little at a time gets all of it, and it completes once",
                   "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  const int tiny = 1;  // the kernel makes it its least
  REQUIRE(::setsockopt(listener.descriptor(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)) == 0);
  Pair pair = connect_pair(*sockets, listener, 1);
  const std::string octets = numbered(4u << 20);
  sockets->send(pair.handle, octets, 1);
  std::string heard;
  std::thread reader([&] {
    constexpr std::size_t piece = 700;
    for (std::size_t got = 1; got > 0 && heard.size() < octets.size();) {
      const std::string more = pair.peer.hear(std::min(piece, octets.size() - heard.size()));
      heard += more;
      got = more.size();
    }
  });
  const auto all = wait_until(*sockets, count_of(1));
  reader.join();
  CHECK(all.size() == 1);
  CHECK(the_one(all, Operation::send).result == static_cast<std::int32_t>(octets.size()));
  CHECK(heard == octets);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: a limit on open files makes the table smaller, and is no error", "", Ring,
                   Epoll) {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The hard one, too: liburing raises the other. Whoever is not root cannot go back.
  const rlimit limited{40, 40};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limited) == 0);
  IoOptions options = small_io;
  options.sockets_max = 1000;
  const auto sockets = TestType::create(options);
  const Listener listener = make_listener();
  REQUIRE(sockets);
  std::uint32_t opened = 0;
  while ((*sockets)->open(listener.address())) {
    ++opened;
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  // A ring's sockets are no files of the process; without one they are beside all others.
  CHECK((*sockets)->sockets_max() == opened);
  CHECK((std::is_same_v<TestType, Ring> ? opened == 40 : opened > 0 && opened < 40));
}

TEMPLATE_TEST_CASE("io: one that listens accepts, serves and closes more than its table holds", "",
                   Ring, Epoll) {
  const auto sockets = io_of<TestType>({.sockets_max = 4,
                                        .receive_buffers = 4,
                                        .receive_buffer_bytes = 64,
                                        .submission_entries = 4});
  const Listener listener = make_listener();
  constexpr Owner door = 99;
  sockets->accept(listener.descriptor(), door);
  for (Owner round = 0; round < 20; ++round) {
    const auto other = io_of<TestType>();
    const Handle theirs = other->open(listener.address()).value();
    other->connect(theirs, listener.address(), 1);
    CHECK(the_one(wait_until(*other, count_of(1)), Operation::connect).result == 0);
    auto all = wait_until(*sockets, count_of(1));
    const Kept accepted = the_one(all, Operation::accept);
    CHECK(accepted.owner == door);
    REQUIRE(accepted.result >= 0);
    CHECK(accepted.more);
    const auto ours = static_cast<Handle>(accepted.result);
    sockets->receive(ours, round);
    const std::string greeting = "220 mx\r\n";
    sockets->send(ours, greeting, round);
    CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::send).result == 8);
    other->receive(theirs, 1);
    CHECK(received_data(wait_until(*other, count_of(1)), 1) == greeting);
    close_handle(*other, theirs, 1);
    CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::receive).result == 0);
    close_handle(*sockets, ours, round);
  }
}

TEMPLATE_TEST_CASE("io: it knows the date, and counts", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const std::uint64_t before = sockets->counters().enters;
  const Instant deadline = std::chrono::steady_clock::now() + 20ms;
  CHECK(wait_once(*sockets, deadline).empty());
  // One, and more only where the kernel's wait ends early: interrupted, or by a clock of its own.
  const std::uint64_t enters = sockets->counters().enters - before;
  CHECK(enters >= 1);
  CHECK(enters < 20);
  CHECK(sockets->unix_time_us() > 1'600'000'000'000'000);
}

TEMPLATE_TEST_CASE("io: one that goes with operations under way takes them along", "", Ring,
                   Epoll) {
  const Listener listener = make_listener();
  const std::string octets(32u << 20, 'x');
  auto sockets = io_of<TestType>();
  Pair pair = connect_pair(*sockets, listener, 1);
  sockets->receive(pair.handle, 1);
  sockets->send(pair.handle, octets, 1);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 10ms).empty());
  sockets.reset();
  SUCCEED("nothing to be seen but by a sanitizer");
}

}  // namespace ringpost::io::test
