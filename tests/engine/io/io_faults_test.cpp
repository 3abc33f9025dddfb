// Peers that do what they should not, and more of them than is convenient: what io.h promises holds
// for the ring and for epoll alike.
#include <algorithm>
#include <set>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/engine/io/socket_pair.h"

namespace ringpost::io::test {

namespace {

std::size_t count_of_operation(const std::vector<Kept>& all, Operation operation) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(),
                    [operation](const Kept& kept) { return kept.operation == operation; }));
}

}  // namespace

TEMPLATE_TEST_CASE("io: a peer who has said all still hears", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  sockets->receive(pair.handle, 1);
  pair.peer.say("QUIT\r\n");
  pair.peer.end_stream();
  const auto heard = wait_until(*sockets, count_of(2));
  CHECK(received_data(heard, 1) == "QUIT\r\n");
  CHECK(heard.back().result == 0);
  CHECK_FALSE(heard.back().more);
  sockets->send(pair.handle, "221 bye\r\n", 1);
  CHECK(the_one(wait_until(*sockets, count_of(1)), Operation::send).result == 9);
  CHECK(pair.peer.hear(9) == "221 bye\r\n");
  close_handle(*sockets, pair.handle, 1);
  CHECK(pair.peer.at_end());
}

TEMPLATE_TEST_CASE("io: the end of a stream comes behind all of its octets", "", Ring, Epoll) {
  const Listener listener = make_listener();
  // Around the size of a buffer, where a read that fills it tells nothing of what is behind it.
  for (const std::size_t size : {1u, 255u, 256u, 257u, 512u, 5000u}) {
    const auto sockets = io_of<TestType>();
    Pair pair = connect_pair(*sockets, listener, 1);
    const std::string said = numbered(size);
    pair.peer.say(said);
    pair.peer.close();
    sockets->receive(pair.handle, 1);
    const auto all = wait_until(
        *sockets, [](const std::vector<Kept>& seen) { return !seen.empty() && !seen.back().more; });
    CHECK(received_data(all, 1) == said);
    CHECK(all.back().result == 0);
    close_handle(*sockets, pair.handle, 1);
  }
}

TEMPLATE_TEST_CASE("io: a reset ends a send that waits for room, and the receive", "", Ring,
                   Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  Pair pair = connect_pair(*sockets, listener, 1);
  const std::string octets(32u << 20, 'x');
  sockets->receive(pair.handle, 1);
  sockets->send(pair.handle, octets, 1);
  CHECK(wait_once(*sockets, std::chrono::steady_clock::now() + 20ms).empty());
  pair.peer.reset();
  const auto all = wait_until(*sockets, count_of(2));
  CHECK(the_one(all, Operation::send).result < 0);
  CHECK(the_one(all, Operation::receive).result <= 0);
  CHECK_FALSE(the_one(all, Operation::receive).more);
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: of many whose sockets are full only who reads goes on", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  const std::string octets = numbered(16u << 20);
  std::vector<Pair> pairs;
  for (Owner owner = 0; owner < 5; ++owner) {
    pairs.push_back(connect_pair(*sockets, listener, owner));
  }
  for (Owner owner = 0; owner < 5; ++owner) {
    sockets->send(pairs[owner].handle, octets, owner);
  }
  // What is full is waited for: a wait ends at its deadline, and has not asked again and again.
  const std::uint64_t enters = sockets->counters().enters;
  const Instant deadline = std::chrono::steady_clock::now() + 50ms;
  CHECK(wait_once(*sockets, deadline).empty());
  CHECK(std::chrono::steady_clock::now() >= deadline);
  CHECK(sockets->counters().enters <= enters + 6);
  std::string heard;
  std::thread reader([&] { heard = pairs[3].peer.hear(octets.size()); });
  const auto all = wait_until(*sockets, count_of(1));
  reader.join();
  REQUIRE(all.size() == 1);
  CHECK(all[0].owner == 3);
  CHECK(all[0].result == static_cast<std::int32_t>(octets.size()));
  CHECK(heard == octets);
  for (Owner owner = 0; owner < 5; ++owner) {
    sockets->close(pairs[owner].handle, owner);
  }
  const auto ended = wait_until(*sockets, count_of(9));
  CHECK(count_of_operation(ended, Operation::close) == 5);
  CHECK(std::all_of(ended.begin(), ended.end(), [](const Kept& kept) {
    return kept.operation == Operation::close ? kept.result == 0 : kept.result == -ECANCELED;
  }));
}

TEMPLATE_TEST_CASE("io: octets that nobody receives do not keep it awake", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>();
  const Listener listener = make_listener();
  const Pair pair = connect_pair(*sockets, listener, 1);
  pair.peer.say("220 early\r\n");
  for (int round = 0; round < 3; ++round) {
    const Instant deadline = std::chrono::steady_clock::now() + 10ms;
    CHECK(wait_once(*sockets, deadline).empty());
    CHECK(std::chrono::steady_clock::now() >= deadline);
  }
  sockets->receive(pair.handle, 1);
  CHECK(received_data(wait_until(*sockets, count_of(1)), 1) == "220 early\r\n");
  close_handle(*sockets, pair.handle, 1);
}

