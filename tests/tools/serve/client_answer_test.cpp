// The table of client_answer.h: one truthful reply for whatever became of everybody.
#include "tools/serve/client_answer.h"

#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::serve::test {

namespace {

Outcome made(Status status, std::uint16_t code = 0, EnhancedStatus enhanced = {},
             const std::string& text = {}, const std::string& reason = {}) {
  Outcome outcome;
  outcome.status = status;
  outcome.code = code;
  outcome.enhanced = enhanced;
  outcome.text = text;
  outcome.reason = reason;
  return outcome;
}

std::string said(const std::vector<Outcome>& outcomes) {
  const ClientAnswer answer = answer_of(outcomes);
  return std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text;
}

const Outcome accepted = made(Status::accepted, 250, {2, 0, 0}, "Ok 0102-ab");
const Outcome rejected = made(Status::rejected, 550, {5, 1, 1}, "No such user");
const Outcome deferred = made(Status::deferred, 454, {4, 7, 0}, "Throttling failure");
const Outcome unknown = made(Status::unknown, 0, {}, "", "the connection was reset");
const Outcome unsent = made(Status::unsent, 0, {}, "", "no connection came about");

}  // namespace

TEST_CASE("client answer: of one recipient the provider's own code and words") {
  CHECK(said({accepted}) == "250 2.0.0 Ok 0102-ab");
  CHECK(said({rejected}) == "550 5.1.1 No such user");
  CHECK(said({deferred}) == "454 4.7.0 Throttling failure");
  CHECK(said({made(Status::accepted, 250, {}, "queued")}) == "250 2.0.0 queued");
}

TEST_CASE("client answer: what no reply has decided says so, and may be tried again") {
  CHECK(said({unknown}).starts_with("451 4.4.2 Unknown: the provider may have accepted it"));
  CHECK(said({unknown}).ends_with(": the connection was reset"));
  CHECK(said({unsent}) == "451 4.4.1 Not sent: no connection came about");
  CHECK(said({made(Status::expired, 0, {}, "", "its expires_at has passed")})
            .starts_with("451 4.4.7 Not sent in time"));
  CHECK(said({made(Status::invalid, 0, {}, "", "the domain is empty")}) ==
        "554 5.6.0 Not sent, since it cannot be: the domain is empty");
  CHECK(said({made(Status::skipped)}).starts_with("554 "));
}

TEST_CASE(
    "client answer: a reply never belongs to another class than its code, nor ends a session") {
  CHECK(said({made(Status::rejected, 421, {4, 7, 0}, "Go away")}) == "554 5.0.0 Go away");
  CHECK(said({made(Status::deferred, 421, {4, 3, 2}, "Too many connections")}) ==
        "451 4.3.2 Too many connections");
  CHECK(said({made(Status::deferred, 550, {5, 7, 0}, "By a rule")}) == "451 4.0.0 By a rule");
  CHECK(said({made(Status::accepted, 0)}) == "250 2.0.0 Ok");
  CHECK(answer_of_silence(std::chrono::minutes(4)).code == 451);
  CHECK(answer_of_silence(std::chrono::minutes(4)).text.find("4m") != std::string::npos);
}

TEST_CASE("client answer: who has the message is not sent it again for others") {
  CHECK(said({rejected, accepted, deferred}) ==
        "250 2.0.0 1 of 3 recipients accepted, the outcome lines have the others: Ok 0102-ab");
  CHECK(said({unknown, accepted}).starts_with("250 "));
  CHECK(said({accepted, accepted}) == "250 2.0.0 Ok 0102-ab");
  CHECK(said({unsent, accepted}).starts_with("250 "));
}

TEST_CASE("client answer: where nobody has it, what may yet be done decides") {
  CHECK(said({rejected, unknown, deferred}).starts_with("451 4.4.2 1 of 3 recipients unknown"));
  CHECK(said({rejected, deferred}).starts_with("454 4.7.0 1 of 2 recipients deferred"));
  CHECK(said({rejected, unsent}).starts_with("451 4.4.1 "));
  CHECK(said({rejected, rejected}) == "550 5.1.1 No such user");
  CHECK(said({rejected, made(Status::invalid)}).starts_with("550 5.1.1 1 of 2 "));
}

}  // namespace ringpost::serve::test
