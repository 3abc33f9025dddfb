// The session alone, with an observer that a relay could have: it refuses by its own rules, takes
// content piece by piece, and answers a message later, when it is safe somewhere.
#include "engine/server/server_session.h"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tls/sasl_crypto.h"

using namespace ringpost;
using namespace ringpost::server;

namespace {

class RelayAccounts final : public Accounts {
 public:
  [[nodiscard]] bool is_password(Bytes user, Bytes password) override {
    return user == "shop" && password == "secret";
  }
  [[nodiscard]] std::optional<Bytes> password_of(Bytes) override { return std::nullopt; }
  [[nodiscard]] bool use_token(Bytes, Bytes) override { return false; }
};

// A message as it was handed over.
struct Taking {
  std::uint64_t number = 0;
  std::string content;
  std::uint64_t bytes = 0;
  std::string sender;
  std::vector<std::string> recipients;
  std::vector<std::pair<std::string, std::string>> dsn;  // NOTIFY and ORCPT, by recipient
  std::string return_kind;
  std::string envelope_id;
  std::optional<std::uint64_t> size;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  ClientFacts client;
  bool chunked = false;

  bool operator==(const Taking& other) const {
    return number == other.number && content == other.content && sender == other.sender &&
           recipients == other.recipients && chunked == other.chunked;
  }
};

class RelayObserver final : public ServerObserver {
 public:
  [[nodiscard]] Wishes wishes() const override { return {.envelope = true, .content = true}; }

  void on_violation(Violation, std::uint64_t amount) override { violations += amount; }

  [[nodiscard]] Answer on_sender(const ClientFacts& client, const MailArguments& mail) override {
    if (mail.sender.ends_with("@elsewhere.example")) {
      text_ = "Not a sender of " + (client.user.empty() ? client.peer : client.user);
      return {553, "5.7.1", text_};
    }
    return {};
  }
  [[nodiscard]] Answer on_recipient(const ClientFacts&, const RcptArguments& rcpt) override {
    if (rcpt.local_part == "quota") {
      return {452, "4.2.2", "Enough for today"};
    }
    return rcpt.recipient.ends_with(".invalid") ? Answer{550, "5.1.2", "No such domain"} : Answer{};
  }
  [[nodiscard]] ContentVerdict on_data(const ClientFacts&,
                                       std::optional<std::uint64_t> bytes) override {
    announced.push_back(bytes);
    return {.answer = is_full ? Answer{451, "4.3.1", "No room"} : Answer{}};
  }
  void on_content(Bytes octets) override {
    REQUIRE_FALSE(octets.empty());
    ++pieces;
    content_.append(octets);
  }
  void on_discarded() override {
    ++discarded;
    content_.clear();
  }
  [[nodiscard]] Taken on_message(const IncomingMessage& message) override {
    const Envelope& envelope = message.envelope;
    Taking& taking = messages.emplace_back();
    taking.number = message.number;
    taking.content = std::exchange(content_, {});
    taking.bytes = message.bytes;
    taking.sender = envelope.sender;
    for (std::size_t i = 0; i < envelope.recipients.size(); ++i) {
      taking.recipients.emplace_back(envelope.recipients[i]);
    }
    for (const RecipientDsn& dsn : envelope.recipient_dsn) {
      taking.dsn.emplace_back(dsn.notify, dsn.original_recipient);
    }
    taking.return_kind = envelope.return_kind;
    taking.envelope_id = envelope.envelope_id;
    taking.size = envelope.size;
    taking.eight_bit_mime = envelope.eight_bit_mime;
    taking.smtputf8 = envelope.smtputf8;
    taking.client = message.client;
    taking.chunked = message.chunked;
    queue_ids.emplace_back(message.queue_id);
    return taken ? taken(taking) : Taken{.later = true};
  }

  std::function<Taken(const Taking&)> taken;  // not set: all are answered later
  bool is_full = false;
  std::uint64_t violations = 0;
  std::vector<std::optional<std::uint64_t>> announced;
  std::vector<Taking> messages;
  std::vector<std::string> queue_ids;
  int pieces = 0;
  int discarded = 0;

