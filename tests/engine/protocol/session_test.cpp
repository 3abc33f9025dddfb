// What a transcript cannot show: the calls that ask the session something, and how octets leave it.
// What it says and decides stands in tests/transcripts.
#include "engine/protocol/session.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/protocol/support.h"
#include "tests/support/mail.h"
#include "tests/support/transcript.h"

using namespace ringpost;
using protocol::CloseKind;
using protocol::CloseReason;
using protocol::Pipelining;
using protocol::PipeliningKnowledge;
using protocol::Session;
using protocol::SessionOptions;
using protocol::SessionState;
using protocol::TlsMode;

using protocol::test::Rig;
using test::Mail;
using test::shown;

namespace {

Mail message(const std::string& id, std::string content) {
  return test::make_mail({.id = id, .recipients = {"r@b.example"}, .content = std::move(content)});
}

}  // namespace

TEST_CASE("session: an idempotency key stands in front of the content, and counts for its size") {
  const std::string content = "Subject: x\r\n\r\n.Hello\r\n";
  const std::string header = "X-Key: k-1\r\n";
  const std::string size = std::to_string(header.size() + content.size());
  for (const bool chunking : {false, true}) {
    const Pipelining way = chunking ? Pipelining::flights : Pipelining::across;
    Rig rig(TlsMode::none, way, shown(way));
    rig.options.idempotency_header = "X-Key";
    rig.greet(chunking ? "250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE 1000\r\n"
                       : "250 SIZE 1000\r\n");
    Mail job = message("one", content);
    job.message.idempotency_key = "k-1";
    rig.session.submit(job.delivery, rig.now);
    std::string said = rig.send();
    CHECK(said.find(" SIZE=" + size + "\r\n") != std::string::npos);
    rig.receive("250 ok\r\n");
    said += rig.send();
    rig.receive("250 ok\r\n");
    said += rig.send();
    if (!chunking) {
      rig.receive("354 go\r\n");
      said += rig.send();
      CHECK(said.ends_with("DATA\r\n" + header + "Subject: x\r\n\r\n..Hello\r\n.\r\n"));
    } else {
      CHECK(said.ends_with("BDAT " + size + " LAST\r\n" + header + content));
    }
    rig.receive("250 ok\r\n");
    CHECK(rig.listener.heard.back() == "one done");
    CHECK(job.message.content.text() == content);
  }
}

TEST_CASE("session: its states follow each other") {
  Rig rig(TlsMode::starttls);
  rig.options.authenticate = true;
  rig.options.credentials = {"alice", "wonderland"};
  CHECK(rig.session.state() == SessionState::greeting);
  rig.receive("220 mx\r\n");
  CHECK(rig.session.state() == SessionState::hello);
  rig.send();
  rig.receive("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
  CHECK(rig.session.state() == SessionState::starttls);
  CHECK(rig.session.capabilities().pipelining);
  rig.send();
  rig.receive("220 go\r\n");
  CHECK(rig.session.state() == SessionState::handshake);
  CHECK_FALSE(rig.session.capabilities().pipelining);
  CHECK(rig.listener.heard == std::vector<std::string>{"start_tls"});
  rig.session.tls_established(rig.now);
  CHECK(rig.session.state() == SessionState::hello_tls);
  CHECK(rig.session.deadline() == rig.now + limits::command_timeout);
  rig.send();
  rig.receive("250-mx\r\n250 AUTH PLAIN\r\n");
  CHECK(rig.session.state() == SessionState::auth);
  CHECK_FALSE(rig.session.wants_message());
  rig.send();
  rig.receive("235 ok\r\n");
  CHECK(rig.session.state() == SessionState::ready);
  CHECK(rig.session.wants_message());
  CHECK(rig.session.idle());
  CHECK(rig.listener.heard == std::vector<std::string>{"start_tls", "ready"});
  rig.session.quit(rig.now);
  CHECK_FALSE(rig.session.wants_message());
  rig.send();
  CHECK(rig.session.state() == SessionState::quitting);
  rig.receive("221 bye\r\n");
  CHECK(rig.session.closed());
  CHECK(rig.listener.heard.back() == "closed quit");
}

TEST_CASE("session: on_start_tls does not come when octets stand behind the 220") {
  Rig rig(TlsMode::starttls);
  rig.greet("250 STARTTLS\r\n");
  rig.send();
  rig.receive("220 go\r\n250 AUTH PLAIN\r\n");
  CHECK(rig.listener.heard == std::vector<std::string>{"closed starttls_injected"});
}

TEST_CASE("session: it wants two messages with PIPELINING across, else one") {
  for (const Pipelining asked : {Pipelining::off, Pipelining::within, Pipelining::across}) {
    for (const bool announced : {false, true}) {
      Rig rig(TlsMode::none, asked);
      CHECK_FALSE(rig.session.wants_message());
      rig.greet(announced ? "250 PIPELINING\r\n" : "250 SIZE\r\n");
      CHECK(rig.session.pipelining() == (announced ? asked : Pipelining::off));
      Mail one = message("one", "x\r\n");
      Mail two = message("two", "x\r\n");
      REQUIRE(rig.session.wants_message());
      rig.session.submit(one.delivery, rig.now);
      CHECK(rig.session.messages_in_flight() == 1);
      CHECK_FALSE(rig.session.idle());
      const bool deep = announced && asked == Pipelining::across;
      CHECK(rig.session.wants_message() == deep);
      if (deep) {
        rig.session.submit(two.delivery, rig.now);
        CHECK(rig.session.messages_in_flight() == 2);
        CHECK_FALSE(rig.session.wants_message());
      }
    }
  }
}

TEST_CASE("session: a reply that begins when none is awaited keeps messages away") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  REQUIRE(rig.session.wants_message());
  rig.receive("4");
  CHECK_FALSE(rig.session.wants_message());
  CHECK(rig.session.idle());
  rig.receive("21 bye\r\n");
  CHECK(rig.listener.heard.back() == "closed peer_closing");
}

