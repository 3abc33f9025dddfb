// What a route does with jobs and sessions, on a machine without a kernel. The clock of these tests
// jumps, so that pauses and time-outs cost nothing.
#include "engine/route.h"

#include <algorithm>
#include <set>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "engine/division.h"
#include "tests/engine/worker_world.h"
#include "tests/support/mail.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;
using test::World;

std::size_t count_of(const FakeSession& session, std::string_view command) {
  return static_cast<std::size_t>(
      std::count_if(session.commands.begin(), session.commands.end(),
                    [&](const std::string& line) { return line.starts_with(command); }));
}

int accepted_in_all(const World& world) {
  int sum = 0;
  for (const FakeSession& session : world.io.sessions()) {
    sum += session.accepted;
  }
  return sum;
}

}  // namespace

TEST_CASE("route: a job opens a session, and its outcome says all about it") {
  World world;
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::accepted);
  CHECK(outcome.stage == Stage::eod);
  CHECK(outcome.code == 250);
  CHECK(outcome.enhanced == EnhancedStatus{2, 0, 0});
  CHECK(outcome.text == "OK queued as 0-0");
  CHECK(outcome.queue_id == "0-0");
  CHECK(outcome.attempts == 1);
  CHECK(outcome.peer == "192.0.2.1:587");
  CHECK(outcome.reason.empty());
  CHECK(outcome.timestamp_us != 0);
  CHECK(world.io.sessions().size() == 1);
  CHECK(world.stats.messages.get() == 1);
  CHECK(world.stats.content_bytes.get() == job.message.content.bytes());
}

TEST_CASE("route: one session goes first, and the others when it has been let in") {
  World world({.connections_max = 4});
  std::size_t sessions_at_greeting = 0;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (command == "CONNECT" && world.io.sessions().size() == 1) {
      return says("");  // later
    }
    if (command.starts_with("EHLO") && sessions_at_greeting == 0) {
      sessions_at_greeting = world.io.sessions().size();
    }
    return ordinary;
  };
  for (int i = 0; i < 40; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run_for(1s);
  REQUIRE(world.io.sessions().size() == 1);
  world.io.say(0, {"220 here I am\r\n"});
  world.run();
  CHECK(sessions_at_greeting == 1);
  CHECK(world.io.sessions().size() == 4);
  CHECK(world.decided_count() == 40);
  for (const FakeSession& session : world.io.sessions()) {
    CHECK(session.accepted > 0);
  }
}

TEST_CASE("route: every session gets a message before one gets its second") {
  World world({.connections_max = 3, .pipelining = protocol::Pipelining::across});
  for (int i = 0; i < 30; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  REQUIRE(world.io.sessions().size() == 3);
  std::vector<std::size_t> before;
  for (const FakeSession& session : world.io.sessions()) {
    before.push_back(count_of(session, "DATA"));
  }
  // From now on no message comes to its end, so that sessions stay as full as they are.
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("") : ordinary;
  };
  for (int i = 0; i < 3; ++i) {
    world.submit("last-" + std::to_string(i));
  }
  world.run_for(1s);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(count_of(world.io.sessions()[i], "DATA") == before[i] + 1);
  }
}

TEST_CASE("route: no more sessions are open than are allowed, however many jobs wait") {
  World world({.connections_max = 2});
  std::size_t most = 0;
  world.server.answer = [&](FakeSession&, const std::string&) {
    most = std::max(most, world.io.sockets_open());
    return ordinary;
  };
  for (int i = 0; i < 500; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK(world.decided_count() == 500);
  CHECK(accepted_in_all(world) == 500);
  CHECK(most == 2);
}

TEST_CASE("route: a message whose session dies before its end of data goes to another session") {
  World world;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    const bool first = world.io.sessions().size() == 1;
    return first && command == "DATA" ? says("", true) : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::accepted);
  CHECK(outcome.attempts == 2);
  CHECK(outcome.peer == "192.0.2.2:587");
  CHECK(world.io.sessions().size() == 2);
}

