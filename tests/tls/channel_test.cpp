// A client channel and a server channel in memory: what comes out does not depend on how the stream
// was cut, and every way to end is told apart from every other.
#include "tls/channel.h"

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"
#include <ringpost/limits.h>

namespace ringpost::tls::test {

namespace {

// Bytes that would show a swap, a loss or a repetition.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& octet : text) {
    state = state * 1664525 + 1013904223;
    octet = static_cast<char>(state >> 24);
  }
  return text;
}

struct Pair {
  SelfSigned identity = identity_for({std::string(mail_host)});
  std::unique_ptr<Context> server_side;
  std::unique_ptr<Context> client_side;
  End client;
  End server;

  explicit Pair(bool tls_1_2 = false, std::string_view asked = mail_host)
      : server_side(context(Role::server, tls_1_2)),
        client_side(context(Role::client, tls_1_2)),
        client(*client_side, asked),
        server(*server_side, {}) {}

  void connect() {
    exchange(client, server);
    INFO((client.error ? client.error->message() : std::string()));
    REQUIRE(client.done);
    REQUIRE(server.done);
  }

 private:
  std::unique_ptr<Context> context(Role role, bool tls_1_2) const {
    ContextOptions options;
    options.role = role;
    options.tls_1_2_only = tls_1_2;
    if (role == Role::server) {
      options.certificate_pem = identity.certificate_pem;
      options.key_pem = identity.key_pem;
    } else {
      options.ca_pem = identity.certificate_pem;
    }
    auto made = Context::create(options);
    REQUIRE(made);
    return std::move(*made);
  }
};

}  // namespace