TEST_CASE("session: asking for output twice changes nothing") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  Mail one = message("one", "x\r\n");
  rig.session.submit(one.delivery, rig.now);
  CHECK(rig.session.has_output());
  CHECK(rig.session.has_output());
  CHECK(rig.send() == "MAIL FROM:<sender@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n");
  CHECK_FALSE(rig.session.has_output());
  CHECK(rig.session.output(rig.room).empty());
}

TEST_CASE(
    "session: a long content is handed out where it stands, and its end stands in the last piece") {
  for (const std::size_t room : {1024u, 5000u, 16'384u}) {
    for (const std::size_t size : {8190u, 8192u, 16'382u, 16'384u, 100'000u}) {
      Rig rig;
      rig.room.resize(room);
      rig.greet("250 PIPELINING\r\n");
      Mail one = message("one", std::string(size, 'x') + "\r\n");
      rig.session.submit(one.delivery, rig.now);
      rig.send();
      rig.receive("250 ok\r\n250 ok\r\n354 go\r\n");
      std::string content;
      bool views = false;
      while (rig.session.has_output()) {
        const Bytes piece = rig.session.output(rig.room);
        REQUIRE(piece.size() <= room);
        const Bytes all = one.message.content.piece(0);
        const bool view = piece.data() >= all.data() && piece.data() < all.data() + all.size();
        views = views || view;
        content += piece;
        // Only the last piece may bring the end of data to the server.
        const bool ended = content.ends_with("\r\n.\r\n");
        REQUIRE(ended == !rig.session.has_output());
        REQUIRE_FALSE((view && ended));
      }
      CHECK(content == one.message.content.text() + ".\r\n");
      CHECK(views == (size + 2 > room && size + 2 >= 8192));
    }
  }
}

TEST_CASE("session: output() counts what it returns, whether or not it is handed over") {
  Rig rig;
  rig.receive("220 mx\r\n");
  CHECK(rig.session.output_offset() == 0);
  CHECK(rig.session.output(rig.room) == "EHLO client.example\r\n");
  CHECK(rig.session.output_offset() == 21);
  rig.session.handed_over(0, rig.now);
  rig.session.handed_over(21, rig.now);
  CHECK(rig.session.output_offset() == 21);
}

TEST_CASE("session: a BDAT that fills the room to its last octet has ended there") {
  for (const bool empty : {false, true}) {
    for (const bool answered : {false, true}) {
      INFO("empty " << empty << ", answered " << answered);
      PipeliningKnowledge knowledge = shown(Pipelining::flights);
      knowledge.session_messages = 0;
      knowledge.proven = Pipelining::within;  // so that it goes alone
      Rig rig(TlsMode::none, Pipelining::flights, knowledge);
      rig.room.resize(1024);
      rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
      const std::string command = empty ? "BDAT 0 LAST\r\n" : "BDAT 1008 LAST\r\n";
      Mail job = message("one", empty ? "" : std::string(1006, 'x') + "\r\n");
      rig.session.submit(job.delivery, rig.now);
      rig.send();
      rig.receive("250 ok\r\n250 ok\r\n");
      const std::string said(rig.session.output(rig.room));
      CHECK(said.starts_with(command));
      CHECK(said.size() == (empty ? command.size() : rig.room.size()));
      CHECK_FALSE(rig.session.has_output());
      rig.session.handed_over(rig.session.output_offset(), rig.now);
      if (answered) {
        rig.receive("250 taken\r\n");
      } else {
        rig.session.transport_closed(CloseReason{});
      }
      REQUIRE(!rig.listener.heard.empty());
      CHECK(rig.listener.heard[1] ==
            std::string("one r@b.example ") + (answered ? "accepted" : "unknown"));
    }
  }
}

TEST_CASE(
    "session: while another one tries a step in doubt again, a session stays below for long") {
  PipeliningKnowledge knowledge;
  knowledge.doubts.steps = bit_of(Pipelining::within);
  Rig rig(TlsMode::none, Pipelining::within, knowledge);
  rig.greet("250 PIPELINING\r\n");
  for (int i = 0; i < 32; ++i) {
    Mail job = message("one", "x\r\n");
    rig.session.submit(job.delivery, rig.now);
    CHECK(rig.send() == "MAIL FROM:<sender@a.example>\r\n");
    rig.receive("250 ok\r\n");
    rig.send();
    rig.receive("250 ok\r\n");
    rig.send();
    rig.receive("354 go\r\n");
    rig.send();
    rig.receive("250 ok\r\n");
    CHECK(rig.session.idle());
  }
  Mail job = message("two", "x\r\n");
  rig.session.submit(job.delivery, rig.now);
  CHECK(rig.send() == "MAIL FROM:<sender@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n");
}

TEST_CASE("session: no flight leaves with a final dot, whatever other sessions have shown") {
  PipeliningKnowledge knowledge;
  knowledge.doubts.steps = bit_of(Pipelining::flights);
  knowledge.prove(Pipelining::within);
  Rig rig(TlsMode::none, Pipelining::flights, knowledge);
  rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  Mail one = message("one", "x\r\n");
  rig.session.submit(one.delivery, rig.now);
  CHECK(rig.send().ends_with("DATA\r\n"));
  PipeliningKnowledge of_another = shown(Pipelining::flights);
  of_another.across_proven = GENERATE(false, true);
  rig.session.learn(of_another);
  Mail two = message("two", "y\r\n");
  rig.session.submit(two.delivery, rig.now);
  rig.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  CHECK(rig.send().ends_with(".\r\n"));
  rig.receive("250 taken\r\n");
  CHECK(rig.send().find("BDAT") != std::string::npos);
}

TEST_CASE("session: one of several runs deeper than any has come, the others follow") {
  protocol::Frontier frontier;
  std::deque<Mail> jobs;
  const auto fill = [&](Rig& rig) {
    std::size_t count = 0;
    for (; rig.session.wants_message(); ++count) {
      rig.session.submit(jobs.emplace_back(message("one", "x\r\n")).delivery, rig.now);
    }
    rig.send();
    return count;
  };
  // RSET stands in front of each message but the first.
  const auto answer = [](Rig& rig, int first, int end) {
    for (int i = first; i < end; ++i) {
      rig.receive(i > 0 ? "250 reset\r\n" : "");
      rig.receive("250 ok\r\n250 ok\r\n250 taken\r\n");
    }
  };
  const PipeliningKnowledge knowledge = shown(Pipelining::flights);
  auto scout = std::make_unique<Rig>(TlsMode::none, Pipelining::flights, knowledge);
  Rig other(TlsMode::none, Pipelining::flights, knowledge);
  for (Rig* const rig : {scout.get(), &other}) {
    rig->session.go_with(frontier);
    rig->greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  }
  CHECK(fill(*scout) == 8);
  CHECK(fill(other) == 1);
  answer(*scout, 0, 3);
  // One beyond the third.
  CHECK(fill(other) == 3);
  answer(other, 0, 4);
  CHECK(other.session.messages_in_flight() == 0);
  // It leads by one now, and goes on one by one as long as the scout has several beyond that.
  CHECK(fill(other) == 1);
  scout->session.transport_closed(CloseReason{});
  CHECK(fill(other) > 4);
}

TEST_CASE("session: handing over nothing new does not put the deadline off") {
  Rig rig;
  rig.receive("220 mx\r\n");
  rig.send();
  const Instant deadline = rig.session.deadline();
  CHECK(deadline == rig.now + limits::command_timeout);
  rig.now += std::chrono::seconds(100);
  rig.session.handed_over(rig.session.output_offset(), rig.now);
  CHECK(rig.session.deadline() == deadline);
}

TEST_CASE("session: nor does it while the content is on its way") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  Mail one = message("one", "x\r\n");
  rig.session.submit(one.delivery, rig.now);
  rig.send();
  rig.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  const Instant deadline = rig.session.deadline();
  CHECK(deadline == rig.now + limits::content_timeout);
  rig.now += std::chrono::seconds(100);
  rig.session.handed_over(rig.session.output_offset(), rig.now);
  CHECK(rig.session.deadline() == deadline);
}

TEST_CASE("session: QUIT that does not leave has a deadline too") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  CHECK(rig.session.deadline() == never);
  rig.session.quit(rig.now);
  CHECK(rig.session.deadline() == rig.now + limits::command_timeout);
  rig.session.abort();
  rig.session.quit(rig.now);
  CHECK(rig.session.deadline() == never);
}

