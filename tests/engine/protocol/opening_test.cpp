// An opening alone: there is no session around it, no message and no flight.
#include "engine/protocol/opening.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/protocol/reply_rules.h"

using namespace ringpost;
using protocol::CloseKind;
using protocol::CloseReason;
using protocol::SessionState;

namespace {

struct Doorstep {
  // What the server says; what is said to it, or the reason of the end.
  std::string hear(std::string_view octets) {
    Bytes left = octets;
    codec::Reply reply;
    while (!left.empty()) {
      const auto complete = stream.parse(left, reply);
      REQUIRE(complete);
      if (!*complete) {
        break;
      }
      opening.redact(reply);
      const protocol::Expected answered = stream.awaited().front().kind;
      stream.credit();
      if (const auto ending = opening.hear(answered, reply)) {
        reason = *ending;
        opening.explain(reason);
        return reason.message();
      }
    }
    return said();
  }

  std::string said() {
    std::string text(stream.pending().size(), '\0');
    text.resize(stream.take(text));
    stream.hand_over(stream.output_offset());
    return text;
  }

  protocol::SessionOptions options;
  protocol::CommandStream stream;
  protocol::ServerTraits traits{options, protocol::PipeliningKnowledge{}};
  protocol::Opening opening{options, stream, traits, nullptr};
  CloseReason reason;
};

}  // namespace

TEST_CASE("opening: leads to ready without a message or a flight") {
  Doorstep door;
  door.options.client_name = "";
  door.options.tls_mode = protocol::TlsMode::none;
  door.opening.introduce_as("client.example");
  door.opening.begin();
  CHECK(door.opening.is_ungreeted());
  CHECK(door.hear("220 mx.example ESMTP\r\n") == "EHLO client.example\r\n");
  CHECK_FALSE(door.opening.is_ungreeted());
  CHECK(door.hear("250-mx.example\r\n250 SIZE 1000\r\n").empty());
  CHECK(door.opening.state() == SessionState::ready);
  CHECK(door.traits.capabilities().message_bytes_max == 1000);
  CHECK(door.stream.awaited().empty());
}

TEST_CASE("opening: what was announced in clear is forgotten under TLS") {
  Doorstep door;
  door.opening.begin();
  CHECK(door.hear("220 mx.example ESMTP\r\n") == "EHLO localhost\r\n");
  CHECK(door.hear("250-mx.example\r\n250-STARTTLS\r\n250 DSN\r\n") == "STARTTLS\r\n");
  CHECK(door.traits.capabilities().dsn);
  CHECK(door.hear("220 go\r\n").empty());
  CHECK(door.opening.state() == SessionState::handshake);
  CHECK_FALSE(door.traits.capabilities().dsn);
  door.opening.tls_established();
  CHECK(door.said() == "EHLO localhost\r\n");
  CHECK(door.hear("250 mx.example\r\n").empty());
  CHECK(door.opening.state() == SessionState::ready);
}

TEST_CASE("opening: a rule says what a refusal is about, whatever its code is") {
  struct Row {
    const char* reply;
    protocol::RuleAction action;
    bool is_permanent;
  };
  using enum protocol::RuleAction;
  for (const Row& row :
       {Row{"554 full house\r\n", fewer_connections, false},
        Row{"554 full house\r\n", pause, false}, Row{"554 full house\r\n", mistake, false},
        Row{"421 full house\r\n", stop, true}, Row{"554 no\r\n", retry, true}}) {
    CAPTURE(row.reply, name_of(row.action));
    protocol::ReplyRule rule;
    rule.text = "full house";
    rule.action = row.action;
    rule.hint = "come later";
    Doorstep door;
    door.options.reply_rules = std::make_shared<const protocol::ReplyRules>(
        std::vector{rule}, std::vector<protocol::ReplyRule>());
    door.opening.begin();
    const std::string why = door.hear(row.reply);
    CHECK(door.reason.kind == CloseKind::greeting_refused);
    CHECK(door.reason.permanent == row.is_permanent);
    const bool fits = row.reply != std::string_view("554 no\r\n");
    CHECK((door.reason.rule != nullptr) == fits);
    CHECK((why.find("come later") != std::string::npos) == fits);
  }
}

TEST_CASE("opening: a refused login is a reason, without the password that the server quotes") {
  Doorstep door;
  door.options.tls_mode = protocol::TlsMode::implicit;
  door.options.authenticate = true;
  door.options.credentials.username = "user";
  door.options.credentials.password = "hunter2-secret";
  door.opening.begin();
  CHECK(door.hear("220 mx.example ESMTP\r\n") == "EHLO localhost\r\n");
  CHECK(door.hear("250-mx.example\r\n250 AUTH PLAIN\r\n").starts_with("AUTH PLAIN "));
  const std::string why = door.hear("535 5.7.8 no, hunter2-secret is wrong\r\n");
  CHECK(door.reason.kind == CloseKind::auth_refused);
  CHECK(door.reason.permanent);
  CHECK(door.opening.state() == SessionState::auth);
  CHECK(why.find("hunter2") == std::string::npos);
  CHECK(why.find("PLAIN was tried, and it offers PLAIN") != std::string::npos);
}

TEST_CASE("opening: octets of another protocol are a reason with a hint") {
  Doorstep door;
  door.opening.begin();
  Bytes octets = "HTTP/1.1 400 Bad Request\r\n";
  codec::Reply reply;
  const auto complete = door.stream.parse(octets, reply);
  REQUIRE_FALSE(complete);
  const CloseReason reason = door.opening.reason_of_malformed(complete.error(), Stage::greeting);
  CHECK(reason.kind == CloseKind::protocol_error);
  CHECK(reason.permanent);
  CHECK(reason.message().find("HTTP") != std::string::npos);
}