TEST_CASE("channel: any split of the stream gives the same handshake and the same plaintext") {
  const bool tls_1_2 = GENERATE(false, true);
  const std::size_t split = GENERATE(1u, 2u, 7u, 2048u, 0u);
  CAPTURE(tls_1_2, split);
  Pair pair(tls_1_2);
  exchange(pair.client, pair.server, split);
  REQUIRE(pair.client.done);
  REQUIRE(pair.server.done);
  CHECK(pair.client.channel->version() == (tls_1_2 ? "TLSv1.2" : "TLSv1.3"));
  CHECK(pair.client.channel->cipher() == pair.server.channel->cipher());
  CHECK(pair.client.channel->cipher() ==
        (tls_1_2 ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS13-AES128-GCM-SHA256"));

  for (const std::size_t size : {0u, 1u, 16383u, 16384u, 16385u, 1u << 20}) {
    CAPTURE(size);
    if (size > 16385 && split > 0 && split < 2048) {
      continue;  // nothing new, and slow under a sanitizer
    }
    const std::string text = pattern(size);
    pair.server.deliver(pair.client.seal(text), split);
    pair.client.deliver(pair.server.seal(text), split);
    CHECK(pair.server.received == text);
    CHECK(pair.client.received == text);
    pair.server.received.clear();
    pair.client.received.clear();
  }
  CHECK_FALSE(pair.client.error);
  CHECK_FALSE(pair.server.error);
}

TEST_CASE("channel: what is sealed stays below sealed_bytes_max and above what was given") {
  const bool tls_1_2 = GENERATE(false, true);
  Pair pair(tls_1_2);
  pair.connect();
  for (const std::size_t size : {0u, 1u, 100u, 16384u, 16385u, 32768u, 100000u}) {
    const std::string sealed = pair.client.seal(pattern(size));  // checks the bound
    CHECK(sealed.size() >= size);
    const std::size_t records = (size + 16383) / 16384;
    CHECK(sealed.size() <= size + records * 29);
    pair.server.deliver(sealed);
  }
  CHECK_FALSE(pair.server.error);
}

TEST_CASE("channel: sealing nothing makes no record") {
  Pair pair;
  pair.connect();
  CHECK(pair.client.seal("").empty());
}

TEST_CASE("channel: what waits goes out before what is sealed") {
  Pair pair;
  pair.client.advance();
  pair.server.deliver(pair.client.output());
  pair.client.deliver(pair.server.output());
  REQUIRE(pair.client.done);
  REQUIRE(pair.client.channel->has_output());  // its Finished
  pair.server.deliver(pair.client.seal("EHLO a\r\n"));
  CHECK(pair.server.done);
  CHECK(pair.server.received == "EHLO a\r\n");
}

TEST_CASE("channel: data behind the handshake in one piece is read once the handshake is done") {
  Pair pair;
  pair.client.advance();
  pair.server.deliver(pair.client.output());
  pair.client.deliver(pair.server.output());
  const std::string finished = pair.client.output();
  pair.server.deliver(finished + pair.client.seal("early bird"));
  CHECK(pair.server.received == "early bird");
}

TEST_CASE("channel: output is handed over in as many pieces as the buffer asks for") {
  Pair pair;
  pair.client.advance();
  std::array<char, 1> octet{};
  std::string hello;
  ByteBuffer none(octet.data(), 0);
  CHECK(pair.client.channel->take_output(none));
  bool more = true;
  while (more) {
    ByteBuffer buffer(octet.data(), 1);
    more = pair.client.channel->take_output(buffer);
    hello += buffer.bytes();
  }
  pair.server.deliver(hello);
  CHECK_FALSE(pair.server.output().empty());
}

TEST_CASE("channel: keys change as often as wanted, on either side, and nothing is lost") {
  const bool tls_1_2 = GENERATE(false, true);
  const std::size_t split = GENERATE(0u, 1u);
  Pair pair(tls_1_2);
  pair.connect();
  for (int count = 0; count < 5; ++count) {
    pair.client.channel->update_keys();
    CHECK(pair.client.channel->has_output() == !tls_1_2);
    pair.server.deliver(pair.client.seal("MAIL\r\n"), split);
    CHECK(pair.server.channel->has_output() == !tls_1_2);  // it was asked to change its own
    pair.client.deliver(pair.server.seal("250\r\n"), split);
    pair.server.channel->update_keys();
    pair.client.deliver(pair.server.output(), split);
    pair.server.deliver(pair.client.output(), split);
  }
  CHECK(pair.server.received == "MAIL\r\nMAIL\r\nMAIL\r\nMAIL\r\nMAIL\r\n");
  CHECK(pair.client.received == "250\r\n250\r\n250\r\n250\r\n250\r\n");
  CHECK_FALSE(pair.client.error);
  CHECK_FALSE(pair.server.error);
}

TEST_CASE("channel: a client of TLS 1.3 seals in place, and in any order with what TLS says") {
  Pair pair;
  pair.connect();
  Channel& client = *pair.client.channel;
  REQUIRE(client.seals_in_place());
  CHECK_FALSE(pair.server.channel->seals_in_place());
  std::minstd_rand random(Catch::getSeed());
  std::string memory(1 << 18, '\0');
  ByteBuffer buffer(memory.data(), memory.size());
  std::string expected;
  for (int turn = 0; turn < 300; ++turn) {
    const std::string text = pattern(random() % (turn % 10 == 0 ? 60'000 : 3000) + 1);
    switch (random() % 6) {
      case 0:
        client.update_keys();
        break;
      case 1:  // what asks the client for a new key comes between its records
        pair.server.channel->update_keys();
        pair.client.deliver(pair.server.output());
        break;
      case 2:
      case 3: {
        const std::span<char> room = client.plaintext_room(buffer, limits::tls_record_bytes_max);
        const std::size_t count = std::min(text.size(), room.size());
        std::copy_n(text.begin(), count, room.begin());
        REQUIRE(client.seal({room.data(), count}, buffer));
        expected.append(text, 0, count);
        break;
      }
      default:  // from elsewhere
        REQUIRE(client.seal(text, buffer));
        expected += text;
    }
    CHECK_FALSE(client.take_output(buffer));
    pair.server.deliver(buffer.bytes(), static_cast<std::size_t>(turn % 3));
    buffer.clear();
  }
  REQUIRE_FALSE(pair.server.error);
  CHECK(pair.server.received == expected);
  client.close_notify();
  pair.server.deliver(pair.client.output());
  CHECK(pair.server.closed);
}

TEST_CASE("channel: wolfSSL makes the records of TLS 1.2") {
  Pair pair(true);
  pair.connect();
  CHECK_FALSE(pair.client.channel->seals_in_place());
  pair.server.deliver(pair.client.seal("MAIL\r\n"));
  CHECK(pair.server.received == "MAIL\r\n");
}

TEST_CASE("channel: close_notify ends the stream where the peer meant it to") {
  const bool tls_1_2 = GENERATE(false, true);
  Pair pair(tls_1_2);
  pair.connect();
  const std::string last = pair.server.seal("221 bye\r\n");
  pair.server.channel->close_notify();
  pair.server.channel->close_notify();  // once is enough
  pair.client.deliver(last + pair.server.output() + "junk behind it");
  CHECK(pair.client.received == "221 bye\r\n");
  CHECK(pair.client.closed);
  CHECK_FALSE(pair.client.error);
  const auto again = pair.client.channel->read();
  REQUIRE(again);
  CHECK(again->state == ReadState::closed);
  pair.client.channel->feed("more junk");
  pair.client.channel->feed_end();
  CHECK(pair.client.channel->read()->state == ReadState::closed);
  // What is left to say still goes out.
  pair.server.deliver(pair.client.seal("QUIT\r\n"));
  CHECK(pair.server.received == "QUIT\r\n");
  pair.client.channel->close_notify();
  pair.server.deliver(pair.client.output());
  CHECK(pair.server.closed);
}

TEST_CASE("channel: after its own close_notify it still reads") {
  Pair pair;
  pair.connect();
  pair.client.channel->close_notify();
  pair.client.deliver(pair.server.seal("still here"));
  CHECK(pair.client.received == "still here");
}

TEST_CASE("channel: an end without close_notify is truncation, not closing") {
  const bool tls_1_2 = GENERATE(false, true);
  Pair pair(tls_1_2);
  pair.connect();
  SECTION("between records") { pair.client.deliver(pair.server.seal("250 ok\r\n")); }
  SECTION("inside a record") {
    const std::string sealed = pair.server.seal("250 ok\r\n");
    pair.client.deliver(Bytes(sealed).substr(0, sealed.size() - 1));
    CHECK(pair.client.received.empty());
  }
  pair.client.deliver_end();
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->kind == TlsErrorKind::truncated);
  CHECK(pair.client.error->message() ==
        "the connection to mail.example.com ended without TLS close_notify");
  const auto again = pair.client.channel->read();
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == TlsErrorKind::truncated);
}

TEST_CASE("channel: what came before the end is read before the end is told") {
  Pair pair;
  pair.connect();
  const std::string sealed = pair.server.seal("421 going down\r\n");
  pair.client.channel->feed(sealed);
  pair.client.channel->feed_end();
  pair.client.advance();
  CHECK(pair.client.received == "421 going down\r\n");
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->kind == TlsErrorKind::truncated);
}

TEST_CASE("channel: an end during the handshake is told as closed, wherever it comes") {
  Pair whole;
  whole.client.advance();
  whole.server.deliver(whole.client.output());
  const std::string flight = whole.server.output();
  for (const std::size_t length : {std::size_t{0}, std::size_t{3}, flight.size() / 2}) {
    CAPTURE(length);
    Pair pair;
    pair.client.advance();
    pair.server.deliver(pair.client.output());
    pair.client.deliver(Bytes(pair.server.output()).substr(0, length));
    pair.client.deliver_end();
    REQUIRE(pair.client.error);
    CHECK(pair.client.error->kind == TlsErrorKind::closed);
  }
}

TEST_CASE("channel: plaintext instead of TLS is recognised and quoted") {
  const std::string_view junk =
      GENERATE("220 mail.example.com ESMTP\r\n", "HTTP/1.1 400 Bad\r\n\r\n", "\r\n\r\n\r\n\r\n",
               "\x16\x99zzzzzz");
  const std::size_t split = GENERATE(1u, 0u);
  CAPTURE(junk, split);
  Pair pair;
  pair.client.advance();
  pair.client.deliver(junk, split);
  pair.client.deliver_end();
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->kind == TlsErrorKind::not_tls);
  CHECK_FALSE(pair.client.done);
  if (split == 0 && junk.starts_with("220")) {
    CHECK(pair.client.error->detail.starts_with("\"220 "));
  }
}