TEST_CASE("route: a message is unsent when its attempts are used up, and says how it died") {
  World world({.attempts_max = 3, .connect_attempts_max = 10});
  world.server.answer = [&](FakeSession&, const std::string& command) {
    // Never twice at the same stage.
    constexpr std::string_view deadly[] = {"DATA", "RCPT", "MAIL"};
    const std::size_t session = world.io.sessions().size() - 1;
    return command.starts_with(deadly[session % 3]) ? says("", true) : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::unsent);
  CHECK(outcome.stage == Stage::mail);
  CHECK(outcome.attempts == 3);
  CHECK(outcome.reason.find("closed the connection") != std::string::npos);
  CHECK(outcome.reason.find("set aside") == std::string::npos);
  CHECK(world.io.sessions().size() == 3);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("route: a message that ends two sessions at the same stage is set aside") {
  World world({.attempts_max = 5, .connect_attempts_max = 10});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "DATA" ? says("", true) : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::unsent);
  CHECK(outcome.stage == Stage::data);
  CHECK(outcome.attempts == 2);
  CHECK(outcome.reason.find("set aside") != std::string::npos);
  CHECK(world.io.sessions().size() == 2);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("route: a 4xx is tried again after growing pauses, and the last one is final") {
  World world({.attempts_max = 4});
  std::vector<Instant> tries;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (command.starts_with("RCPT")) {
      tries.push_back(world.io.now());
      return says("450 4.2.1 try later\r\n");
    }
    return ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::deferred);
  CHECK(outcome.code == 450);
  CHECK(outcome.attempts == 4);
  REQUIRE(tries.size() == 4);
  const Duration first = tries[1] - tries[0];
  CHECK(first >= 750ms);
  CHECK(first <= 1300ms);
  CHECK(tries[2] - tries[1] >= 3s);
  CHECK(tries[2] - tries[1] <= 5100ms);
  CHECK(tries[3] - tries[2] >= 12s);
  CHECK(tries[3] - tries[2] <= 20100ms);
}

TEST_CASE("route: who was put off comes again alone, and the others are not sent twice") {
  World world({.attempts_max = 3});
  int puts_off = 2;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (command.starts_with("RCPT TO:<later") && puts_off-- > 0) {
      return says("451 4.7.1 greylisted\r\n");
    }
    return ordinary;
  };
  const Consignment& job = world.submit("one", {"now@b.example", "later@b.example"});
  world.run();
  CHECK(job.first.recipients[0].outcome.status == Status::accepted);
  CHECK(job.first.recipients[0].outcome.attempts == 1);
  CHECK(job.first.recipients[1].outcome.status == Status::accepted);
  CHECK(job.first.recipients[1].outcome.attempts == 3);
  int recipients = 0;
  for (const FakeSession& session : world.io.sessions()) {
    recipients += static_cast<int>(count_of(session, "RCPT TO:<now"));
  }
  CHECK(recipients == 1);
}

TEST_CASE("route: a stop ends the waiting, and the last reply is the outcome") {
  World world({.attempts_max = 5});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.starts_with("MAIL") ? says("451 4.3.0 later\r\n") : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run_for(100ms);
  CHECK(world.decided_count() == 0);
  world.give(WorkerOrder::stop_sending);
  world.run();
  CHECK(world.outcome(job).status == Status::deferred);
  CHECK(world.outcome(job).code == 451);
}