TEST_CASE("session: the server's words are one line, and its nonsense is named") {
  Rig refused;
  refused.receive("554-no\r\n554 service\r\n");
  CHECK(refused.listener.reasons.back() ==
        "the server refused the connection in its greeting: 554 no service");
  Rig surplus;
  surplus.greet("250 PIPELINING\r\n");
  surplus.receive("250 ok\r\n");
  CHECK(surplus.listener.reasons.back() ==
        "the server broke the protocol: a reply came though none was awaited: \"250 ok\"");
  Rig challenge(TlsMode::implicit);
  challenge.options.authenticate = true;
  challenge.greet("250 AUTH LOGIN\r\n");
  for (const std::string_view answer : {"334 ?\r\n", "334 ?\r\n", "334 ?\r\n", "501 ok\r\n"}) {
    challenge.send();
    challenge.receive(answer);
  }
  REQUIRE_FALSE(challenge.listener.reasons.empty());
  CHECK(challenge.listener.reasons.back() ==
        "the server broke the protocol: the server goes on asking after the last answer of the "
        "AUTH mechanism: \"?\"; LOGIN was tried, and it offers LOGIN");
}

TEST_CASE("session: the first verdict comes before the end, and nothing after it") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  Mail one = message("one", "x\r\n");
  Mail two = message("two", "x\r\n");
  rig.session.submit(one.delivery, rig.now);
  rig.session.submit(two.delivery, rig.now);
  rig.send();
  CloseReason reason;
  reason.kind = CloseKind::io_error;
  reason.detail = "reset";
  rig.session.transport_closed(reason);
  const std::vector<std::string> heard = {"ready",    "one r@b.example unsent",
                                          "one done", "two r@b.example unsent",
                                          "two done", "closed io_error"};
  CHECK(rig.listener.heard == heard);
  CHECK(rig.listener.reasons.front() == "the connection broke: reset");

  rig.session.transport_closed(reason);
  rig.session.abort();
  rig.session.quit(rig.now);
  rig.session.expire(rig.now + std::chrono::hours(24));
  rig.session.receive("250 ok\r\n421 bye\r\nnonsense", rig.now);
  rig.session.handed_over(rig.session.output_offset(), rig.now);
  CHECK_FALSE(rig.session.has_output());
  CHECK(rig.session.output(rig.room).empty());
  CHECK(rig.session.deadline() == never);
  CHECK(rig.listener.heard == heard);
}