TEST_CASE("channel: plaintext that ends before a record header is whole is no TLS either") {
  Pair pair;
  pair.client.advance();
  pair.client.deliver("220");
  pair.client.deliver_end();
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->kind == TlsErrorKind::not_tls);
  CHECK(pair.client.error->detail == "\"220\"");
}

TEST_CASE("channel: a server recognises a client that speaks no TLS") {
  Pair pair;
  pair.server.deliver("EHLO client.example\r\n");
  REQUIRE(pair.server.error);
  CHECK(pair.server.error->kind == TlsErrorKind::not_tls);
}

TEST_CASE("channel: a changed octet ends the connection and nothing of its record is read") {
  const bool tls_1_2 = GENERATE(false, true);
  Pair pair(tls_1_2);
  pair.connect();
  std::string sealed = pair.server.seal("250 ok\r\n");
  const std::size_t place = GENERATE_COPY(5u, std::size_t{20});
  sealed[place] = static_cast<char>(sealed[place] ^ 1);
  pair.client.deliver(sealed);
  REQUIRE(pair.client.error);
  CHECK(pair.client.error->kind == TlsErrorKind::internal);
  CHECK(pair.client.received.empty());
  // The peer is told.
  pair.server.deliver(pair.client.output());
  REQUIRE(pair.server.error);
  CHECK(pair.server.error->kind == TlsErrorKind::peer_alert);
  CHECK(pair.server.error->detail == "bad_record_mac");
}