TEST_CASE("route: the deadline of the run ends the waiting, with or without a session") {
  World world({.attempts_max = 9, .connect_attempts_max = 1000, .deadline = 10s});
  const bool lets_in = GENERATE(true, false);
  CAPTURE(lets_in);
  const std::int64_t begin_us = world.io.unix_time_us();
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (!lets_in && command.starts_with("EHLO")) {
      return says("421 4.3.2 not now\r\n", true);
    }
    return command.starts_with("MAIL") ? says("451 4.3.0 later\r\n") : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  const std::int64_t decided_after_us = world.outcome(job).timestamp_us - begin_us;
  CHECK(decided_after_us >= 10'000'000);
  CHECK(decided_after_us <= 10'100'000);
  CHECK(world.outcome(job).status == (lets_in ? Status::deferred : Status::expired));
  if (!lets_in) {
    // Nobody ever spoke of this message, but what was wrong is known.
    const Outcome& outcome = world.outcome(job);
    CHECK(outcome.attempts == 0);
    CHECK(outcome.stage == Stage::ehlo);
    CHECK(outcome.code == 421);
    CHECK(outcome.text == "not now");
    CHECK(outcome.reason ==
          "the deadline of the run has passed; the endpoint's last error: fake.example:587: the "
          "server is closing the connection: 421 4.3.2 not now");
  }
  // What comes later is not tried at all.
  const Consignment& late = world.submit("late");
  world.run();
  CHECK(world.outcome(late).status == Status::expired);
  CHECK(world.outcome(late).attempts == 0);
}

TEST_CASE("route: beyond what may wait, a 4xx is final") {
  World world({.attempts_max = 3, .retry_messages_max = 2});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.starts_with("RCPT") ? says("450 4.2.1 later\r\n") : ordinary;
  };
  for (int i = 0; i < 5; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run_for(100ms);
  CHECK(world.decided_count() == 3);
  world.run();
  CHECK(world.decided_count() == 5);
}

TEST_CASE("route: a server that puts off one message after the other is left alone for a while") {
  World world({.attempts_max = 1});
  std::vector<Instant> tries;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (!command.starts_with("MAIL")) {
      return ordinary;
    }
    tries.push_back(world.io.now());
    return says("452 4.3.1 no room\r\n");
  };
  for (int i = 0; i < 70; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  REQUIRE(tries.size() == 70);
  CHECK(tries[31] - tries[0] < 100ms);
  CHECK(tries[32] - tries[31] >= 750ms);
  CHECK(tries[64] - tries[63] >= 3s);
}

TEST_CASE("route: messages over age are expired, with the last reply") {
  World world({.attempts_max = 9});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.starts_with("MAIL") ? says("451 4.3.0 later\r\n") : ordinary;
  };
  Consignment& job = world.add_job("one");
  job.message.expires_at_us = world.io.unix_time_us() + 3'000'000;
  world.push({&job});
  world.run();
  CHECK(world.outcome(job).status == Status::expired);
  CHECK(world.outcome(job).code == 451);
  CHECK(world.outcome(job).attempts == 2);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("route: a message whose end of data was handed over is unknown and never sent again") {
  World world;
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("", true) : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run();
  CHECK(world.outcome(job).status == Status::unknown);
  CHECK(world.outcome(job).attempts == 1);
  CHECK(world.io.sessions().size() == 1);
}