TEST_CASE("session: octets that are handed over behind the end start no clock") {
  Rig rig;
  rig.receive("220 mx\r\n");
  CHECK_FALSE(rig.session.output(rig.room).empty());
  rig.session.abort();
  rig.session.handed_over(rig.session.output_offset(), rig.now);
  CHECK(rig.session.deadline() == never);
}

TEST_CASE("session: a message of which nothing was ever asked for has come as far as MAIL") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  Mail one = message("one", "x\r\n");
  rig.session.submit(one.delivery, rig.now);
  rig.session.abort();
  CHECK(rig.listener.stages == std::vector<Stage>{Stage::mail});
}

TEST_CASE("session: flights begin with what is proven, double, and stop at their bound") {
  Rig rig(TlsMode::none, Pipelining::flights);
  rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  std::deque<Mail> jobs;
  std::vector<std::size_t> flights;
  for (int flight = 0; flight < 7; ++flight) {
    const std::size_t before = jobs.size();
    while (rig.session.wants_message()) {
      rig.session.submit(jobs.emplace_back(message(std::to_string(jobs.size()), "x\r\n")).delivery,
                         rig.now);
    }
    flights.push_back(jobs.size() - before);
    while (rig.session.messages_in_flight() > 0) {
      rig.send();
      rig.receive("250 ok\r\n");
    }
  }
  // The second of the first two is on trial behind the first.
  CHECK(flights == std::vector<std::size_t>{2, 10, 20, 32, 32, 32, 32});
  CHECK_FALSE(rig.session.closed());
}

