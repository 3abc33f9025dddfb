// Our channels against other people's TLS over loopback: the openssl program and Python's ssl.
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"

namespace ringpost::tls::test {

namespace {

// `openssl s_server` with a certificate of ours, on a port of its own choice.
class OpensslServer {
 public:
  explicit OpensslServer(const std::string& options, const std::string& folder_name = "server")
      : identity_(identity_for({std::string(mail_host)})),
        log_(folder_.path(folder_name + ".log")),
        program_("openssl s_server -accept 127.0.0.1:0 -cert " +
                     folder_.write("cert.pem", identity_.certificate_pem) + " -key " +
                     folder_.write("key.pem", identity_.key_pem) + " " + options,
                 log_) {
    const std::string output = program_.wait_for("ACCEPT 127.0.0.1:");
    const std::size_t colon = output.find("ACCEPT 127.0.0.1:") + 17;
    port_ = std::stoi(output.substr(colon));
    client_side = client_context(identity_.certificate_pem);
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::string& certificate_pem() const { return identity_.certificate_pem; }
  [[nodiscard]] const Program& program() const { return program_; }

  std::unique_ptr<Context> client_side;

 private:
  TemporaryFolder folder_;
  SelfSigned identity_;
  std::string log_;
  Program program_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("interop: a client of ours talks with openssl s_server both ways") {
  const std::string version = GENERATE("-tls1_2", "-tls1_3", "-tls1_3 -groups P-384",
                                       "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
                                       "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384",
                                       "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384");
  CAPTURE(version);
  const OpensslServer server("-rev " + version);
  End client(*server.client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  INFO((client.error ? client.error->message() : std::string()));
  REQUIRE(client.done);
  CHECK(client.channel->version() == (version.starts_with("-tls1_2") ? "TLSv1.2" : "TLSv1.3"));
  std::string line(15000, 'a');
  line += 'b';
  wire.send("hello\n" + line + "\n");
  wire.receive_until(std::string(15000, 'a') + "\n");
  CHECK(client.received == "olleh\nb" + std::string(15000, 'a') + "\n");
  wire.send("CLOSE\n");
  wire.receive_until_over();
  CHECK(client.closed);
}

TEST_CASE("interop: a server that demands a client certificate gets one, or says what it misses") {
  const std::string version = GENERATE("-tls1_2", "-tls1_3");
  const bool has_one = GENERATE(true, false);
  CAPTURE(version, has_one);
  const TemporaryFolder folder;
  folder.run(
      "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=client -days 30 -keyout c.key "
      "-out c.pem");
  const OpensslServer server("-rev -Verify 1 -verify_return_error " + version + " -CAfile " +
                             folder.path("c.pem"));
  ContextOptions options;
  options.ca_pem = server.certificate_pem();
  if (has_one) {
    options.certificate_file = folder.path("c.pem");
    options.key_file = folder.path("c.key");
  }
  const auto client_side = Context::create(options);
  REQUIRE(client_side);
  End client(**client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  if (has_one) {
    INFO((client.error ? client.error->message() : std::string()));
    REQUIRE(client.done);
    wire.send("EHLO\n");
    wire.receive_until("OLHE\n");
    CHECK(client.received == "OLHE\n");
  } else {
    wire.receive_until_over();
    REQUIRE(client.error);
    CHECK(client.error->kind == TlsErrorKind::peer_alert);
  }
}

TEST_CASE("interop: keys that openssl changes are followed, and answered") {
  // A command of s_server has to be all that it reads at once, so each is waited for in -msg's log.
  const OpensslServer server("-tls1_3 -msg");
  End client(*server.client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  REQUIRE(client.done);
  wire.send("one\n");
  static_cast<void>(server.program().wait_for("one\n"));
  server.program().type("first\n");
  wire.receive_until("first\n");
  server.program().type("k\n");  // no answer wanted
  static_cast<void>(server.program().wait_for("18 00 00 01 00"));
  server.program().type("second\n");
  wire.receive_until("second\n");
  server.program().type("K\n");  // answer wanted
  static_cast<void>(server.program().wait_for("18 00 00 01 01"));
  server.program().type("third\n");
  wire.receive_until("third\n");
  wire.send("two\n");
  const std::string log = server.program().wait_for("two\n");
  CHECK(log.find("<<< TLS 1.3, Handshake [length 0005], KeyUpdate") != std::string::npos);
  CHECK(client.received == "first\nsecond\nthird\n");
  CHECK_FALSE(client.error);
}

TEST_CASE("interop: openssl's wish to renegotiate is refused") {
  const OpensslServer server("-tls1_2 -legacy_renegotiation");
  End client(*server.client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  REQUIRE(client.done);
  wire.send("one\n");
  static_cast<void>(server.program().wait_for("one\n"));
  server.program().type("r\n");
  wire.receive_until_over();
  INFO((client.error ? client.error->message() : std::string("no error")));
  CHECK((client.error || client.closed));
  CHECK(client.received.empty());
}

TEST_CASE("interop: a client that renegotiates is refused by our server") {
  const auto identity = identity_for({std::string(mail_host)});
  const auto server_side = server_context(identity);
  const TemporaryFolder folder;
  const Listener listener;
  const Program program("openssl s_client -tls1_2 -legacy_renegotiation -connect 127.0.0.1:" +
                            std::to_string(listener.port()),
                        folder.path("client.log"));
  End server(*server_side, {});
  Wire wire(server, listener.accept());
  wire.shake_hands();
  REQUIRE(server.done);
  wire.send("220 ready\r\n");
  static_cast<void>(program.wait_for("220 ready\r\n"));
  program.type("R\n");
  wire.receive_until_over();
  INFO((server.error ? server.error->message() : std::string("no error")));
  CHECK(server.error);
  CHECK(server.received.empty());
}

TEST_CASE("interop: a server that speaks nothing newer than TLS 1.1 is refused") {
  const OpensslServer server("-rev -tls1_1 -cipher ALL:@SECLEVEL=0");
  End client(*server.client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  REQUIRE(client.error);
  CHECK(client.error->kind == TlsErrorKind::no_common_version);
}

TEST_CASE("interop: a server without AEAD or ECDHE is refused, by either side") {
  const std::string cipher = GENERATE("ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256");
  const OpensslServer server("-rev -tls1_2 -cipher " + cipher);
  End client(*server.client_side, mail_host);
  Wire wire(client, connect_to(server.port()));
  wire.shake_hands();
  REQUIRE(client.error);
  CHECK((client.error->kind == TlsErrorKind::peer_alert ||
         client.error->kind == TlsErrorKind::no_common_version));
}

TEST_CASE("interop: openssl's tickets are resumed with, connection after connection") {
  const std::string version = GENERATE("-tls1_2", "-tls1_3", "-tls1_3 -num_tickets 1");
  CAPTURE(version);
  const OpensslServer server("-rev " + version);
  TicketCache tickets;
  for (int count = 0; count < 4; ++count) {
    CAPTURE(count);
    End client(*server.client_side, mail_host, &tickets);
    Wire wire(client, connect_to(server.port()));
    wire.shake_hands();
    INFO((client.error ? client.error->message() : std::string()));
    REQUIRE(client.done);
    CHECK(client.channel->resumed() == (count > 0));
    wire.send("EHLO\n");
    wire.receive_until("OLHE\n");
    CHECK(client.received == "OLHE\n");
    client.channel->close_notify();
    wire.flush();
  }
  CHECK(tickets.size() == 1);
}

TEST_CASE("interop: a server that openssl has started anew gets a full handshake") {
  const std::string version = GENERATE("-tls1_2", "-tls1_3");
  const std::string second = GENERATE("-tls1_2", "-tls1_3", "-tls1_3 -groups P-384",
                                      "-tls1_2 -no_ticket", "-tls1_3 -no_ticket -num_tickets 0");
  CAPTURE(version, second);
  // Every server here has an identity of its own; what is unknown is the ticket, not the CA.
  const TemporaryFolder folder;
  const auto identity = identity_for({std::string(mail_host)});
  folder.write("cert.pem", identity.certificate_pem);
  folder.write("key.pem", identity.key_pem);
  const auto client_side = client_context(identity.certificate_pem);
  TicketCache tickets;
  for (const std::string& options : {version, second, second}) {
    CAPTURE(options);
    const std::string log = folder.path("server.log");
    const Program program("openssl s_server -accept 127.0.0.1:0 -rev -cert " +
                              folder.path("cert.pem") + " -key " + folder.path("key.pem") + " " +
                              options,
                          log);
    const std::string output = program.wait_for("ACCEPT 127.0.0.1:");
    const int port = std::stoi(output.substr(output.find("ACCEPT 127.0.0.1:") + 17));
    End client(*client_side, mail_host, &tickets);
    const bool had_ticket = tickets.size() > 0;
    Wire wire(client, connect_to(port));
    wire.shake_hands();
    // With a ticket wolfSSL offers the version and the group of the ticket and no other. Where
    // that fails, the ticket is not offered again.
    const bool hopeless =
        had_ticket && options != version &&
        ((version == "-tls1_2" && options.starts_with("-tls1_3")) || options.ends_with("P-384"));
    if (hopeless) {
      CHECK(client.error);
      CHECK(tickets.size() == 0);
      continue;
    }
    INFO((client.error ? client.error->message() : std::string()));
    REQUIRE(client.done);
    CHECK_FALSE(client.channel->resumed());
    wire.send("EHLO\n");
    wire.receive_until("OLHE\n");
    CHECK(client.received == "OLHE\n");
  }
}

TEST_CASE(
    "interop: openssl s_client verifies a self-signed certificate and talks with our server") {
  const std::string version = GENERATE("-tls1_2", "-tls1_3");
  const TemporaryFolder folder;
  const auto identity = identity_for({std::string(mail_host), "127.0.0.1"});
  folder.write("ca.pem", identity.certificate_pem);
  const auto server_side = server_context(identity);
  const Listener listener;
  Program program("openssl s_client -connect 127.0.0.1:" + std::to_string(listener.port()) +
                      " -CAfile " + folder.path("ca.pem") + " -verify_return_error -x509_strict" +
                      " -verify_hostname mail.example.com -servername mail.example.com " + version,
                  folder.path("client.log"));
  End server(*server_side, {});
  Wire wire(server, listener.accept());
  wire.shake_hands();
  INFO((server.error ? server.error->message() : std::string()));
  INFO(folder.read("client.log"));
  REQUIRE(server.done);
  wire.send("220 ready\r\n");
  static_cast<void>(program.wait_for("220 ready\r\n"));
  program.type("EHLO a\r\n");
  wire.receive_until("EHLO a\r\n");
  CHECK(server.received == "EHLO a\r\n");
  CHECK(program.wait_for("Verification: OK").find("Verify return code: 0 (ok)") !=
        std::string::npos);
  program.end_input();
  wire.receive_until_over();
  CHECK(server.closed);
  CHECK(program.wait() == 0);
}

TEST_CASE("interop: a client of TLS 1.1 is refused by our server") {
  const auto server_side = server_context(identity_for({std::string(mail_host)}));
  const TemporaryFolder folder;
  const Listener listener;
  const Program program("openssl s_client -connect 127.0.0.1:" + std::to_string(listener.port()) +
                            " -tls1_1 -cipher ALL:@SECLEVEL=0",
                        folder.path("client.log"));
  End server(*server_side, {});
  Wire wire(server, listener.accept());
  wire.shake_hands();
  REQUIRE(server.error);
  CHECK(server.error->kind == TlsErrorKind::no_common_version);
}

TEST_CASE("interop: a client that does not trust our server says so in an alert") {
  const auto server_side = server_context(identity_for({std::string(mail_host)}));
  const TemporaryFolder folder;
  folder.write("other.pem", identity_for({"other.example"}).certificate_pem);
  const Listener listener;
  const Program program("openssl s_client -connect 127.0.0.1:" + std::to_string(listener.port()) +
                            " -CAfile " + folder.path("other.pem") + " -verify_return_error",
                        folder.path("client.log"));
  End server(*server_side, {});
  Wire wire(server, listener.accept());
  wire.shake_hands();
  wire.receive_until_over();
  REQUIRE(server.error);
  CHECK(server.error->kind == TlsErrorKind::peer_alert);
  CHECK(server.error->detail.find("certificate") != std::string::npos);
}

TEST_CASE("interop: Python verifies a self-signed certificate strictly, by name and by address") {
  const TemporaryFolder folder;
  const auto identity = identity_for({std::string(mail_host), "127.0.0.1", "::1"});
  folder.write("ca.pem", identity.certificate_pem);
  const std::string asked = GENERATE("mail.example.com", "127.0.0.1", "::1");
  CAPTURE(asked);
  const auto server_side = server_context(identity);
  const Listener listener;
  // Strictness is the default from Python 3.13 on.
  folder.write("client.py",
               "import socket, ssl\n"
               "context = ssl.create_default_context(cafile='" +
                   folder.path("ca.pem") +
                   "')\n"
                   "context.verify_flags |= ssl.VERIFY_X509_STRICT\n"
                   "assert context.check_hostname\n"
                   "raw = socket.create_connection(('127.0.0.1', " +
                   std::to_string(listener.port()) +
                   "))\n"
                   "tls = context.wrap_socket(raw, server_hostname='" +
                   asked +
                   "')\n"
                   "tls.sendall(b'EHLO a\\r\\n')\n"
                   "print(tls.version(), tls.recv(100))\n"
                   "tls.unwrap()\n");
  Program program("python3 " + folder.path("client.py"), folder.path("client.log"));
  End server(*server_side, {});
  Wire wire(server, listener.accept());
  wire.shake_hands();
  wire.receive_until("EHLO a\r\n");
  INFO((server.error ? server.error->message() : std::string()));
  REQUIRE(server.done);
  wire.send("250 ok\r\n");
  wire.receive_until_over();
  CHECK(server.closed);
  server.channel->close_notify();
  wire.flush();
  CHECK(program.wait() == 0);
  INFO(folder.read("client.log"));
  CHECK(folder.read("client.log").find("TLSv1.3 b'250 ok") != std::string::npos);
}

}  // namespace ringpost::tls::test