TEST_CASE("route: servers that end a session after some messages cost no message an attempt") {
  const auto pipelining = GENERATE(protocol::Pipelining::off, protocol::Pipelining::within,
                                   protocol::Pipelining::across);
  const int messages_per_session = GENERATE(1, 2, 3);
  const bool says_421 = GENERATE(true, false);
  CAPTURE(pipelining, messages_per_session, says_421);
  World world({.connections_max = 5, .attempts_max = 2, .pipelining = pipelining});
  world.server.answer = [&](FakeSession& session, const std::string& command) {
    if (session.accepted < messages_per_session || !command.starts_with("MAIL")) {
      return ordinary;
    }
    return says(says_421 ? "421 4.7.0 enough\r\n" : "", true);
  };
  for (int i = 0; i < 300; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK(world.decided_count() == 300);
  CHECK(accepted_in_all(world) == 300);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("route: a server that ends sessions over refused recipients is not given up") {
  World world({.attempts_max = 2, .connect_attempts_max = 3});
  world.server.answer = [&](FakeSession& session, const std::string& command) {
    if (!command.starts_with("RCPT")) {
      return ordinary;
    }
    const bool enough = count_of(session, "RCPT") > 3;
    return says(enough ? "421 4.7.0 too many errors\r\n" : "550 5.1.1 no such user\r\n", enough);
  };
  for (int i = 0; i < 40; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK_FALSE(world.gate.failed());
  CHECK(world.decided_count() == 40);
  // Three on each session.
  CHECK(world.io.sessions().size() >= 13);
}

TEST_CASE("route: one message that kills every session dies alone") {
  World world({.attempts_max = 3, .connect_attempts_max = 10});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.find("poison") != std::string::npos ? says("421 4.7.0 go away\r\n", true)
                                                       : ordinary;
  };
  const Consignment& poison = world.submit("poison", {"poison@b.example"});
  std::vector<const Consignment*> others;
  for (int i = 0; i < 50; ++i) {
    others.push_back(&world.submit("job-" + std::to_string(i)));
  }
  world.run();
  CHECK(world.outcome(poison).status == Status::unsent);
  CHECK(world.outcome(poison).attempts == 2);
  CHECK(world.outcome(poison).code == 421);
  for (const Consignment* const job : others) {
    CHECK(world.outcome(*job).status == Status::accepted);
  }
}

TEST_CASE("route: a message that kills sessions is set aside, in however many deliveries it goes") {
  World world({.connections_max = 4, .attempts_max = 3, .connect_attempts_max = 10});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.find("poison") != std::string::npos ? says("421 4.7.0 go away\r\n", true)
                                                       : ordinary;
  };
  std::vector<std::string> recipients;
  for (int i = 0; i < 12; ++i) {
    recipients.push_back("poison" + std::to_string(i) + "@b.example");
  }
  Consignment& poison = world.add_job("poison", recipients);
  divide(poison, 1);
  world.push({&poison});
  const Consignment& other = world.submit("other");
  world.run();
  CHECK(world.outcome(other).status == Status::accepted);
  CHECK(world.decided_count() == 13);
  // Each of the four that were begun beside the first loss may end one more, and each behind it
  // ends one at most.
  std::uint32_t attempts = 0;
  for (std::size_t i = 0; i < poison.delivery_count(); ++i) {
    const Outcome& outcome = poison.delivery(i).recipients[0].outcome;
    CHECK(outcome.status == Status::unsent);
    CHECK(outcome.reason.find("it has ended two sessions there") != std::string::npos);
    attempts += outcome.attempts;
  }
  CHECK(attempts <= 12 + 4);
}

TEST_CASE("route: deliveries of one message go in several sessions at a time") {
  World world({.connections_max = 3});
  int begun = 0;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    begun += command.starts_with("MAIL") ? 1 : 0;
    return command == "DATA" ? says("") : ordinary;
  };
  Consignment& job = world.add_job("one", {"a@b.example", "c@b.example", "d@b.example"});
  divide(job, 1);
  world.push({&job});
  world.run_for(1s);
  CHECK(begun == 3);
  world.give(WorkerOrder::abort);
  world.run();
  CHECK(world.decided_count() == 3);
  for (std::size_t i = 0; i < job.delivery_count(); ++i) {
    CHECK(job.delivery(i).recipients[0].outcome.status == Status::unsent);
  }
}

TEST_CASE("route: recipients beyond what a transaction takes go into further ones") {
  World world({.recipients_max = 3});
  std::vector<std::string> recipients;
  for (int i = 0; i < 8; ++i) {
    recipients.push_back("r" + std::to_string(i) + "@b.example");
  }
  const Consignment& job = world.submit("one", recipients);
  world.run();
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    CHECK(world.outcome(job, i).status == Status::accepted);
    CHECK(world.outcome(job, i).attempts == 1);
  }
  CHECK(accepted_in_all(world) == 3);
  CHECK(world.stats.content_bytes.get() == 3 * job.message.content.bytes());
}

