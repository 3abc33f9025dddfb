#include "engine/protocol/server_traits.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/shown.h"

using namespace ringpost;
using protocol::Pipelining;
using protocol::PipeliningKnowledge;
using protocol::ServerTraits;
using protocol::SessionOptions;

namespace {

codec::Reply hello() { return {250, {}, "mx.example", 1}; }

codec::Capabilities of_flights() {
  codec::Capabilities capabilities;
  capabilities.pipelining = capabilities.chunking = true;
  return capabilities;
}

}  // namespace

TEST_CASE("server traits: of what is announced, known and asked for the smallest limit holds") {
  SessionOptions options;
  PipeliningKnowledge known;
  ServerTraits traits(options, known);
  CHECK(traits.messages_taken_max() == 0);
  CHECK(traits.messages_max() == UINT64_MAX);
  CHECK(traits.recipients_max() == 100);
  codec::Capabilities capabilities;
  capabilities.session_messages_max = 20;
  capabilities.recipients_max = 50;
  traits.hear_hello(hello(), capabilities);
  CHECK(traits.messages_max() == 20);
  CHECK(traits.recipients_max() == 50);
  traits.note_recipients_max(10);
  traits.note_full_session(30);
  CHECK(traits.recipients_max() == 10);
  CHECK(traits.messages_taken_max() == 20);
  options.messages_max = 5;
  CHECK(traits.messages_max() == 5);
  CHECK(traits.messages_taken_max() == 20);
}

TEST_CASE("server traits: what is known already is no news, and what is new says so") {
  const SessionOptions options;
  ServerTraits traits(options, protocol::PipeliningKnowledge{});
  CHECK(traits.version() == 0);
  traits.prove_chunking();
  traits.prove(Pipelining::within);
  CHECK(traits.version() == 2);
  traits.prove_chunking();
  traits.prove(Pipelining::within);
  CHECK(traits.version() == 2);
  traits.note_passed(100);  // no session was ended
  CHECK(traits.version() == 2);
  CHECK(traits.knowledge().chunking_proven);
}

TEST_CASE("server traits: the way is what was asked for, as far as the server goes along") {
  SessionOptions options;
  ServerTraits traits(options, test::shown(Pipelining::flights));
  CHECK(traits.pipelining() == Pipelining::off);  // nothing was announced yet
  traits.hear_hello(hello(), of_flights());
  CHECK(traits.pipelining() == Pipelining::flights);
  traits.fall_back(Pipelining::across);
  CHECK(traits.pipelining() == Pipelining::across);
  options.messages_in_flight_max = 1;
  traits.note_news();
  CHECK(traits.pipelining() == Pipelining::within);
}

TEST_CASE("server traits: two ends behind as many messages are a limit, and messages beyond lift") {
  const SessionOptions options;
  PipeliningKnowledge known;
  ServerTraits first(options, known);
  first.note_end_behind_messages(7);
  CHECK(first.knowledge().session_messages == 7);
  CHECK(first.knowledge().session_messages_max == 0);
  ServerTraits second(options, first.knowledge());
  CHECK(second.has_ended_behind(7));
  second.note_end_behind_messages(7);
  CHECK(second.knowledge().session_messages_max == 7);
  ServerTraits third(options, first.knowledge());
  third.note_passed(8);
  CHECK(third.knowledge().session_messages == 7);
  third.note_passed(9);
  CHECK(third.knowledge().session_messages == 0);
}

TEST_CASE("server traits: a doubt about a step is one until it is shown") {
  const SessionOptions options;
  ServerTraits traits(options, protocol::PipeliningKnowledge{});
  PipeliningKnowledge of_others;
  of_others.doubts.steps = protocol::bit_of(Pipelining::within);
  CHECK(traits.learn(of_others));
  CHECK_FALSE(traits.learn(of_others));
  CHECK(traits.is_doubted(Pipelining::within));
  traits.prove(Pipelining::within);
  CHECK_FALSE(traits.is_doubted(Pipelining::within));
}