 private:
  std::string content_;
  std::string text_;
};

// A session of number 11 and its client's end.
struct Relay {
  explicit Relay(ServerOptions wanted = {}, SessionPolicy policy = {.auth_required = false})
      : options(std::move(wanted)),
        setup{&options, policy, &accounts, &tls::sasl_crypto(), &counts} {}

  ServerOptions options;
  RelayAccounts accounts;
  ServerCounts counts;
  ServerSetup setup;
  ReplyQueue replies;
  RelayObserver observer;
  ServerSession session{setup, {.session = 11, .peer = "192.0.2.7:4711"}, replies, observer};
  Next next = Next::receive;

  // What the client can read by now.
  std::string hear() {
    replies.mark(Instant::min());
    const std::string text(replies.due(Instant::min()));
    replies.consume(text.size());
    if (replies.empty()) {
      session.replies_left();
    }
    return text;
  }
  std::string say(Bytes text) {
    next = session.receive(text);
    return hear();
  }
  std::string answer(std::uint64_t number, const Answer& words = {}) {
    next = session.answer_message(number, words);
    return hear();
  }
  void begin() {
    session.greet();
    REQUIRE(hear() == "220 localhost ESMTP ringpost\r\n");
    REQUIRE(say("EHLO shop.example\r\n").ends_with("250 HELP\r\n"));
  }
};

const std::string relay_mail_ok = "250 2.1.0 Ok\r\n";
const std::string relay_rcpt_ok = "250 2.1.5 Ok\r\n";
const std::string relay_ok = "250 2.0.0 Ok\r\n";
const std::string relay_go_ahead = "354 Go ahead, and end with a lone dot\r\n";
const std::string relay_envelope = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";
const std::string relay_envelope_ok = relay_mail_ok + relay_rcpt_ok;
const std::string chunk_of_six = "BDAT 6 LAST\r\ntext\r\n";

std::string queued_in_11(int message) {
  return "250 2.0.0 Ok: queued as b-" + std::to_string(message) + "\r\n";
}

}  // namespace

TEST_CASE("server: an observer that overrides nothing takes what is right and forgets it") {
  const ServerOptions options;
  ServerCounts counts;
  const ServerSetup setup{
      &options, {.auth_required = false}, nullptr, &tls::sasl_crypto(), &counts};
  ServerObserver observer;
  ReplyQueue replies;
  ServerSession session(setup, {.session = 11}, replies, observer);
  session.greet();
  session.replies_left();
  session.receive("EHLO a\r\n");
  session.replies_left();
  replies.clear();
  session.receive(relay_envelope + chunk_of_six + "RSET\r\n" + relay_envelope + "DATA\r\n");
  session.replies_left();
  CHECK(session.receive("x\r\n.\r\nQUIT\r\n") == Next::close);
  replies.mark(Instant::min());
  CHECK(replies.due(Instant::min()) == relay_envelope_ok + queued_in_11(1) + relay_ok +
                                           relay_envelope_ok + relay_go_ahead + queued_in_11(2) +
                                           "221 2.0.0 Bye\r\n");
  CHECK(counts[Count::messages_accepted] == 2);
  CHECK(counts.violations_total() == 0);
}

TEST_CASE("server: a message is answered when the observer says so") {
  Relay relay;
  relay.begin();
  CHECK(relay.say(relay_envelope + "DATA\r\n") == relay_envelope_ok + relay_go_ahead);
  CHECK(relay.say("text\r\n.\r\n").empty());
  CHECK_FALSE(relay.replies.empty());
  CHECK(relay.replies.next_due() == never);
  CHECK(relay.counts[Count::messages_accepted] == 0);
  CHECK(relay.answer(1) == queued_in_11(1));
  CHECK(relay.replies.empty());
  CHECK(relay.counts[Count::messages_accepted] == 1);
  CHECK(relay.counts[Count::content_bytes] == 6);
  CHECK(relay.observer.queue_ids.at(0) == "b-1");
  CHECK(relay.answer(1).empty());  // it was, once
  CHECK(relay.say("QUIT\r\n") == "221 2.0.0 Bye\r\n");
}