TEST_CASE("session: a flight that holds enough octets takes no further message") {
  Rig rig(TlsMode::none, Pipelining::flights);
  rig.options.flight_bytes_max = 6;
  rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  std::deque<Mail> jobs;
  const auto fill = [&] {
    while (rig.session.wants_message()) {
      rig.session.submit(jobs.emplace_back(message("job", "x\r\n")).delivery, rig.now);
    }
  };
  const auto answer_all = [&] {
    while (rig.session.messages_in_flight() > 0) {
      rig.send();
      rig.receive("250 ok\r\n");
    }
  };
  fill();
  answer_all();
  fill();
  answer_all();
  fill();
  // Proven by now, and the depth is eight; two messages of three octets reach the bound.
  CHECK(rig.session.messages_in_flight() == 2);
}

TEST_CASE("session: who knows the stage of a failure better says so") {
  Rig rig;
  CloseReason reason;
  reason.kind = CloseKind::tls_failed;
  reason.stage = Stage::tls;
  rig.session.transport_closed(reason);
  CHECK(rig.listener.heard == std::vector<std::string>{"closed tls_failed"});
}

TEST_CASE("session: decided recipients are passed over") {
  Rig rig;
  rig.greet("250 PIPELINING\r\n");
  test::MailText text;
  text.recipients = {"a@b.example", "c@b.example", "d@b.example", "e@b.example"};
  text.content = "x\r\n";
  Mail job = test::make_mail(text);
  job.delivery.recipients[0].decided = true;
  job.delivery.recipients[2].decided = true;
  rig.session.submit(job.delivery, rig.now);
  CHECK(
      rig.send() ==
      "MAIL FROM:<sender@a.example>\r\nRCPT TO:<c@b.example>\r\nRCPT TO:<e@b.example>\r\nDATA\r\n");
  rig.session.abort();
  const std::vector<std::string> heard = {"ready", "one c@b.example unsent",
                                          "one e@b.example unsent", "one done", "closed aborted"};
  CHECK(rig.listener.heard == heard);
}

TEST_CASE("session: a timeout says what was waited for") {
  const auto reason_after = [](Rig& rig) {
    rig.session.expire(rig.session.deadline());
    REQUIRE(rig.session.closed());
    return rig.listener.reasons.back();
  };
  Rig greeting;
  CHECK(reason_after(greeting) ==
        "timed out: no greeting in time; a port that speaks TLS from the first octet (465, "
        "smtps://) says no more to one who expects a greeting");
  Rig hello;
  hello.receive("220 mx\r\n");
  hello.send();
  CHECK(reason_after(hello) == "timed out: no reply to ehlo in time");
  Rig content;
  content.greet("250 PIPELINING\r\n");
  Mail one = message("one", "x\r\n");
  Mail two = message("two", "x\r\n");
  content.session.submit(one.delivery, content.now);
  content.send();
  content.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  CHECK(reason_after(content) == "timed out: the server took no content in time");
  Rig stuck;
  stuck.greet("250 PIPELINING\r\n");
  stuck.session.submit(two.delivery, stuck.now);
  CHECK(reason_after(stuck) == "timed out: the server took no octets");
  Rig endless;
  endless.greet("250 PIPELINING\r\n");
  endless.receive("250-");
  CHECK(reason_after(endless) ==
        "timed out: a reply to nothing did not end; in the middle of a reply: \"250-\"");
}

