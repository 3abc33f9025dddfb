// Resumption: what is kept, for whom, how often it may be used, and that a refused ticket costs a
// full handshake and nothing else.
#include "tls/ticket_cache.h"

#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"

namespace ringpost::tls::test {

namespace {

struct Endpoint {
  SelfSigned identity = identity_for({std::string(mail_host), "other.example.com"});
  std::unique_ptr<Context> server_side;
  std::unique_ptr<Context> client_side;
  TicketCache tickets;
  std::string version;  // of the last connection

  explicit Endpoint(bool tls_1_2 = false) : server_side(server(tls_1_2)), client_side(client()) {}

  [[nodiscard]] std::unique_ptr<Context> server(bool tls_1_2) const {
    ContextOptions options;
    options.role = Role::server;
    options.certificate_pem = identity.certificate_pem;
    options.key_pem = identity.key_pem;
    options.tls_1_2_only = tls_1_2;
    return std::move(*Context::create(options));
  }
  [[nodiscard]] std::unique_ptr<Context> client() const {
    return client_context(identity.certificate_pem);
  }

  // A whole connection; what it says is whether it was resumed.
  bool talk(std::string_view asked = mail_host, Context* as_client = nullptr,
            std::size_t split = 0) {
    End client(as_client != nullptr ? *as_client : *client_side, asked, &tickets);
    End server(*server_side, {});
    exchange(client, server, split);
    INFO((client.error ? client.error->message() : std::string()));
    INFO((server.error ? server.error->message() : std::string()));
    REQUIRE(client.done);
    REQUIRE(server.done);
    CHECK(client.channel->resumed() == server.channel->resumed());
    version = client.channel->version();
    client.deliver(server.seal("220 hello\r\n"));
    server.deliver(client.seal("EHLO a\r\n"));
    CHECK(client.received == "220 hello\r\n");
    CHECK(server.received == "EHLO a\r\n");
    return client.channel->resumed();
  }
};

}  // namespace

TEST_CASE("ticket: the second connection resumes, and so do those behind it") {
  const bool tls_1_2 = GENERATE(false, true);
  const std::size_t split = GENERATE(0u, 1u);
  CAPTURE(tls_1_2, split);
  Endpoint endpoint(tls_1_2);
  CHECK_FALSE(endpoint.talk(mail_host, nullptr, split));
  CHECK(endpoint.tickets.size() == 1);
  for (int count = 0; count < 5; ++count) {
    CHECK(endpoint.talk(mail_host, nullptr, split));
  }
  CHECK(endpoint.tickets.size() == 1);
}

TEST_CASE("ticket: without a cache nothing is resumed") {
  Endpoint endpoint;
  CHECK_FALSE(endpoint.talk());
  End client(*endpoint.client_side, mail_host);
  End server(*endpoint.server_side, {});
  exchange(client, server);
  CHECK(client.done);
  CHECK_FALSE(client.channel->resumed());
}

TEST_CASE("ticket: connections side by side may use the same ticket") {
  const bool tls_1_2 = GENERATE(false, true);
  CAPTURE(tls_1_2);
  Endpoint endpoint(tls_1_2);
  CHECK_FALSE(endpoint.talk());
  {
    End first(*endpoint.client_side, mail_host, &endpoint.tickets);
    End second(*endpoint.client_side, mail_host, &endpoint.tickets);
    End first_server(*endpoint.server_side, {});
    End second_server(*endpoint.server_side, {});
    // The second starts before the first has ended, and the first gets its ticket last.
    first.advance();
    second.advance();
    first_server.deliver(first.output());
    exchange(second, second_server);
    exchange(first, first_server);
    CHECK(first.channel->resumed());
    CHECK(second.channel->resumed());
    second.deliver(second_server.seal("220\r\n"));
    first.deliver(first_server.seal("220\r\n"));
  }
  CHECK(endpoint.talk());
  CHECK(endpoint.talk());
}

TEST_CASE("ticket: it is kept while the connection lives, so that the next one can start with it") {
  Endpoint endpoint;
  End client(*endpoint.client_side, mail_host, &endpoint.tickets);
  End server(*endpoint.server_side, {});
  exchange(client, server);
  client.deliver(server.seal("220 hello\r\n"));
  CHECK(endpoint.tickets.size() == 1);
  CHECK(endpoint.talk());
}

TEST_CASE("ticket: one that the server does not know falls back to a full handshake") {
  const bool tls_1_2 = GENERATE(false, true);
  CAPTURE(tls_1_2);
  Endpoint endpoint(tls_1_2);
  CHECK_FALSE(endpoint.talk());
  endpoint.server_side = endpoint.server(tls_1_2);  // new keys, as after a restart
  CHECK_FALSE(endpoint.talk());
  if (tls_1_2) {
    CHECK_FALSE(endpoint.talk());  // with all versions offered again
  }
  CHECK(endpoint.talk());
}

TEST_CASE("ticket: a server that speaks another version now gets a full handshake") {
  const bool from_1_2 = GENERATE(false, true);
  CAPTURE(from_1_2);
  Endpoint endpoint(from_1_2);
  CHECK_FALSE(endpoint.talk());
  endpoint.server_side = endpoint.server(!from_1_2);
  CHECK_FALSE(endpoint.talk());
  if (from_1_2) {
    CHECK(endpoint.version == "TLSv1.2");  // the ticket was of that version
    CHECK_FALSE(endpoint.talk());
  }
  CHECK(endpoint.version == (from_1_2 ? "TLSv1.3" : "TLSv1.2"));
  CHECK(endpoint.talk());
}

TEST_CASE("ticket: a full handshake in place of a refused ticket checks the certificate") {
  Endpoint endpoint;
  CHECK_FALSE(endpoint.talk());
  endpoint.identity = identity_for({"elsewhere.example"});
  endpoint.server_side = endpoint.server(false);
  End client(*endpoint.client_side, mail_host, &endpoint.tickets);
  End server(*endpoint.server_side, {});
  exchange(client, server);
  REQUIRE(client.error);
  CHECK(client.error->kind == TlsErrorKind::wrong_host);
  CHECK(endpoint.tickets.size() == 0);
}

TEST_CASE("ticket: it is for one host") {
  Endpoint endpoint;
  CHECK_FALSE(endpoint.talk(mail_host));
  CHECK_FALSE(endpoint.talk("other.example.com"));
  CHECK(endpoint.tickets.size() == 2);
  CHECK(endpoint.talk(mail_host));
  CHECK(endpoint.talk("other.example.com"));
  CHECK(endpoint.talk("other.example.com."));
}

TEST_CASE("ticket: an unverified session never stands in for one that must be verified") {
  Endpoint endpoint;
  const auto careless = client_context({}, false);
  CHECK_FALSE(endpoint.talk(mail_host, careless.get()));
  CHECK_FALSE(endpoint.talk(mail_host));
  CHECK(endpoint.talk(mail_host, careless.get()));
  const auto same_trust = endpoint.client();
  CHECK(endpoint.talk(mail_host, same_trust.get()));
}

TEST_CASE("ticket: a handshake that fails with it makes the next one go without") {
  Endpoint endpoint;
  CHECK_FALSE(endpoint.talk());
  {
    End client(*endpoint.client_side, mail_host, &endpoint.tickets);
    client.advance();
    static_cast<void>(client.output());
    client.deliver(std::string_view("\x15\x03\x03\0\x02\x02\x33", 7));  // decrypt_error
    REQUIRE(client.error);
  }
  CHECK(endpoint.tickets.size() == 0);
  CHECK_FALSE(endpoint.talk());
}

TEST_CASE("ticket: there are never more than allowed, and the one unused longest leaves") {
  const auto identity = identity_for({"*.example.com"});
  const auto server_side = server_context(identity);
  const auto client_side = client_context(identity.certificate_pem);
  TicketCache tickets(3);
  const auto talk = [&](std::string_view asked) {
    End client(*client_side, asked, &tickets);
    End server(*server_side, {});
    exchange(client, server);
    client.deliver(server.seal("220\r\n"));
    REQUIRE(client.done);
    return client.channel->resumed();
  };
  for (const std::string_view asked : {"a.example.com", "b.example.com", "c.example.com"}) {
    CHECK_FALSE(talk(asked));
  }
  CHECK(talk("a.example.com"));
  CHECK_FALSE(talk("d.example.com"));
  CHECK(tickets.size() == 3);
  CHECK(talk("a.example.com"));
  CHECK(talk("c.example.com"));
  CHECK(talk("d.example.com"));
  CHECK_FALSE(talk("b.example.com"));
  tickets.clear();
  CHECK(tickets.size() == 0);
  CHECK_FALSE(talk("a.example.com"));
}

}  // namespace ringpost::tls::test