TEST_CASE("server: the session goes on behind messages that are not answered") {
  Relay relay;
  relay.begin();
  const std::string flight = relay_envelope + chunk_of_six;
  CHECK(relay.say(flight + flight) == relay_envelope_ok);
  CHECK(relay.say(flight + "QUIT\r\n").empty());
  CHECK(relay.next == Next::close);
  CHECK(relay.observer.messages.size() == 3);
  CHECK(relay.observer.violations == 0);
  CHECK(relay.counts[Count::messages_ahead] == 2);
  // In any order; what stands behind an answer leaves with it, and no further than the next gap.
  CHECK(relay.answer(2, {554, "5.6.0", "No"}).empty());
  CHECK(relay.answer(1) ==
        queued_in_11(1) + relay_envelope_ok + "554 5.6.0 No\r\n" + relay_envelope_ok);
  CHECK_FALSE(relay.replies.empty());
  CHECK(relay.answer(3, {451, "4.4.2", "unknown"}) == "451 4.4.2 unknown\r\n221 2.0.0 Bye\r\n");
  CHECK(relay.next == Next::close);
  CHECK(relay.replies.empty());
  CHECK(relay.counts[Count::messages_accepted] == 1);
  CHECK(relay.counts[Count::messages_refused] == 1);
  CHECK(relay.counts[Count::messages_deferred] == 1);
  CHECK(relay.counts[Count::content_bytes] == 6);
}

TEST_CASE("server: so many errors without a message between them end the session") {
  Relay relay({.errors_max = 3});
  relay.begin();
  const std::string no_such = "500 5.5.2 No such command\r\n";
  CHECK(relay.say("A\r\nB\r\n") == no_such + no_such);
  relay.say(relay_envelope + chunk_of_six);
  CHECK(relay.answer(1, {550, "5.1.1", "No"}) == "550 5.1.1 No\r\n");
  // A provider's refusal is no error of the client's, who has sent a message.
  CHECK(relay.say("C\r\nD\r\n") == no_such + no_such);
  CHECK(relay.next == Next::receive);
  CHECK(relay.say("E\r\nNOOP\r\n") == no_such + "421 4.7.0 Too many errors\r\n");
  CHECK(relay.next == Next::close);
}

TEST_CASE("server: errors do not end a session in the middle of a message") {
  Relay relay({.errors_max = 1});
  relay.begin();
  relay.say(relay_envelope + "DATA\r\n");
  CHECK(relay.say("bare\nfeed\r\n.\r\n") ==
        "554 5.6.0 Bare line feed\r\n421 4.7.0 Too many errors\r\n");
}

TEST_CASE("server: limits are announced where they are to be") {
  Relay relay({.recipients_max = 7, .messages_max = 5, .announces_limits = true});
  relay.session.greet();
  relay.hear();
  CHECK(relay.say("EHLO a\r\n").find("\r\n250-LIMITS MAILMAX=5 RCPTMAX=7\r\n") !=
        std::string::npos);
  Relay other({.announces_limits = true});
  other.session.greet();
  other.hear();
  CHECK(other.say("EHLO a\r\n").find("\r\n250-LIMITS RCPTMAX=1000\r\n") != std::string::npos);
}

TEST_CASE("server: it says whether its end would cost anybody anything") {
  Relay relay;
  relay.begin();
  CHECK(relay.session.is_between_messages());
  relay.say("MAIL FROM:<a@b.example>\r\n");
  CHECK_FALSE(relay.session.is_between_messages());
  relay.say("RCPT TO:<c@d.example>\r\n" + chunk_of_six);
  CHECK_FALSE(relay.session.is_between_messages());
  CHECK(relay.session.owes_answers());
  relay.answer(1);
  CHECK(relay.session.is_between_messages());
  CHECK_FALSE(relay.session.owes_answers());
}