TEST_CASE("route: too many recipients for the server is no failed attempt of theirs") {
  World world({.attempts_max = 1});
  world.server.answer = [](FakeSession& session, const std::string& command) {
    const auto last_mail =
        std::find_if(session.commands.rbegin(), session.commands.rend(),
                     [](const std::string& line) { return line.starts_with("MAIL"); });
    const auto recipients = last_mail - session.commands.rbegin();
    return command.starts_with("RCPT") && recipients > 2 ? says("452 4.5.3 too many recipients\r\n")
                                                         : ordinary;
  };
  std::vector<std::string> recipients;
  for (int i = 0; i < 9; ++i) {
    recipients.push_back("r" + std::to_string(i) + "@b.example");
  }
  const Consignment& job = world.submit("one", recipients);
  world.run();
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    CHECK(world.outcome(job, i).status == Status::accepted);
    CHECK(world.outcome(job, i).attempts == 1);
  }
  CHECK(accepted_in_all(world) == 5);
}

TEST_CASE(
    "route: content is counted once for each transaction that was accepted, and for no other") {
  World world({.recipients_max = 1});
  const Consignment& job = world.submit("one", {"good@b.example", "bad@b.example"});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.find("bad@") != std::string::npos ? says("550 5.1.1 no\r\n") : ordinary;
  };
  world.run();
  CHECK(world.outcome(job, 0).status == Status::accepted);
  CHECK(world.outcome(job, 1).status == Status::rejected);
  CHECK(world.stats.content_bytes.get() == job.message.content.bytes());
}

TEST_CASE("route: an endpoint that failed decides all that waits, now and later") {
  World world({.connect_attempts_max = 2});
  world.server.refuses = [](const std::string&) { return true; };
  std::vector<const Consignment*> jobs;
  for (int i = 0; i < 3000; ++i) {
    jobs.push_back(&world.submit("job-" + std::to_string(i)));
  }
  world.run();
  REQUIRE(world.gate.failed());
  const Consignment& later = world.submit("later", {"a@b.example", "c@d.example"});
  world.run();
  CHECK(world.decided_count() == 3002);
  for (const std::size_t recipient : {0u, 1u}) {
    const Outcome& outcome = world.outcome(later, recipient);
    CHECK(outcome.status == Status::unsent);
    CHECK(outcome.stage == Stage::connect);
    CHECK(outcome.attempts == 0);
    CHECK(outcome.reason.starts_with("fake.example: no connection: "));
  }
  CHECK(world.outcome(*jobs.front()).status == Status::unsent);
  CHECK(world.io.sockets_open() == 0);
}

TEST_CASE("route: the next address is tried when the first does not answer") {
  World world;
  world.server.refuses = [](const std::string& address) { return address == "192.0.2.1:587"; };
  const Consignment& job = world.submit("one");
  world.run();
  CHECK(world.outcome(job).status == Status::accepted);
  CHECK(world.outcome(job).peer == "192.0.2.2:587");
}

TEST_CASE("route: after stop_sending what waits is unsent and what is under way is finished") {
  World world;
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("") : ordinary;
  };
  const Consignment& under_way = world.submit("one");
  const Consignment& waits = world.submit("two");
  world.run_for(1s);
  CHECK(world.decided_count() == 0);
  world.give(WorkerOrder::stop_sending);
  world.run_for(1s);
  CHECK(world.outcome(waits).status == Status::unsent);
  CHECK(world.outcome(waits).stage == Stage::local);
  const Consignment& late = world.submit("three");
  world.run_for(1s);
  CHECK(world.outcome(late).status == Status::unsent);
  world.io.say(0, {"250 2.0.0 OK\r\n"});
  world.run_for(1s);
  CHECK(world.outcome(under_way).status == Status::accepted);
}

