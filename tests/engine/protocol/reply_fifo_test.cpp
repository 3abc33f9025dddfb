#include "engine/protocol/reply_fifo.h"

#include <deque>
#include <random>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using protocol::Expectation;
using protocol::Expected;
using protocol::ReplyFifo;
using protocol::stage_of;

namespace {

Expectation expectation(Expected kind, std::uint64_t transaction) {
  Expectation result;
  result.kind = kind;
  result.transaction = transaction;
  return result;
}

}  // namespace

TEST_CASE("reply fifo: a wait for each reply has its stage") {
  CHECK(stage_of(Expected::greeting) == Stage::greeting);
  CHECK(stage_of(Expected::ehlo) == Stage::ehlo);
  CHECK(stage_of(Expected::helo) == Stage::ehlo);
  CHECK(stage_of(Expected::starttls) == Stage::starttls);
  CHECK(stage_of(Expected::auth) == Stage::auth);
  CHECK(stage_of(Expected::mail) == Stage::mail);
  CHECK(stage_of(Expected::rcpt) == Stage::rcpt);
  CHECK(stage_of(Expected::data) == Stage::data);
  CHECK(stage_of(Expected::end_of_data) == Stage::eod);
  CHECK(stage_of(Expected::rset) == Stage::mail);
  CHECK(stage_of(Expected::quit) == Stage::eod);
}

TEST_CASE("reply fifo: first in, first out, however it is filled and emptied") {
  std::mt19937_64 random(4);
  ReplyFifo fifo;
  std::deque<std::uint64_t> model;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    // Long stretches of growth and of decline.
    const bool grow = random() % 100 < ((i / 1000) % 2 == 0 ? 60u : 40u);
    if (grow || model.empty()) {
      fifo.push(expectation(Expected::rcpt, i));
      model.push_back(i);
      REQUIRE(fifo.back().transaction == i);
    } else {
      REQUIRE(fifo.front().transaction == model.front());
      fifo.pop();
      model.pop_front();
    }
    REQUIRE(fifo.size() == model.size());
    REQUIRE(fifo.empty() == model.empty());
  }
}

TEST_CASE("reply fifo: the stage of a transaction is that of its first awaited reply") {
  ReplyFifo fifo;
  CHECK(fifo.stage_of_transaction(0, Stage::local) == Stage::local);
  fifo.push(expectation(Expected::end_of_data, 7));
  fifo.push(expectation(Expected::rset, 8));
  fifo.push(expectation(Expected::mail, 8));
  fifo.push(expectation(Expected::rcpt, 8));
  fifo.push(expectation(Expected::data, 8));
  CHECK(fifo.stage_of_transaction(7, Stage::local) == Stage::eod);
  CHECK(fifo.stage_of_transaction(8, Stage::local) == Stage::mail);
  CHECK(fifo.stage_of_transaction(9, Stage::data) == Stage::data);
  fifo.pop();
  fifo.pop();
  fifo.pop();
  CHECK(fifo.stage_of_transaction(7, Stage::local) == Stage::local);
  CHECK(fifo.stage_of_transaction(8, Stage::local) == Stage::rcpt);
  fifo.pop();
  CHECK(fifo.stage_of_transaction(8, Stage::local) == Stage::data);
}

TEST_CASE("reply fifo: replies that belong to no message have no transaction") {
  ReplyFifo fifo;
  for (const Expected kind : {Expected::greeting, Expected::ehlo, Expected::helo,
                              Expected::starttls, Expected::auth, Expected::rset, Expected::quit}) {
    fifo.push(expectation(kind, 0));
  }
  CHECK(fifo.stage_of_transaction(0, Stage::local) == Stage::local);
}
