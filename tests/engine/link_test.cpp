// A link between a session and a server that both stand in memory: what passes, however it is
// split, and how it ends. The server is the model of tests/support, behind a channel of its own.
#include "engine/link.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/mail.h"
#include "tests/support/model_server.h"
#include "tests/tls/support.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using protocol::CloseKind;
using protocol::SessionState;
using protocol::TlsMode;
using tls::TlsErrorKind;

constexpr Duration handshake_time = 7s;

const tls::test::SelfSigned& mail_identity() {
  static const tls::test::SelfSigned identity =
      tls::test::identity_for({std::string(tls::test::mail_host)});
  return identity;
}

class LinkEar final : public protocol::SessionListener {
 public:
  void on_start_tls() override {}
  void on_ready() override { ready = true; }
  void on_end_of_data(Delivery&, std::uint32_t, std::uint32_t) override { ++announced; }
  void on_verdict(Delivery&, std::uint32_t, const protocol::Verdict& verdict) override {
    statuses.push_back(verdict.status);
  }
  void on_delivery_done(Delivery&) override { ++done; }
  void on_closed(const protocol::CloseReason& reason) override {
    CHECK_FALSE(end);
    end = reason;
  }

  bool ready = false;
  int announced = 0;  // ends of data
  std::vector<Status> statuses;
  int done = 0;
  std::optional<protocol::CloseReason> end;
};

class LinkWatcher final : public LinkObserver {
 public:
  void on_text_in(Bytes text) override { in += text; }
  void on_text_out(Bytes text, SessionState said_in) override {
    out += text;
    states.push_back(said_in);
  }
  void on_handshake() override { ++handshakes; }

  std::string in;
  std::string out;
  std::vector<SessionState> states;
  int handshakes = 0;
};

// The model behind TLS where it has any; `heard` and `said` are in clear.
class LinkPeer {
 public:
  explicit LinkPeer(TlsMode mode, const ringpost::test::ModelServerOptions& options = {})
      : model_(with_starttls(options, mode), 7),
        context_(tls::test::server_context(mail_identity())) {
    if (mode == TlsMode::implicit) {
      end_.emplace(*context_, "");
    }
  }

  void receive(Bytes octets, std::size_t split) {
    if (!end_) {
      hear(octets);
      return;
    }
    end_->deliver(octets, split);
    if (end_->done && model_.wants_handshake()) {
      model_.handshake_done();
    }
    hear(end_->received);
    end_->received.clear();
  }

  // What it has to say, as it goes over the wire.
  std::string output() {
    const std::string text = end_ && !end_->done ? "" : std::exchange(model_.output(), {});
    said += text;
    if (end_) {
      return end_->output() + (text.empty() ? "" : end_->seal(text));
    }
    if (model_.wants_handshake()) {
      end_.emplace(*context_, "");
    }
    return text;
  }

  // The same in a record, or an alert: then nothing may follow.
  std::string close_notify() {
    end_->channel->close_notify();
    return end_->output();
  }

  [[nodiscard]] const ringpost::test::ModelServer& model() const { return model_; }
  [[nodiscard]] const tls::test::End& end() const { return *end_; }

  std::string heard;
  std::string said;

 private:
  static ringpost::test::ModelServerOptions with_starttls(
      ringpost::test::ModelServerOptions options, TlsMode mode) {
    options.starttls = mode == TlsMode::starttls;
    return options;
  }
  void hear(Bytes text) {
    heard += text;
    model_.receive(text);
  }

  ringpost::test::ModelServer model_;
  std::unique_ptr<tls::Context> context_;
  std::optional<tls::test::End> end_;
};

struct LinkRig {
  explicit LinkRig(TlsMode mode, bool watched = true,
                   const std::string& trusted = mail_identity().certificate_pem)
      : context(tls::test::client_context(trusted)),
        link(environment, options, ear, watched ? &watcher : nullptr) {
    session_options.tls_mode = mode;
    session_options.client_name.clear();
    environment.plaintext_room = room;
    environment.tls_context = context.get();
    environment.host = tls::test::mail_host;
    environment.tls_timeout = handshake_time;
    options.session = &session_options;
    options.client_name = "client.example";
  }

  // In pieces of their own size, so that a sanitizer sees a read beyond them.
  void feed(Bytes octets, std::size_t split = 0) {
    while (!octets.empty()) {
      const std::string piece(octets.substr(0, split == 0 ? octets.size() : split));
      octets.remove_prefix(piece.size());
      link.feed(piece, now);
    }
  }