TEST_CASE("session: an end behind a refused RSET is the server's last word, however TLS ends") {
  // Exim 4.96 says goodbye in clear, behind the end of TLS.
  for (const CloseKind kind :
       {CloseKind::peer_closed, CloseKind::io_error, CloseKind::tls_failed}) {
    INFO(name_of(kind));
    Rig rig(TlsMode::none, Pipelining::flights, shown(Pipelining::flights));
    rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
    Mail one = message("one", "1\r\n");
    Mail two = message("two", "2\r\n");
    rig.session.submit(one.delivery, rig.now);
    rig.session.submit(two.delivery, rig.now);
    rig.send();
    rig.receive("250 ok\r\n550 nobody\r\n503 no recipients\r\n554 Too many nonmail commands\r\n");
    CloseReason reason;
    reason.kind = kind;
    rig.session.transport_closed(reason);
    const std::vector<std::string> heard = {"ready",    "one r@b.example rejected",
                                            "one done", "two r@b.example unsent",
                                            "two done", "closed peer_closing"};
    CHECK(rig.listener.heard == heard);
  }
}

TEST_CASE("session: while a server has said yes to no message, BDAT waits for its envelope") {
  PipeliningKnowledge knowledge = shown(Pipelining::flights);
  knowledge.words = {};
  Rig rig(TlsMode::none, Pipelining::flights, knowledge);
  rig.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  const std::string envelope = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n";
  for (int number = 0; number < 20; ++number) {
    Mail job = message("put off", "1\r\n");
    rig.session.submit(job.delivery, rig.now);
    CHECK(rig.send().find("BDAT") == std::string::npos);
    rig.receive((number == 0 ? "" : "250 2.0.0 Flushed\r\n") + envelope);
    CHECK(rig.send().find("BDAT") == 0);
    rig.receive("451 4.3.0 Not now\r\n");
  }
  Mail job = message("last", "1\r\n");
  rig.session.submit(job.delivery, rig.now);
  rig.send();
  rig.receive("250 2.0.0 Flushed\r\n" + envelope + "250 2.0.0 surplus\r\n");
  CHECK(rig.session.closed());
  CHECK(rig.listener.heard[rig.listener.heard.size() - 3] == "last r@b.example unsent");
}

TEST_CASE("session: a reply too many among the first is told by what other sessions have heard") {
  const std::string replies = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 1\r\n";
  PipeliningKnowledge knowledge = shown(Pipelining::flights);
  knowledge.words = {};
  // A session that hears the words first is sure of what they answer.
  Rig first(TlsMode::none, Pipelining::flights, knowledge);
  first.greet("250-PIPELINING\r\n250 CHUNKING\r\n");
  for (const char* id : {"a", "b", "c"}) {
    Mail job = message(id, "1\r\n");
    first.session.submit(job.delivery, first.now);
    CHECK(first.send().find("BDAT") == std::string::npos);
    first.receive((id[0] == 'a' ? "" : "250 2.0.0 Flushed\r\n") + replies.substr(0, 28));
    CHECK(first.send().find("BDAT") == 0);
    first.receive(replies.substr(28));
  }
  REQUIRE(first.listener.heard.size() == 7);
  knowledge.words.hear_session(first.session.knowledge().words);
  // A server of another make may say so, and one of whom sessions have heard this and that.
  for (const std::string server : {"known", "of another make", "of many words"}) {
    INFO(server);
    const bool known = server == "known";
    knowledge.words.by_saying[0].varies = server == "of many words";
    Rig rig(TlsMode::none, Pipelining::flights, knowledge);
    rig.greet(server == "of another make" ? "250-PIPELINING\r\n250-DSN\r\n250 CHUNKING\r\n"
                                          : "250-PIPELINING\r\n250 CHUNKING\r\n");
    Mail one = message("one", "1\r\n");
    Mail two = message("two", "2\r\n");
    rig.session.submit(one.delivery, rig.now);
    rig.session.submit(two.delivery, rig.now);
    rig.send();
    rig.receive("250 2.0.0 surplus\r\n" + replies);
    REQUIRE(rig.listener.heard.size() > 1);
    CHECK(rig.listener.heard[1] ==
          (known ? "one r@b.example unknown" : "one r@b.example accepted"));
    CHECK(rig.session.closed() == known);
  }
}
