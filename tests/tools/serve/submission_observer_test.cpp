// A session of the smart host without sockets: what it hands to the engine, and what it refuses.
#include "tools/serve/submission_observer.h"

#include <array>
#include <optional>

#include <catch2/catch_test_macros.hpp>

#include "engine/server/server_session.h"
#include "tls/sasl_crypto.h"

namespace ringpost::serve::test {

namespace {

constexpr std::int64_t now_us = 1'800'000'000'000'000;  // Fri, 15 Jan 2027 08:00:00 +0000

struct Handed {
  Message message;
  Intake::Completion done;
};

// One session with whatever takes its messages.
class Host {
 public:
  Host() {
    context_.host_name = "relay.example";
    context_.id_prefix = "p";
    context_.message_bytes_max = options_.size_max = 5000;
    context_.incoming_bytes_max = 8000;
    context_.answer_within = std::chrono::minutes(1);
    context_.unix_time_us = [] { return now_us; };
    context_.on_full = [this](server::ConnectionKey, std::uint64_t number, Message message,
                              Intake::Completion done) {
      CHECK(number == 1);
      held.push_back({std::move(message), std::move(done)});
    };
    context_.offer = [this](Message& message, Intake::Completion done) {
      if (offer == Offer::taken) {
        handed.push_back({std::move(message), std::move(done)});
        message = Message();
      }
      return offer;
    };
    context_.cancel = [](Cancellation& cancellation) { static_cast<void>(cancellation.cancel()); };
    context_.on_taken = [this](server::ConnectionKey, std::uint64_t number) {
      owed.push_back(number);
    };
    context_.on_answer = [this](server::ConnectionKey key, std::uint64_t number,
                                const ClientAnswer& answer) {
      CHECK(key.slot == 3);
      session_->answer_message(number, {answer.code, answer.enhanced, answer.text});
    };
    options_.extensions.auth = false;
    options_.recipients_max = 3;
    setup_.options = &options_;
    setup_.policy.auth_required = false;
    setup_.crypto = &tls::sasl_crypto();
    setup_.counts = &counts_;
    observer_.emplace(context_, server::ConnectionKey{3, 4});
    session_.emplace(setup_, server::ClientFacts{.session = 10}, replies_, *observer_);
    session_->greet();
    heard();
    says("EHLO platform.example\r\n");
  }