TEST_CASE("channel: a dead channel repeats its error and sends nothing more") {
  Pair pair;
  pair.connect();
  std::string sealed = pair.server.seal("250 ok\r\n");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  pair.client.deliver(sealed);
  REQUIRE(pair.client.error);
  static_cast<void>(pair.client.output());
  pair.client.channel->close_notify();
  CHECK_FALSE(pair.client.channel->has_output());
  std::array<char, 1000> memory;
  ByteBuffer buffer(memory.data(), memory.size());
  const auto result = pair.client.channel->seal("QUIT\r\n", buffer);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == pair.client.error->kind);
  CHECK(buffer.empty());
  CHECK_FALSE(pair.client.channel->handshake());
}

TEST_CASE("channel: versions without one in common are told on both sides") {
  const auto identity = identity_for({std::string(mail_host)});
  ContextOptions options;
  options.role = Role::server;
  options.certificate_pem = identity.certificate_pem;
  options.key_pem = identity.key_pem;
  options.tls_1_2_only = true;
  const auto old = Context::create(options);
  REQUIRE(old);
  const auto client_side = client_context(identity.certificate_pem);

  SECTION("a TLS 1.2 server and a TLS 1.3 client agree on TLS 1.2") {
    End client(*client_side, mail_host);
    End server(**old, {});
    exchange(client, server);
    CHECK(client.channel->version() == "TLSv1.2");
    CHECK(server.done);
  }
  SECTION("a ServerHello of TLS 1.1 is refused") {
    End client(*client_side, mail_host);
    client.advance();
    static_cast<void>(client.output());
    std::string hello = "\x16\x03\x02";
    const std::string body =
        std::string("\x03\x02", 2) + std::string(32, 'r') + std::string("\0\xc0\x13\0\0\0", 6);
    hello += '\0';
    hello += static_cast<char>(body.size() + 4);
    hello += std::string("\x02\0\0", 3);
    hello += static_cast<char>(body.size());
    client.deliver(hello + body);
    REQUIRE(client.error);
    CHECK(client.error->kind == TlsErrorKind::no_common_version);
  }
  SECTION("an alert about the version is told as such") {
    End client(*client_side, mail_host);
    client.advance();
    static_cast<void>(client.output());
    client.deliver(std::string_view("\x15\x03\x01\0\x02\x02\x46", 7));
    REQUIRE(client.error);
    CHECK(client.error->kind == TlsErrorKind::no_common_version);
  }
  SECTION("any other alert is told by its name") {
    End client(*client_side, mail_host);
    client.advance();
    static_cast<void>(client.output());
    client.deliver(std::string_view("\x15\x03\x03\0\x02\x02\x28", 7));
    REQUIRE(client.error);
    CHECK(client.error->kind == TlsErrorKind::peer_alert);
    CHECK(client.error->detail.starts_with("handshake_failure"));
  }
}