TEST_CASE("route: after stop_sending a message that comes back is not tried again") {
  World world({.recipients_max = 1});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "DATA" ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one", {"a@b.example", "later@b.example"});
  world.run_for(1s);
  world.give(WorkerOrder::stop_sending);
  world.run_for(1s);
  world.io.say(0, {"", true});
  world.run_for(1s);
  CHECK(world.outcome(job, 0).status == Status::unsent);
  CHECK(world.outcome(job, 1).status == Status::unsent);
  CHECK(world.io.sessions().size() == 1);
}

TEST_CASE("route: abort gives a verdict to everything, at every stage of a session") {
  const std::string silent_at = GENERATE("CONNECT", "EHLO client.example", "DATA", ".");
  CAPTURE(silent_at);
  World world({.pipelining = protocol::Pipelining::across});
  world.server.answer = [&](FakeSession&, const std::string& command) {
    return command == silent_at ? says("") : ordinary;
  };
  std::vector<const Consignment*> jobs;
  for (int i = 0; i < 10; ++i) {
    jobs.push_back(&world.submit("job-" + std::to_string(i)));
  }
  world.run_for(1s);
  world.give(WorkerOrder::abort);
  world.run();
  const bool handed_over = silent_at == ".";
  CHECK(world.outcome(*jobs[0]).status == (handed_over ? Status::unknown : Status::unsent));
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    CHECK(world.outcome(*jobs[i]).status == Status::unsent);
  }
  CHECK(world.io.sockets_open() == 0);
}

TEST_CASE("route: a rate limit is kept by the clock") {
  World world({.connections_max = 3, .rates = {messages_per_second(10)}});
  std::vector<const Consignment*> jobs;
  for (int i = 0; i < 51; ++i) {
    jobs.push_back(&world.submit("job-" + std::to_string(i)));
  }
  world.run();
  const std::int64_t begin_us = world.outcome(*jobs.front()).timestamp_us;
  const std::int64_t end_us = world.outcome(*jobs.back()).timestamp_us;
  CHECK(end_us - begin_us >= 5'000'000);
  CHECK(end_us - begin_us < 5'100'000);
}

TEST_CASE("route: when no socket is to be had the run goes on with those that it has") {
  World world({.connections_max = 10});
  world.io.sockets_max = 2;
  for (int i = 0; i < 100; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK(world.decided_count() == 100);
  CHECK(accepted_in_all(world) == 100);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("route: a message that the server cannot take is invalid and costs no session") {
  World world;
  world.server.ehlo_reply = "250-fake.example\r\n250 SIZE 100\r\n";
  Consignment& large = world.add_job("large");
  ringpost::test::set_content(large.message.content, std::string(200, 'x'));
  world.push({&large});
  const Consignment& small = world.submit("small");
  world.run();
  CHECK(world.outcome(large).status == Status::invalid);
  CHECK(world.outcome(large).attempts == 0);
  CHECK(world.outcome(small).status == Status::accepted);
  CHECK(world.io.sessions().size() == 1);
}

TEST_CASE("connection table: numbers are dense, and used again when their connection has ended") {
  ConnectionTable table;
  ringpost::test::FakeServer server;
  ringpost::test::FakeIo io{server};
  ConnectionEnvironment environment;
  environment.io = &io;
  CHECK(table.size() == 0);
  const io::Owner first = table.next_owner();
  CHECK(table.find(first) == nullptr);
  CHECK(table.add(std::make_unique<Connection>(environment, first, false), first) == first);
  const io::Owner second = table.next_owner();
  CHECK(second != first);
  CHECK(table.add(std::make_unique<Connection>(environment, second, false), second) == second);
  CHECK(table.size() == 2);
  CHECK(table.find(first)->owner() == first);
  table.remove(first);
  CHECK(table.size() == 1);
  CHECK(table.find(first) == nullptr);
  CHECK(table.next_owner() == first);
  CHECK(table.find(99) == nullptr);
}

}  // namespace ringpost::engine
