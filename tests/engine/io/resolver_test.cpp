#include "engine/io/resolver.h"

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using io::Resolver;

namespace {

// Asserts on this thread only: Catch2 has no assertions for others.
Resolver::Answer answer_of(Resolver& resolver, const std::string& host, std::uint16_t port) {
  auto promise = std::make_shared<std::promise<Resolver::Answer>>();
  std::future<Resolver::Answer> future = promise->get_future();
  resolver.resolve(host, port,
                   [promise](Resolver::Answer answer) { promise->set_value(std::move(answer)); });
  REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  return future.get();
}

}  // namespace

TEST_CASE("resolver: IP literals are answered as they stand") {
  Resolver resolver;
  const auto v4 = answer_of(resolver, "192.0.2.7", 587);
  REQUIRE(v4);
  REQUIRE(v4->size() == 1);
  CHECK(v4->front().text() == "192.0.2.7:587");
  for (const char* const literal : {"2001:db8::7", "[2001:db8::7]"}) {
    const auto v6 = answer_of(resolver, literal, 465);
    REQUIRE(v6);
    REQUIRE(v6->size() == 1);
    CHECK(v6->front().text() == "[2001:db8::7]:465");
  }
}

TEST_CASE("resolver: localhost is found, with the port that was asked for") {
  Resolver resolver;
  const auto answer = answer_of(resolver, "localhost", 2525);
  REQUIRE(answer);
  REQUIRE(!answer->empty());
  for (const io::SocketAddress& address : *answer) {
    CHECK((address.text() == "127.0.0.1:2525" || address.text() == "[::1]:2525"));
  }
}

TEST_CASE("resolver: a name with a dot at its end is the same name, also where files have it") {
  Resolver resolver;
  const auto answer = answer_of(resolver, "localhost.", 2525);
  REQUIRE(answer);
  CHECK(answer->size() == answer_of(resolver, "localhost", 2525)->size());
  REQUIRE_FALSE(answer_of(resolver, ".", 25));
}

TEST_CASE("resolver: what cannot be a name is an error that quotes it") {
  Resolver resolver;
  const auto answer = answer_of(resolver, "no..such..name", 25);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.find("\"no..such..name\"") != std::string::npos);
}

TEST_CASE("resolver: answers come in the order of the questions, on a thread of its own") {
  Resolver resolver;
  std::vector<int> order;
  std::promise<std::thread::id> last;
  std::future<std::thread::id> thread = last.get_future();
  for (int i = 0; i < 20; ++i) {
    resolver.resolve("192.0.2.1", 25, [&order, &last, i](const Resolver::Answer&) {
      order.push_back(i);
      if (i == 19) {
        last.set_value(std::this_thread::get_id());
      }
    });
  }
  REQUIRE(thread.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK(thread.get() != std::this_thread::get_id());
  CHECK(order.size() == 20);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("resolver: destroyed with questions open, it answers none of them any more") {
  for (int round = 0; round < 200; ++round) {
    auto alive = std::make_unique<bool>(true);
    bool* const flag = alive.get();
    auto resolver = std::make_unique<Resolver>();
    for (int i = 0; i < 3; ++i) {
      // A sanitizer sees an answer that comes late.
      resolver->resolve("192.0.2.1", 25, [flag](const Resolver::Answer&) { *flag = false; });
    }
    resolver.reset();
    alive.reset();
  }
  SUCCEED("no answer came behind the end");
}