  // Everything that is ready.
  std::string take() {
    std::string octets;
    std::array<char, 8192> memory;
    while (link.has_output()) {
      ByteBuffer buffer(memory.data(), memory.size());
      const LinkSealed done = link.seal(buffer);
      sealed.tls_records += done.tls_records;
      sealed.bytes_copied += done.bytes_copied;
      octets += buffer.bytes();
      link.handed_over(now);
    }
    return octets;
  }

  // Until neither has any more to say.
  void talk(LinkPeer& peer, std::size_t split = 0) {
    for (bool quiet = false; !quiet;) {
      const std::string there = take();
      peer.receive(there, split);
      const std::string back = peer.output();
      feed(back, split);
      quiet = there.empty() && back.empty();
    }
  }

  // Up to where messages are welcome.
  void open(LinkPeer& peer, std::size_t split = 0) {
    link.begin(now);
    talk(peer, split);
    REQUIRE(ear.ready);
    REQUIRE(link.state() == LinkState::talking);
  }

  [[nodiscard]] CloseKind end_kind() const {
    REQUIRE(ear.end);
    return ear.end->kind;
  }

  Instant now{100s};
  std::array<char, 4096> room;
  protocol::SessionOptions session_options;
  std::unique_ptr<tls::Context> context;
  LinkEnvironment environment;
  LinkOptions options;
  LinkEar ear;
  LinkWatcher watcher;
  LinkSealed sealed;
  Link link;
};

std::string long_content() {
  std::string text = "Subject: x\r\n\r\n";
  for (int line = 0; line < 300; ++line) {
    text += ".a line that begins with a dot, and more of it\r\n";
  }
  return text;
}

struct SaidAndDone {
  std::string in;
  std::string out;
  std::string content;
  bool operator==(const SaidAndDone&) const = default;
};

// A session with a message, from the first octet to the end of TLS.
SaidAndDone whole_session(TlsMode mode, std::size_t split, bool watched) {
  LinkRig rig(mode, watched);
  LinkPeer peer(mode);
  rig.open(peer, split);
  const ringpost::test::Mail mail =
      ringpost::test::make_mail({.recipients = {"reader@b.example"}, .content = long_content()});
  REQUIRE(rig.link.session().wants_message());
  rig.link.session().submit(mail.delivery, rig.now);
  rig.talk(peer, split);
  rig.link.session().quit(rig.now);
  rig.talk(peer, split);
  CHECK(rig.ear.announced == 1);
  CHECK(rig.ear.statuses == std::vector{Status::accepted});
  CHECK(rig.ear.done == 1);
  CHECK(rig.end_kind() == CloseKind::quit);
  CHECK(rig.link.state() == LinkState::over);
  CHECK(rig.link.deadline() == never);
  CHECK(rig.link.say_farewell() == (mode != TlsMode::none));
  peer.receive(rig.take(), split);
  CHECK((mode == TlsMode::none || peer.end().closed));
  CHECK_FALSE(rig.link.has_output());
  CHECK(peer.model().complaint().empty());
  REQUIRE(peer.model().taken().size() == 1);
  CHECK(peer.said.find("model.example") != std::string::npos);
  if (watched) {
    CHECK(rig.watcher.in == peer.said);
    CHECK(rig.watcher.out == peer.heard);
    CHECK(rig.watcher.handshakes == (mode == TlsMode::none ? 0 : 1));
  }
  return {peer.said, peer.heard, peer.model().taken().front().content};
}

}  // namespace

TEST_CASE("link: a session is the same however its octets are split, and whoever looks on") {
  const TlsMode mode = GENERATE(TlsMode::none, TlsMode::starttls, TlsMode::implicit);
  const SaidAndDone whole = whole_session(mode, 0, true);
  CHECK(whole.content == long_content());
  CHECK(whole.out.starts_with("EHLO client.example\r\n"));
  for (const std::size_t split : {1u, 2u, 3u, 7u, 100u, 1000u}) {
    CHECK(whole_session(mode, split, true) == whole);
  }
  CHECK(whole_session(mode, 5, false) == whole);
}

TEST_CASE("link: an observer is told in which state the session said a thing") {
  LinkRig rig(TlsMode::starttls);
  LinkPeer peer(TlsMode::starttls);
  rig.open(peer);
  CHECK(rig.watcher.states ==
        std::vector{SessionState::hello, SessionState::starttls, SessionState::hello_tls});
}