TEST_CASE("server: where pipelining was not offered the answer has to be awaited") {
  Relay relay;
  relay.session.greet();
  relay.hear();
  relay.say("HELO shop.example\r\n");
  for (const Bytes line : {"MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n"}) {
    REQUIRE_FALSE(relay.say(line).empty());
  }
  CHECK(relay.say("x\r\n.\r\n").empty());
  CHECK(relay.observer.violations == 0);
  relay.say("RSET\r\n");
  CHECK(relay.observer.violations == 1);
}

TEST_CASE("server: an answer has the observer's words, in one line that a client can read") {
  Relay relay;
  relay.begin();
  const auto hear_of = [&relay](const Answer& words) {
    relay.observer.taken = [&words](const Taking&) {
      return Taken{.later = false, .answer = words};
    };
    return relay.say(relay_envelope + chunk_of_six).substr(relay_envelope_ok.size());
  };
  CHECK(hear_of({250, "2.6.0", "accepted by mx.example"}) ==
        "250 2.6.0 accepted by mx.example\r\n");
  CHECK(hear_of({250, "", "bare"}) == "250 bare\r\n");
  CHECK(hear_of({550, "5.7.1", "no\r\n250 2.0.0 yes\t\x7f"}) ==
        "550 5.7.1 no  250 2.0.0 yes  \r\n");
  const std::string longest = hear_of({451, "4.4.5", std::string(5000, 'x')});
  CHECK(longest.size() == std::string("451 4.4.5 \r\n").size() + 480);
  CHECK(relay.counts[Count::messages_accepted] == 2);
  CHECK(relay.counts[Count::messages_refused] == 1);
  CHECK(relay.counts[Count::messages_deferred] == 1);
  // Those that were refused at once have left their numbers to others.
  CHECK(relay.observer.messages.back().number == 3);
  CHECK(hear_of({}) == queued_in_11(3));
  CHECK(hear_of({421, "4.3.2", "Enough"}) == "421 4.3.2 Enough\r\n");
  CHECK(relay.session.receive("NOOP\r\n") == Next::close);
  CHECK(relay.hear().empty());
}

TEST_CASE("server: 421 ends the session, also as a late answer") {
  Relay relay;
  relay.begin();
  relay.say(relay_envelope + chunk_of_six + "RSET\r\n");
  CHECK(relay.answer(1, {421, "4.3.0", "Going down"}) == "421 4.3.0 Going down\r\n" + relay_ok);
  CHECK(relay.next == Next::close);
  CHECK(relay.counts[Count::messages_deferred] == 1);
}

TEST_CASE("server: an answer to a lost connection reaches nobody and counts nothing") {
  Relay relay;
  relay.begin();
  relay.say(relay_envelope + chunk_of_six);
  relay.session.connection_lost();
  relay.replies.clear();
  CHECK(relay.answer(1).empty());
  CHECK(relay.counts[Count::messages_accepted] == 0);
  CHECK(relay.observer.messages.size() == 1);
  CHECK(relay.observer.discarded == 0);  // it was handed over before
}

TEST_CASE("server: messages that wait for an answer count for the limit of a session") {
  ServerOptions options;
  options.messages_max = 2;
  Relay relay(options);
  relay.begin();
  relay.say(relay_envelope + chunk_of_six + relay_envelope + chunk_of_six + relay_envelope);
  CHECK(relay.next == Next::close);
  relay.answer(2);
  CHECK(
      relay.answer(1).ends_with(queued_in_11(2) + "421 4.7.0 Enough messages for one session\r\n"));
}