  // The replies to it; those that are owed hold up the ones behind them.
  std::string says(const std::string& octets) {
    session_->receive(octets);
    return heard();
  }
  std::string heard() {
    replies_.mark(Instant::min());
    const std::string said(replies_.due(Instant::max()));
    replies_.consume(said.size());
    session_->replies_left();
    return said;
  }
  std::string sends(const std::string& content, const std::string& parameters = {}) {
    std::string replies =
        says("MAIL FROM:<a@b.example>" + parameters + "\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    replies += says(content + ".\r\n");
    return replies;
  }
  void loses_connection() {
    observer_->on_lost();
    session_->connection_lost();
    session_.reset();
    observer_.reset();
  }
  [[nodiscard]] std::uint64_t incoming_bytes() const { return context_.incoming_bytes; }
  void route(cli::RouteOptions route) { context_.routes.push_back(std::move(route)); }
  void store_by(std::function<Result<void, StoreRefusal>(Message&, StoreDone)> store) {
    context_.store = std::move(store);
  }

  Offer offer = Offer::taken;
  std::vector<Handed> held;
  std::vector<Handed> handed;
  std::vector<std::uint64_t> owed;

 private:
  server::ServerOptions options_;
  server::ServerCounts counts_;
  server::ServerSetup setup_;
  SubmissionContext context_;
  server::ReplyQueue replies_;
  std::optional<SubmissionObserver> observer_;
  std::optional<server::ServerSession> session_;
};

bool ends_with_code(const std::string& replies, const std::string& code) {
  const std::size_t end =
      replies.size() < 2 ? std::string::npos : replies.rfind('\n', replies.size() - 2);
  return replies.substr(end == std::string::npos ? 0 : end + 1).starts_with(code);
}

Outcome accepted_outcome() {
  Outcome outcome;
  outcome.status = Status::accepted;
  outcome.code = 250;
  outcome.enhanced = {2, 0, 0};
  outcome.text = "Ok 7";
  return outcome;
}

}  // namespace

TEST_CASE("submission: a message goes on with what its envelope and header say") {
  Host host;
  const std::string replies = host.says(
      "MAIL FROM:<a@b.example> RET=hdrs ENVID=or+2Bder+203 BODY=8BITMIME SMTPUTF8\r\n"
      "RCPT TO:<c@d.example> NOTIFY=success,failure\r\nRCPT TO:<e@f.example>\r\nDATA\r\n");
  CHECK(ends_with_code(replies, "354"));
  CHECK(host.says("X-Ringpost-Id: 1\r\nSubject: caf\xc3\xa9\r\n\r\n..dot\r\n.\r\n").empty());
  REQUIRE(host.handed.size() == 1);
  CHECK(host.owed == std::vector<std::uint64_t>{1});
  const Message& message = host.handed[0].message;
  CHECK(message.id == "1");
  CHECK(message.sender == "a@b.example");
  REQUIRE(message.recipients.size() == 2);
  CHECK(message.recipients[1] == "e@f.example");
  CHECK(message.dsn.return_kind == "HDRS");
  CHECK(message.dsn.envelope_id == "or+der 3");
  CHECK(message.dsn.notify == "SUCCESS,FAILURE,DELAY");
  CHECK(message.needs_smtputf8);
  CHECK(message.expires_at_us == now_us + 60'000'000);
  CHECK(message.content.is_sealed());
  CHECK(message.content.text() ==
        "Received: from platform.example\r\n\tby relay.example (ringpost) with UTF8SMTP id "
        "p-a-1;\r\n\tFri, 15 Jan 2027 08:00:00 +0000\r\nSubject: caf\xc3\xa9\r\n\r\n.dot\r\n");
  CHECK(host.says("NOOP\r\n").empty());  // nothing passes the answer that is owed
  const std::array<Outcome, 2> outcomes = {accepted_outcome(), accepted_outcome()};
  host.handed[0].done(message, outcomes);
  CHECK(host.heard() == "250 2.0.0 Ok 7\r\n250 2.0.0 Ok\r\n");
  CHECK(host.incoming_bytes() == 0);
}

TEST_CASE("submission: nothing of a transaction is left for the next one") {
  Host host;
  host.says("MAIL FROM:<x@b.example> RET=FULL ENVID=1\r\nRCPT TO:<y@d.example> NOTIFY=NEVER\r\n");
  host.says("BDAT 7\r\nfirst\r\n");
  CHECK(host.incoming_bytes() == 7);
  host.says("RSET\r\n");
  CHECK(host.incoming_bytes() == 0);
  host.sends("Subject: second\r\n\r\n");
  REQUIRE(host.handed.size() == 1);
  const Message& message = host.handed[0].message;
  CHECK(message.sender == "a@b.example");
  CHECK(message.recipients.size() == 1);
  CHECK(message.dsn.return_kind.empty());
  CHECK(message.dsn.envelope_id.empty());
  CHECK(message.dsn.notify.empty());
  CHECK_FALSE(message.needs_smtputf8);
  CHECK(message.id == "p-a-1");
  CHECK(message.content.text().find("first") == std::string::npos);
}

TEST_CASE("submission: what has no room waits, and its client with it") {
  Host host;
  host.offer = Offer::full;
  host.sends("X-Ringpost-Id: 1\r\n\r\n");
  CHECK(host.handed.empty());
  REQUIRE(host.held.size() == 1);
  CHECK(host.owed == std::vector<std::uint64_t>{1});
  CHECK(host.held[0].message.id == "1");
  CHECK(host.incoming_bytes() == 0);  // whoever holds it counts it
  CHECK(host.says("NOOP\r\n").empty());
  host.held[0].done(host.held[0].message, std::array{accepted_outcome()});
  CHECK(host.heard() == "250 2.0.0 Ok 7\r\n250 2.0.0 Ok\r\n");
}

TEST_CASE("submission: what comes when all ends is put off") {
  Host host;
  host.offer = Offer::closed;
  CHECK(ends_with_code(host.sends("x\r\n"), "421 4.3.2"));
  CHECK(host.handed.empty());
  CHECK(host.held.empty());
  CHECK(host.owed.empty());
  CHECK(host.incoming_bytes() == 0);
}

TEST_CASE("submission: a content that is too large is not kept, and the next one is taken") {
  Host host;
  std::string large;
  while (large.size() < 6000) {
    large += "0123456789\r\n";
  }
  CHECK(ends_with_code(host.sends(large), "552 5.3.4"));
  CHECK(host.incoming_bytes() == 0);
  host.says("RSET\r\n");
  host.sends("x\r\n");
  CHECK(host.handed.size() == 1);
  host.loses_connection();
  CHECK(host.incoming_bytes() == 0);
}

TEST_CASE("submission: a connection that breaks within a message leaves nothing behind") {
  Host host;
  host.says("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
  host.says("half of it");
  CHECK(host.incoming_bytes() == 10);
  host.loses_connection();
  CHECK(host.incoming_bytes() == 0);
  CHECK(host.handed.empty());
}

TEST_CASE("submission: who goes without an answer has all his messages taken back") {
  Host host;
  host.sends("Subject: one\r\n\r\n");
  host.offer = Offer::full;
  host.says("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
  REQUIRE(host.handed.size() == 1);
  CHECK_FALSE(host.handed[0].message.is_cancelled());
  host.loses_connection();
  CHECK(host.handed[0].message.is_cancelled());
  CHECK(host.handed[0].message.cancellation->reason() ==
        "its client had gone before a session had it");
}

TEST_CASE("submission: what cannot be sent is refused with its reason") {
  Host host;
  CHECK(host.says("MAIL FROM:<a@b.example> ENVID=+07\r\n").starts_with("501 5.5.4"));
  CHECK(ends_with_code(host.sends("long: " + std::string(1200, 'x') + "\r\n"), "554 5.6.0"));
  CHECK(ends_with_code(host.sends("X-Ringpost-Idd: 1\r\n\r\n"), "554 5.6.0"));
  std::string loop;
  for (int i = 0; i < 50; ++i) {
    loop += "Received: from a\r\n";
  }
  CHECK(ends_with_code(host.sends(loop), "554 5.4.6"));
  CHECK(host.says("MAIL FROM:<>\r\n").starts_with("250"));
  CHECK(host.says("RCPT TO:<postmaster>\r\n").starts_with("5"));
  CHECK(host.handed.empty());
}

TEST_CASE("submission: the first route that fits decides, and a header field before all") {
  const std::vector<cli::RouteOptions> routes = {
      {.user = "u", .sender_domain = "one.example", .endpoint = "both"},
      {.user = "u", .sender_domain = "", .endpoint = "user"},
      {.user = "", .sender_domain = "two.example", .endpoint = "domain"}};
  CHECK(endpoint_for(routes, "u", "a@ONE.example") == "both");
  CHECK(endpoint_for(routes, "u", "a@two.example") == "user");
  CHECK(endpoint_for(routes, "", "a@two.example") == "domain");
  CHECK(endpoint_for(routes, "v", "a@sub.two.example").empty());
  CHECK(endpoint_for(routes, "u", "") == "user");
  CHECK(endpoint_for(routes, "", "").empty());
  Host host;
  host.route({.user = "", .sender_domain = "b.example", .endpoint = "routed"});
  host.sends("Subject: x\r\n\r\n");
  host.handed[0].done(host.handed[0].message, std::array{accepted_outcome()});
  host.heard();
  host.sends("X-Ringpost-Endpoint: named\r\n\r\n");
  REQUIRE(host.handed.size() == 2);
  CHECK(host.handed[0].message.endpoint == "routed");
  CHECK(host.handed[1].message.endpoint == "named");
}

TEST_CASE("submission: what is to be stored is answered when it is, and never offered") {
  Host host;
  StoreDone done;
  host.store_by([&](Message& message, StoreDone when) -> Result<void, StoreRefusal> {
    CHECK(message.expires_at_us == 0);  // its client's patience is not the message's
    done = std::move(when);
    return {};
  });
  const std::pair<StoreEnd, const char*> ends[] = {{StoreEnd::stored, "250 2.0.0 Stored"},
                                                   {StoreEnd::no_room, "452 4.3.1 The disk"},
                                                   {StoreEnd::failed, "451 4.3.0 It could not"}};
  for (const auto& [end, answer] : ends) {
    CHECK(ends_with_code(host.sends("Subject: x\r\n\r\n"), "354"));
    done(end);
    CHECK(host.heard().starts_with(answer));
  }
  CHECK(host.owed.size() == 3);
  CHECK(host.handed.empty());
  CHECK(host.incoming_bytes() == 0);
}

TEST_CASE("submission: what is not stored is refused as it deserves") {
  using Kind = StoreRefusal::Kind;
  const std::pair<StoreRefusal, const char*> refusals[] = {
      {{Kind::full, "The spool is full"}, "452 4.3.1 The spool is full; try again later"},
      {{Kind::invalid, "it is a joke"}, "554 5.6.0 It cannot be sent: it is a joke"},
      {{Kind::closed, ""}, "421 4.3.2 The server is going down"}};
  for (const auto& [refusal, answer] : refusals) {
    Host host;
    host.store_by([&refusal = refusal](Message&, const StoreDone&) -> Result<void, StoreRefusal> {
      return Failure(refusal);
    });
    CHECK(host.sends("Subject: x\r\n\r\n").find(answer) != std::string::npos);
    CHECK(host.owed.empty());
  }
}

}  // namespace ringpost::serve::test