TEST_CASE("link: a handshake has its time, before a session and within one") {
  const TlsMode mode = GENERATE(TlsMode::implicit, TlsMode::starttls);
  LinkRig rig(mode);
  rig.link.begin(rig.now);
  if (mode == TlsMode::starttls) {
    rig.feed("220 mail.example.com\r\n");
    CHECK(rig.take() == "EHLO client.example\r\n");
    rig.feed("250-mail.example.com\r\n250 STARTTLS\r\n");
    CHECK(rig.take() == "STARTTLS\r\n");
    rig.now += 2s;
    rig.feed("220 go\r\n");
  }
  CHECK(rig.link.state() == LinkState::handshake);
  CHECK(rig.link.has_session() == (mode == TlsMode::starttls));
  CHECK(rig.link.deadline() == rig.now + handshake_time);
  CHECK_FALSE(rig.take().empty());  // the ClientHello
  CHECK(rig.link.deadline() == rig.now + handshake_time);
  rig.link.expire(rig.link.deadline());
  CHECK(rig.end_kind() == CloseKind::timeout);
  CHECK(rig.ear.end->stage == Stage::tls);
  CHECK(rig.ear.end->detail == "TLS handshake");
  CHECK(rig.link.state() == LinkState::over);
  CHECK(rig.link.deadline() == never);
  CHECK(rig.link.tls_error() == nullptr);
  CHECK_FALSE(rig.link.say_farewell());  // nobody is there to be told
  rig.link.expire(rig.now + 100s);
  rig.link.end(reason_of(CloseKind::aborted, Stage::local));  // nothing any more
  CHECK(rig.end_kind() == CloseKind::timeout);
}

TEST_CASE("link: a session that talks has its own deadline") {
  LinkRig rig(TlsMode::none);
  rig.session_options.timeouts.greeting = 3s;
  rig.link.begin(rig.now);
  CHECK(rig.link.state() == LinkState::talking);
  CHECK(rig.link.deadline() == rig.now + 3s);
  rig.link.expire(rig.now + 2s);
  CHECK_FALSE(rig.ear.end);
  rig.link.expire(rig.now + 3s);
  CHECK(rig.end_kind() == CloseKind::timeout);
  CHECK(rig.ear.end->stage == Stage::greeting);
}

TEST_CASE("link: a server that closes in the handshake ends it before there is a session") {
  LinkRig rig(TlsMode::implicit);
  LinkPeer peer(TlsMode::implicit);
  rig.link.begin(rig.now);
  const std::size_t heard = GENERATE(0u, 1u, 50u);
  peer.receive(rig.take(), 0);
  rig.feed(Bytes(peer.output()).substr(0, heard));
  rig.link.feed_end(rig.now);
  CHECK(rig.end_kind() == CloseKind::tls_failed);
  CHECK(rig.ear.end->stage == Stage::tls);
  CHECK_FALSE(rig.ear.end->permanent);
  REQUIRE(rig.link.tls_error() != nullptr);
  CHECK(rig.link.tls_error()->kind == TlsErrorKind::closed);
  CHECK(rig.link.state() == LinkState::over);
  CHECK_FALSE(rig.link.has_session());
}

TEST_CASE("link: how the stream ended is said in the words of the layer that it ended in") {
  LinkRig rig(TlsMode::implicit);
  LinkPeer peer(TlsMode::implicit);
  rig.open(peer);
  SECTION("with the end of TLS") {
    rig.feed(peer.close_notify());
    CHECK(rig.ear.end->detail == "it ended TLS");
  }
  SECTION("without") {
    rig.link.feed_end(rig.now);
    CHECK(rig.ear.end->detail == "without ending TLS first");
  }
  SECTION("with octets that are none of TLS") {
    rig.feed("421 good night\r\n");
    REQUIRE(rig.link.tls_error() != nullptr);
    CHECK(rig.end_kind() == CloseKind::tls_failed);
    CHECK(rig.link.state() == LinkState::over);
    return;
  }
  CHECK(rig.end_kind() == CloseKind::peer_closed);
  CHECK(rig.link.state() == LinkState::over);
}