TEST_CASE("server: senders and recipients are refused in the observer's words") {
  Relay relay;
  relay.begin();
  CHECK(relay.say("MAIL FROM:<x@elsewhere.example>\r\nRCPT TO:<c@d>\r\n") ==
        "553 5.7.1 Not a sender of 192.0.2.7:4711\r\n503 5.5.1 MAIL comes first\r\n");
  CHECK(relay.say("MAIL FROM:<a@b>\r\nRCPT TO:<quota@d>\r\nRCPT TO:<x@y.invalid>\r\n"
                  "RCPT TO:<c@d>\r\n" +
                  chunk_of_six) ==
        relay_mail_ok + "452 4.2.2 Enough for today\r\n550 5.1.2 No such domain\r\n" +
            relay_rcpt_ok);
  CHECK(relay.observer.messages.at(0).recipients == std::vector<std::string>{"c@d"});
  CHECK(relay.counts[Count::senders_refused] == 1);
  CHECK(relay.counts[Count::recipients_deferred] == 1);
  CHECK(relay.counts[Count::recipients_refused] == 1);
  CHECK(relay.counts[Count::recipients_accepted] == 1);
  CHECK(relay.observer.violations == 0);
}

TEST_CASE("server: content that is refused does not come, or is read and lost") {
  Relay relay;
  relay.begin();
  relay.observer.is_full = true;
  CHECK(relay.say("MAIL FROM:<a@b.example> SIZE=6\r\nRCPT TO:<c@d.example>\r\nDATA\r\n") ==
        relay_envelope_ok + "451 4.3.1 No room\r\n");
  relay.observer.is_full = false;  // the transaction is still there
  CHECK(relay.say("DATA\r\n") == relay_go_ahead);
  relay.say("text\r\n.\r\n");
  CHECK(relay.answer(1) == queued_in_11(1));
  relay.observer.is_full = true;
  CHECK(relay.say(relay_envelope + "BDAT 5\r\nNOOP\nBDAT 6\r\nQUIT\r\nRSET\r\n") ==
        relay_envelope_ok +
            "451 4.3.1 No room\r\n503 5.5.1 RSET comes first: a chunk was refused\r\n" + relay_ok);
  CHECK(relay.say(relay_envelope + chunk_of_six + relay_envelope) ==
        relay_envelope_ok + "451 4.3.1 No room\r\n" + relay_envelope_ok);
  CHECK(relay.say("BDAT 0 LAST\r\n") == "451 4.3.1 No room\r\n");
  CHECK(relay.observer.messages.size() == 1);
  CHECK(relay.observer.announced == std::vector<std::optional<std::uint64_t>>{6, 6, 5, 6, 0});
  CHECK(relay.observer.violations == 0);
  CHECK(relay.observer.discarded == 0);
}

TEST_CASE("server: the envelope has what extensions say, and who says it") {
  Relay relay({}, {.auth_in_clear = false, .auth_required = true});
  relay.session.tls_started("TLSv1.3");
  relay.begin();
  CHECK(relay.say("AUTH PLAIN AHNob3AAd3Jvbmc=\r\n") == "535 5.7.8 User or password is wrong\r\n");
  CHECK(relay.say("AUTH PLAIN AHNob3AAc2VjcmV0\r\n") == "235 2.7.0 Welcome\r\n");
  CHECK(relay.say("MAIL FROM:<x@elsewhere.example>\r\n") == "553 5.7.1 Not a sender of shop\r\n");
  relay.say(
      "MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=q+2B1\r\n"
      "RCPT TO:<c@d>\r\n"
      "RCPT TO:<e@f> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;e@f\r\n"
      "RCPT TO:<g@h>\r\n"
      "BDAT 9 LAST\r\nf\xc3\xbcr:\r\n\r\n");
  relay.answer(1);
  relay.say("MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n");
  const Taking& taking = relay.observer.messages.at(0);
  CHECK(taking.sender == "a@b");
  CHECK(taking.size == 9);
  CHECK(taking.eight_bit_mime);
  CHECK(taking.smtputf8);
  CHECK(taking.return_kind == "HDRS");
  CHECK(taking.envelope_id == "q+2B1");
  CHECK(taking.recipients == std::vector<std::string>{"c@d", "e@f", "g@h"});
  CHECK(taking.dsn == std::vector<std::pair<std::string, std::string>>{
                          {"", ""}, {"SUCCESS,DELAY", "rfc822;e@f"}});
  CHECK(taking.bytes == 9);
  CHECK(taking.chunked);
  CHECK(taking.client.session == 11);
  CHECK(taking.client.peer == "192.0.2.7:4711");
  CHECK(taking.client.hello == "shop.example");
  CHECK(taking.client.tls_version == "TLSv1.3");
  CHECK(taking.client.user == "shop");
  // Nothing of it is in the next.
  const Taking& empty = relay.observer.messages.at(1);
  CHECK(empty.sender.empty());
  CHECK_FALSE(empty.size);
  CHECK_FALSE(empty.eight_bit_mime);
  CHECK_FALSE(empty.smtputf8);
  CHECK(empty.return_kind.empty());
  CHECK(empty.envelope_id.empty());
  CHECK(empty.dsn.empty());
  CHECK(empty.recipients == std::vector<std::string>{"c@d"});
  CHECK(relay.observer.violations == 0);
}

