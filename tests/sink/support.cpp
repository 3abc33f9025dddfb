#include "tests/sink/support.h"

#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tls/sasl_crypto.h"

namespace ringpost::sink::test {

void CollectingObserver::accepted(const AcceptedMessage& message) {
  messages.push_back({std::string(message.sender), std::string(message.recipients), content_,
                      std::string(message.user), std::string(message.tls_version), message.bytes,
                      message.chunked});
  content_.clear();
}

SinkSession::SinkSession(const ServerOptions& options, SessionPolicy policy,
                         const FaultOptions& faults, MessageObserver* messages)
    : options_(options),
      faults_(faults),
      accounts_(account_),
      setup_{.options = &options_,
             .policy = policy,
             .accounts = &accounts_,
             .crypto = &tls::sasl_crypto(),
             .counts = &tally},
      observer_(faults_, 7, tally, messages),
      session(setup_, {.session = 7}, replies, observer_) {}

Played play(const Dialogue& dialogue, const Cut& cut) {
  Played played;
  CollectingObserver observer;
  SinkSession sink(dialogue.options, dialogue.policy, dialogue.faults, &observer);
  ServerSession& session = sink.session;
  ReplyQueue& replies = sink.replies;
  const auto read_all = [&] {
    replies.mark(Instant::min());
    const std::string text(replies.due(Instant::min()));
    replies.consume(text.size());
    session.replies_left();
    return text;
  };
  if (!dialogue.tls_version.empty()) {
    session.tls_started(dialogue.tls_version);
  }
  REQUIRE(session.greet() == Next::receive);
  REQUIRE(read_all() == "220 localhost ESMTP ringpost sink\r\n");
  for (const Exchange& exchange : dialogue.exchanges) {
    cut(exchange.says, [&](Bytes piece) {
      if (played.next == Next::receive) {
        played.next = session.receive(piece);
      }
    });
    played.heard.push_back(read_all());
  }
  session.connection_lost();
  played.messages = observer.messages;
  played.tally = sink.tally;
  played.has_quit = session.has_quit();
  return played;
}

Played play(const Dialogue& dialogue) {
  return play(dialogue, [](Bytes octets, const auto& take) { take(octets); });
}

void require_same(const Played& whole, const Played& other) {
  REQUIRE(other.heard == whole.heard);
  REQUIRE(other.next == whole.next);
  REQUIRE(other.tally.counts == whole.tally.counts);
  REQUIRE(other.tally.violations == whole.tally.violations);
  REQUIRE(other.tally.faults == whole.tally.faults);
  REQUIRE(other.messages.size() == whole.messages.size());
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    REQUIRE(other.messages[i].content == whole.messages[i].content);
    REQUIRE(other.messages[i].recipients == whole.messages[i].recipients);
    REQUIRE(other.messages[i].bytes == whole.messages[i].bytes);
  }
}

Played require_dialogue(const Dialogue& dialogue) {
  Played whole = play(dialogue);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < dialogue.exchanges.size(); ++i) {
    INFO("exchange " << i << ", client says: " << dialogue.exchanges[i].says.substr(0, 400));
    REQUIRE(whole.heard[i] == dialogue.exchanges[i].hears);
    longest = std::max(longest, dialogue.exchanges[i].says.size());
  }
  INFO("octet by octet");
  require_same(whole, play(dialogue, [](Bytes octets, const auto& take) {
                 for (std::size_t i = 0; i < octets.size(); ++i) {
                   take(octets.substr(i, 1));
                 }
               }));
  for (std::size_t at = 1; at < longest; ++at) {
    INFO("cut at octet " << at);
    require_same(whole, play(dialogue, [at](Bytes octets, const auto& take) {
                   take(octets.substr(0, at));
                   if (at < octets.size()) {
                     take(octets.substr(at));
                   }
                 }));
  }
  return whole;
}

}  // namespace ringpost::sink::test