TEST_CASE("link: a server that closes behind a message leaves it in doubt, once") {
  const TlsMode mode = GENERATE(TlsMode::none, TlsMode::starttls);
  LinkRig rig(mode);
  LinkPeer peer(mode);
  rig.open(peer);
  const ringpost::test::Mail mail = ringpost::test::make_mail(
      {.recipients = {"a@b.example", "c@b.example"}, .content = long_content()});
  rig.link.session().submit(mail.delivery, rig.now);
  rig.talk(peer);
  CHECK(rig.ear.statuses.size() == 2);  // known: the next one is what is lost
  const ringpost::test::Mail lost = ringpost::test::make_mail(
      {.recipients = {"a@b.example", "c@b.example"}, .content = long_content()});
  rig.link.session().submit(lost.delivery, rig.now);
  while (!peer.model().taken().empty() && peer.model().taken().size() < 2) {
    peer.receive(rig.take(), 0);
    if (peer.model().taken().size() < 2) {
      rig.feed(peer.output());
    }
  }
  rig.feed(Bytes(peer.output()).substr(0, mode == TlsMode::none ? 2 : 9));  // of its last reply
  rig.link.feed_end(rig.now);
  CHECK(rig.end_kind() == CloseKind::peer_closed);
  CHECK(rig.ear.done == 2);
  CHECK(rig.ear.statuses ==
        std::vector{Status::accepted, Status::accepted, Status::unknown, Status::unknown});
  CHECK_FALSE(rig.link.has_output());
}

TEST_CASE("link: what stands in clear behind the 220 to STARTTLS is never obeyed") {
  LinkRig rig(TlsMode::starttls);
  rig.link.begin(rig.now);
  rig.feed("220 mail.example.com\r\n");
  rig.take();
  rig.feed("250-mail.example.com\r\n250 STARTTLS\r\n");
  rig.take();
  SECTION("in the same octets") {
    rig.feed("220 go\r\n250 AUTH PLAIN\r\n");
    CHECK(rig.end_kind() == CloseKind::starttls_injected);
    CHECK(rig.link.channel() == nullptr);
  }
  SECTION("in others") {
    rig.feed("220 go\r\n");
    CHECK_FALSE(rig.take().empty());
    rig.feed("250 AUTH PLAIN\r\n");
    CHECK(rig.end_kind() == CloseKind::tls_failed);
    CHECK(rig.link.tls_error()->kind == TlsErrorKind::not_tls);
    CHECK(rig.watcher.in.find("AUTH") == std::string::npos);
  }
  CHECK(rig.link.state() == LinkState::over);
  CHECK_FALSE(rig.ear.ready);
  CHECK(rig.watcher.handshakes == 0);
}

TEST_CASE("link: an answer that is no TLS is kept, put together from its pieces") {
  LinkRig rig(TlsMode::implicit);
  rig.link.begin(rig.now);
  rig.take();
  rig.feed("2");
  rig.feed("20");
  CHECK_FALSE(rig.ear.end);
  rig.feed(" mail.example.com ESMTP\r\n" + std::string(1000, 'x'));
  CHECK(rig.end_kind() == CloseKind::tls_failed);
  CHECK(rig.ear.end->permanent);
  CHECK(rig.link.tls_error()->kind == TlsErrorKind::not_tls);
  CHECK(rig.link.answer().starts_with("220 mail.example.com ESMTP\r\nxxx"));
  CHECK(rig.link.answer().size() == 512);
}

TEST_CASE("link: a certificate that proves nothing is told to the server, behind the end") {
  LinkRig rig(TlsMode::implicit, true, tls::test::identity_for({"other.example"}).certificate_pem);
  LinkPeer peer(TlsMode::implicit);
  rig.link.begin(rig.now);
  peer.receive(rig.take(), 0);
  rig.feed(peer.output(), 10);
  CHECK(rig.end_kind() == CloseKind::tls_failed);
  CHECK(rig.ear.end->permanent);
  CHECK(rig.link.tls_error()->kind == TlsErrorKind::unknown_authority);
  CHECK(rig.link.state() == LinkState::over);
  CHECK(rig.link.say_farewell());
  peer.receive(rig.take(), 0);
  REQUIRE(peer.end().error);
  CHECK(peer.end().error->kind == TlsErrorKind::peer_alert);
}

TEST_CASE("link: certificates are kept where people want to see them") {
  LinkRig rig(TlsMode::implicit);
  rig.environment.keeps_certificates = GENERATE(false, true);
  LinkPeer peer(TlsMode::implicit);
  rig.open(peer);
  CHECK(rig.link.channel()->peer_certificates().empty() == !rig.environment.keeps_certificates);
}