TEST_CASE("server: content comes in pieces as it is read, and ends one way or the other") {
  Relay relay;
  relay.begin();
  relay.say(relay_envelope + "DATA\r\n");
  relay.say("one\r\n");
  CHECK(relay.observer.pieces == 1);
  relay.say("..two\r\n");
  CHECK(relay.observer.pieces == 2);
  CHECK(relay.observer.messages.empty());
  relay.say(".\r\n");
  CHECK(relay.observer.messages.at(0).content == "one\r\n.two\r\n");
  CHECK(relay.observer.discarded == 0);
  relay.answer(1);
  // Refused by the session itself, taken back, and lost.
  relay.say(relay_envelope + "DATA\r\n");
  CHECK(relay.say("bare\n.\r\n.\r\n") == "554 5.6.0 Bare line feed\r\n");
  CHECK(relay.observer.discarded == 1);
  relay.say(relay_envelope + "BDAT 3\r\nabcRSET\r\n");
  CHECK(relay.observer.discarded == 2);
  relay.say(relay_envelope + "DATA\r\n");
  relay.say("half of it");
  relay.session.connection_lost();
  CHECK(relay.observer.discarded == 3);
  CHECK(relay.observer.messages.size() == 1);
}

TEST_CASE("server: any cut of what a client says hands over and answers the same") {
  const std::string flight = "MAIL FROM:<a@b> RET=FULL\r\nRCPT TO:<c@d>\r\nRCPT TO:<quota@d>\r\n";
  const std::string says = flight + "BDAT 7\r\n.\r\n.one" + "BDAT 2 LAST\r\n\r\n" + flight +
                           chunk_of_six + "RSET\r\n" + flight + "BDAT 4 LAST\r\nx\n\r\n" +
                           "MAIL FROM:<x@elsewhere.example>\r\n" + relay_envelope + "DATA\r\n";
  const std::string rest = "..\r\n.\r\n" + relay_envelope + "BDAT 0 LAST\r\nQUIT\r\n";
  const auto play = [&](std::size_t piece_bytes) {
    Relay relay;
    relay.begin();
    const auto say = [&](Bytes text) {
      for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
        relay.session.receive(text.substr(at, piece_bytes));
      }
    };
    say(says);
    std::string heard = relay.answer(2, {250, "2.0.0", "two"});
    heard += relay.answer(1, {250, "2.0.0", "one"});
    say(rest);
    heard += relay.answer(3, {451, "4.0.0", "three"});
    heard += relay.answer(4, {250, "2.0.0", "four"});
    return std::tuple(heard, relay.observer.messages, relay.counts.counts,
                      relay.observer.violations);
  };
  const auto whole = play(1000);
  CHECK(std::get<0>(whole).find("four\r\n221 2.0.0 Bye\r\n") != std::string::npos);
  CHECK(std::get<1>(whole).size() == 4);
  for (std::size_t piece_bytes = 1; piece_bytes < 40; ++piece_bytes) {
    INFO("pieces of " << piece_bytes);
    CHECK(play(piece_bytes) == whole);
  }
}