TEST_CASE("channel: no octet changed on the way is let pass, and none makes an end fall") {
  const auto identity = identity_for({std::string(mail_host)});
  const auto client_side = client_context(identity.certificate_pem);
  ContextOptions options;
  options.role = Role::server;
  options.certificate_pem = identity.certificate_pem;
  options.key_pem = identity.key_pem;
  options.tls_1_2_only = GENERATE(false, true);
  const auto server_side = Context::create(options);
  REQUIRE(server_side);
  TicketCache tickets;
  std::mt19937 random(Catch::getSeed());
  for (int round = 0; round < 150; ++round) {
    End client(*client_side, mail_host, &tickets);
    End server(**server_side, {});
    bool changed = false;
    // Somewhere in one of the first flights, or in the data behind them.
    int flight = std::uniform_int_distribution(0, 5)(random);
    const auto pass = [&](std::string octets, End& to) {
      if (!octets.empty() && flight-- == 0) {
        const auto place = std::uniform_int_distribution<std::size_t>(0, octets.size() - 1)(random);
        octets[place] =
            static_cast<char>(octets[place] ^ std::uniform_int_distribution(1, 255)(random));
        changed = true;
      }
      to.deliver(octets, std::uniform_int_distribution<std::size_t>(1, 600)(random));
    };
    for (int step = 0; step < 4; ++step) {
      client.advance();
      pass(client.output(), server);
      pass(server.output(), client);
    }
    if (client.done && !client.error) {
      pass(client.seal("EHLO a\r\n"), server);
    }
    if (server.done && !server.error) {
      pass(server.seal("250 b\r\n"), client);
    }
    client.deliver_end();
    server.deliver_end();
    CHECK(client.error);
    CHECK(server.error);
    CHECK((client.received.empty() || client.received == "250 b\r\n"));
    CHECK((server.received.empty() || server.received == "EHLO a\r\n"));
    if (!changed) {
      CHECK(client.error->kind == TlsErrorKind::truncated);
    }
  }
}

TEST_CASE("channel: many channels of one context do not get into each other's way") {
  const auto identity = identity_for({std::string(mail_host)});
  const auto server_side = server_context(identity);
  const auto client_side = client_context(identity.certificate_pem);
  std::vector<std::pair<End, End>> pairs;
  for (int count = 0; count < 20; ++count) {
    pairs.emplace_back(End(*client_side, mail_host), End(*server_side, {}));
  }
  // All handshakes step by step side by side.
  for (int step = 0; step < 4; ++step) {
    for (auto& [client, server] : pairs) {
      client.advance();
      server.deliver(client.output());
      client.deliver(server.output());
    }
  }
  for (auto& [client, server] : pairs) {
    REQUIRE(client.done);
    REQUIRE(server.done);
    server.deliver(client.seal(pattern(20000)));
    CHECK(server.received == pattern(20000));
  }
}

}  // namespace ringpost::tls::test