TEST_CASE("link: asked whether a port is TLS, a server answers") {
  LinkRig rig(TlsMode::starttls);
  LinkPeer peer(TlsMode::implicit);
  rig.link.ask_for_tls(3s, rig.now);
  CHECK(rig.link.asks_for_tls());
  CHECK(rig.link.deadline() == rig.now + 3s);
  const std::string hello = rig.take();
  CHECK_FALSE(hello.empty());
  SECTION("with TLS") {
    peer.receive(hello, 0);
    rig.talk(peer, 3);
    CHECK(rig.end_kind() == CloseKind::quit);
    CHECK(rig.link.tls_answer() == TlsAnswer::tls);
  }
  SECTION("with the beginning of it") {
    rig.feed("\x16\x03\x03", 1);
    rig.link.feed_end(rig.now);
    CHECK(rig.end_kind() == CloseKind::tls_failed);
    CHECK(rig.link.tls_answer() == TlsAnswer::tls);
  }
  SECTION("with what is no mail") {
    rig.feed("HT");
    rig.feed("TP/1.1 400 Bad Request\r\n\r\n");
    CHECK(rig.link.tls_answer() == TlsAnswer::other);
    CHECK(rig.link.answer() == "HTTP/1.1 400 Bad Request\r\n\r\n");
  }
  SECTION("with a greeting, at last") {
    rig.feed("220 mail.example.com\r\n");
    CHECK(rig.end_kind() == CloseKind::tls_failed);
    CHECK(rig.link.tls_answer() == TlsAnswer::none);
  }
  SECTION("by going away") {
    rig.link.feed_end(rig.now);
    CHECK(rig.end_kind() == CloseKind::tls_failed);
    CHECK(rig.link.tls_answer() == TlsAnswer::none);
  }
  SECTION("not at all") {
    rig.link.expire(rig.now + 3s);
    CHECK(rig.end_kind() == CloseKind::timeout);
    CHECK(rig.link.tls_answer() == TlsAnswer::none);
  }
  CHECK(rig.link.state() == LinkState::over);
  CHECK_FALSE(rig.link.has_session());
  CHECK(rig.watcher.handshakes == 0);
  CHECK((rig.watcher.in + rig.watcher.out).empty());
}

TEST_CASE("link: a certificate that does not please is an answer in TLS") {
  LinkRig rig(TlsMode::starttls, true, tls::test::identity_for({"other.example"}).certificate_pem);
  LinkPeer peer(TlsMode::implicit);
  rig.link.ask_for_tls(20s, rig.now);
  CHECK(rig.link.deadline() == rig.now + handshake_time);  // no longer than any other
  rig.talk(peer);
  CHECK(rig.end_kind() == CloseKind::tls_failed);
  CHECK(rig.link.tls_answer() == TlsAnswer::tls);
}

TEST_CASE("link: what does not fit into a buffer stays for the next one") {
  const TlsMode mode = GENERATE(TlsMode::none, TlsMode::implicit);
  LinkRig rig(mode);
  LinkPeer peer(mode);
  rig.open(peer);
  rig.link.session().quit(rig.now);
  std::array<char, 4096> small;  // no room for as much as may be said at once
  ByteBuffer buffer(small.data(), small.size() - (mode == TlsMode::none ? 1 : 0));
  const LinkSealed nothing = rig.link.seal(buffer);
  CHECK(buffer.empty());
  CHECK(nothing.bytes_copied == 0);
  CHECK(rig.link.has_output());
  CHECK(rig.watcher.out.find("QUIT") == std::string::npos);
  rig.talk(peer);
  CHECK(rig.end_kind() == CloseKind::quit);
}

TEST_CASE("link: it counts records and copies") {
  const TlsMode mode = GENERATE(TlsMode::none, TlsMode::implicit);
  LinkRig rig(mode);
  LinkPeer peer(mode);
  rig.open(peer);
  rig.sealed = {};
  rig.link.session().quit(rig.now);
  const std::string octets = rig.take();
  const std::size_t text = std::string("QUIT\r\n").size();
  // Into the room, which is in the buffer where TLS seals in place, and else from there into it.
  CHECK(rig.sealed.tls_records == (mode == TlsMode::none ? 0 : 1));
  CHECK(rig.sealed.bytes_copied == (mode == TlsMode::none ? 2 * text : text));
  CHECK(octets.size() >= text);
}

}  // namespace ringpost::engine