TEMPLATE_TEST_CASE("io: who says little is heard beside who says much", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>({.sockets_max = 4,
                                        .receive_buffers = 2,
                                        .receive_buffer_bytes = 64,
                                        .submission_entries = 4});
  const Listener listener = make_listener();
  const Pair loud = connect_pair(*sockets, listener, 1);
  const Pair quiet = connect_pair(*sockets, listener, 2);
  loud.peer.say(numbered(200'000));  // as much as lies ready at a time, and 3,000 buffers' worth
  sockets->receive(loud.handle, 1);
  sockets->receive(quiet.handle, 2);
  CHECK(received_data(wait_until(*sockets, count_of(10)), 1).size() >= 640);
  quiet.peer.say("here");
  std::string heard;
  for (int turn = 0; turn < 20 && heard.empty(); ++turn) {
    heard = received_data(wait_once(*sockets, std::chrono::steady_clock::now() + 1s), 2);
  }
  CHECK(heard == "here");
}

TEMPLATE_TEST_CASE("io: a handle that is used again hears nothing of who had it", "", Ring, Epoll) {
  const auto sockets = io_of<TestType>({.sockets_max = 1,
                                        .receive_buffers = 2,
                                        .receive_buffer_bytes = 64,
                                        .submission_entries = 4});
  const Listener listener = make_listener();
  for (Owner round = 0; round < 50; ++round) {
    Pair pair = connect_pair(*sockets, listener, round);
    sockets->receive(pair.handle, round);
    if (round % 3 == 0) {
      static_cast<void>(wait_once(*sockets, std::chrono::steady_clock::now()));
    }
    pair.peer.say("too late " + std::to_string(round));
    if (round % 2 == 0) {
      pair.peer.reset();
    }
    sockets->close(pair.handle, round);
    std::size_t closes = 0;
    for (const Kept& kept : wait_until(*sockets, [&](const std::vector<Kept>& seen) {
           return std::count_if(seen.begin(), seen.end(),
                                [](const Kept& one) { return !one.more; }) == 2;
         })) {
      CHECK(kept.owner == round);
      closes += kept.operation == Operation::close ? 1u : 0u;
    }
    CHECK(closes == 1);
  }
}

TEMPLATE_TEST_CASE("io: a thousand sessions at a time, each with its own words", "", Ring, Epoll) {
  constexpr std::uint32_t count = 1000;
  constexpr IoOptions options = {.sockets_max = count,
                                 .receive_buffers = 16,
                                 .receive_buffer_bytes = 64,
                                 .submission_entries = 64};
  const auto server = io_of<TestType>(options);
  const auto client = io_of<TestType>(options);
  const Listener listener = make_listener();
  server->accept(listener.descriptor(), 0);
  std::vector<Handle> handles;
  std::vector<std::string> words;  // of each client, and what the server says back
  std::set<Owner> connected;
  for (Owner owner = 0; owner < count; ++owner) {
    handles.push_back(client->open(listener.address()).value());
    words.push_back("EHLO " + std::to_string(owner) + "\r\n");
    client->connect(handles.back(), listener.address(), owner);
  }
  std::vector<std::string> said_back(count);
  std::vector<std::string> echoes(count);  // by the server's handles
  std::size_t answered = 0;
  const Instant give_up = std::chrono::steady_clock::now() + 100s;
  while (answered < count && std::chrono::steady_clock::now() < give_up) {
    for (const Completion& completion : client->wait(std::chrono::steady_clock::now() + 1ms)) {
      if (completion.operation == Operation::connect) {
        REQUIRE(completion.result == 0);
        connected.insert(completion.owner);
        client->receive(completion.handle, completion.owner);
        client->send(completion.handle, words[completion.owner], completion.owner);
      } else if (completion.operation == Operation::receive) {
        REQUIRE(completion.result > 0);
        said_back[completion.owner] += completion.data;
        answered += said_back[completion.owner] == words[completion.owner] ? 1u : 0u;
      }
    }
    for (const Completion& completion : server->wait(std::chrono::steady_clock::now() + 1ms)) {
      if (completion.operation == Operation::accept) {
        REQUIRE(completion.result >= 0);
        server->receive(static_cast<Handle>(completion.result),
                        static_cast<Owner>(completion.result));
      } else if (completion.operation == Operation::receive) {
        REQUIRE(completion.result > 0);
        echoes[completion.owner] = completion.data;
        server->send(completion.handle, echoes[completion.owner], completion.owner);
      }
    }
  }
  CHECK(connected.size() == count);
  CHECK(said_back == words);
  for (Owner owner = 0; owner < count; ++owner) {
    client->close(handles[owner], owner);
  }
  CHECK(count_of_operation(wait_until(*client, count_of(std::size_t{2} * count)),
                           Operation::close) == count);
}

TEST_CASE("epoll: who finds no room waits at the door until there is some") {
  const auto server = io_of<Epoll>({.sockets_max = 2,
                                    .receive_buffers = 2,
                                    .receive_buffer_bytes = 64,
                                    .submission_entries = 4});
  const auto client = io_of<Epoll>();
  const Listener listener = make_listener();
  server->accept(listener.descriptor(), 7);
  for (Owner owner = 0; owner < 3; ++owner) {
    client->connect(client->open(listener.address()).value(), listener.address(), owner);
  }
  CHECK(wait_until(*client, count_of(3)).size() == 3);
  const auto all = wait_until(*server, count_of(3));
  REQUIRE(all.size() == 3);
  CHECK(all[0].more);
  CHECK(all[1].more);
  CHECK(all[2].result == -ENFILE);
  CHECK_FALSE(all[2].more);
  CHECK(wait_once(*server, std::chrono::steady_clock::now() + 5ms).empty());
  close_handle(*server, static_cast<Handle>(all[0].result), 0);
  server->accept(listener.descriptor(), 7);
  const Kept last = the_one(wait_until(*server, count_of(1)), Operation::accept);
  CHECK(last.result == all[0].result);
  CHECK(last.more);
}

}  // namespace ringpost::io::test
