// What is learnt of a server's ways: words, steps, and how sessions share them.
#include "engine/protocol/pipelining.h"

#include <catch2/catch_test_macros.hpp>

namespace ringpost {

namespace {

using protocol::Pipelining;
using protocol::PipeliningKnowledge;
using protocol::Saying;
using protocol::ServerWords;

std::size_t words(EnhancedStatus status, Bytes text) {
  return protocol::hash_of_words({250, status, text, 1});
}

void hear(ServerWords& heard, Saying saying, std::size_t hash, int times) {
  for (int i = 0; i < times; ++i) {
    heard.hear(saying, hash);
  }
}

}  // namespace

TEST_CASE("words: ids, addresses and counts do not make other words") {
  CHECK(words({2, 0, 0}, "Ok: queued as 4XyZ1") == words({2, 0, 0}, "Ok: queued as 9aBc2"));
  CHECK(words({2, 1, 0}, "a@b.example... Sender ok") == words({2, 1, 0}, "c@d.example..."));
  CHECK(words({2, 0, 0}, "Ok: queued as 4XyZ1") != words({2, 0, 0}, "Ok"));
  CHECK(words({2, 1, 0}, "Ok") != words({2, 1, 5}, "Ok"));
  CHECK(words({}, "OK id=1abc") != words({}, "OK"));
}

TEST_CASE("words: a habit of another command tells that a reply is out of place") {
  const std::size_t flushed = words({2, 1, 5}, "Flushed");
  const std::size_t taken = words({2, 0, 0}, "OK 17");
  ServerWords heard;
  hear(heard, Saying::rset, flushed, 3);
  hear(heard, Saying::end_of_data, taken, 2);
  CHECK_FALSE(heard.belongs_elsewhere(Saying::end_of_data, flushed));  // no habit of its own yet
  hear(heard, Saying::end_of_data, taken, 1);
  CHECK(heard.belongs_elsewhere(Saying::end_of_data, flushed));
  CHECK_FALSE(heard.belongs_elsewhere(Saying::end_of_data, taken));
  CHECK_FALSE(heard.belongs_elsewhere(Saying::end_of_data, words({}, "something new")));
  hear(heard, Saying::mail, words({}, "one"), 1);
  hear(heard, Saying::mail, words({}, "another"), 1);
  CHECK_FALSE(heard.belongs_elsewhere(Saying::end_of_data, flushed));  // it changes its words
}

TEST_CASE("words: what is the same for all commands tells nothing") {
  ServerWords heard;
  for (const Saying saying : {Saying::rset, Saying::mail, Saying::rcpt, Saying::end_of_data}) {
    hear(heard, saying, 7, 3);
  }
  CHECK_FALSE(heard.belongs_elsewhere(Saying::end_of_data, 7));
}

TEST_CASE("words: sessions of one make bear witness, and two that object end it") {
  const auto session = [](std::size_t server, std::size_t rcpt) {
    ServerWords words;
    words.server = server;
    hear(words, Saying::rset, 9, 2);
    hear(words, Saying::mail, 10, 3);
    hear(words, Saying::rcpt, rcpt, 3);
    hear(words, Saying::end_of_data, 12, 3);
    return words;
  };
  const auto tells = [](const ServerWords& words) {
    return words.belongs_elsewhere(Saying::end_of_data, 11) &&
           words.belongs_elsewhere(Saying::end_of_data, 9);
  };
  ServerWords known;
  ServerWords little;
  little.server = 1;
  hear(little, Saying::mail, 10, 3);
  known.hear_session(little);
  CHECK(known == ServerWords{});
  known.hear_session(session(1, 11));
  CHECK(tells(known));
  known.hear_session(session(2, 13));  // another make
  known.hear_session(session(1, 13));  // out of step, perhaps
  known.hear_session(session(1, 11));
  CHECK(tells(known));
  known.hear_session(session(1, 14));
  CHECK_FALSE(known.belongs_elsewhere(Saying::end_of_data, 11));
}

TEST_CASE("words: who greets and announces the same is of one make, whatever its name") {
  const auto make = [](Bytes greeting, Bytes hello) {
    return protocol::hash_with_announced(protocol::hash_of_greeting({220, {}, greeting, 1}),
                                         {250, {}, hello, 2});
  };
  const std::size_t one = make("a.example ESMTP x1 - gsmtp", "a.example hello\nPIPELINING");
  CHECK(one == make("b.example ESMTP y2 - gsmtp", "b.example hello\nPIPELINING"));
  CHECK(one != make("a.example Postfix", "a.example hello\nPIPELINING"));
  CHECK(one != make("a.example ESMTP x1 - gsmtp", "a.example hello\nPIPELINING\nSIZE"));
}

TEST_CASE("knowledge: a step above does not show DATA groups") {
  PipeliningKnowledge knowledge;
  CHECK(knowledge.prove(Pipelining::flights));
  CHECK(knowledge.has_proven(Pipelining::within));
  CHECK_FALSE(knowledge.has_proven(Pipelining::across));
  CHECK(knowledge.prove(Pipelining::across));
  CHECK_FALSE(knowledge.prove(Pipelining::across));
}

TEST_CASE("knowledge: what sessions learnt apart is merged, and limits only shrink") {
  PipeliningKnowledge one;
  PipeliningKnowledge two;
  one.most = Pipelining::across;
  one.session_messages_max = 100;
  one.refusals_max = 19;
  two.prove(Pipelining::within);
  two.session_messages_max = 50;
  two.recipients_max = 20;
  two.several_proven = true;
  one.merge(two);
  CHECK(one.most == Pipelining::across);
  CHECK(one.has_proven(Pipelining::within));
  CHECK(one.session_messages_max == 50);
  CHECK(one.recipients_max == 20);
  CHECK(one.refusals_max == 19);
  CHECK(one.several_proven);
}

}  // namespace ringpost
