// Which certificates a client accepts, and how it says no. The server's identities are made here or
// by the openssl program, so that not everything comes from the same hands.
#include <chrono>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"

namespace ringpost::tls::test {

namespace {

using namespace std::chrono_literals;

// A handshake between a client that wants `asked` and trusts `ca_pem`, and a server that shows
// `identity`. Checks what holds for every refusal: no data, and the server is told.
struct Meeting {
  std::unique_ptr<Context> server_side;
  std::unique_ptr<Context> client_side;
  End client;
  End server;

  Meeting(const SelfSigned& identity, std::string_view ca_pem, std::string_view asked,
          bool verify = true)
      : server_side(server_context(identity)),
        client_side(client_context(ca_pem, verify)),
        client(*client_side, asked),
        server(*server_side, {}) {
    exchange(client, server);
    CHECK(client.done == !client.error.has_value());
    if (client.error) {
      CHECK_FALSE(client.channel->handshake_done());
      REQUIRE(server.error);
      CHECK(server.error->kind == TlsErrorKind::peer_alert);
      CHECK(server.received.empty());
    }
  }

  [[nodiscard]] TlsErrorKind kind() const {
    REQUIRE(client.error);
    return client.error->kind;
  }
};

// A leaf that openssl makes, signed by "ca.pem" and "ca.key" of the folder.
SelfSigned issue(const TemporaryFolder& folder, const std::string& subject,
                 const std::string& extensions, const std::string& ca = "ca",
                 const std::string& name = "leaf", const std::string& dates = "-days 30") {
  folder.write(name + ".ext", extensions);
  folder.run("openssl ecparam -name prime256v1 -genkey -noout -out " + name +
             ".key && "
             "openssl req -new -key " +
             name + ".key -subj '" + subject + "' -out " + name + ".csr && openssl x509 -req -in " +
             name + ".csr -CA " + ca + ".pem -CAkey " + ca + ".key -CAcreateserial -extfile " +
             name + ".ext " + dates + " -out " + name + ".pem");
  return {folder.read(name + ".pem"), folder.read(name + ".key")};
}

std::string make_ca(const TemporaryFolder& folder, const std::string& name = "ca",
                    const std::string& subject = "/CN=Test CA") {
  folder.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '" +
             subject + "' -days 30 -keyout " + name + ".key -out " + name + ".pem");
  return folder.read(name + ".pem");
}

}  // namespace

TEST_CASE("certificate: the right name from a trusted CA is accepted") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const auto identity = issue(folder, "/CN=whatever", "subjectAltName=DNS:mail.example.com");
  const std::string_view asked =
      GENERATE("mail.example.com", "MAIL.example.com", "mail.example.com.");
  const Meeting meeting(identity, ca, asked);
  CHECK(meeting.client.done);
  CHECK(meeting.server.done);
}

TEST_CASE("certificate: one for another host is refused before any octet of data") {
  const auto identity = identity_for({"other.example.com", "www.example.net", "192.0.2.7"});
  const Meeting meeting(identity, identity.certificate_pem, mail_host);
  REQUIRE(meeting.kind() == TlsErrorKind::wrong_host);
  CHECK(meeting.client.error->message() ==
        "the certificate that came is not for mail.example.com but for other.example.com, "
        "www.example.net, 192.0.2.7; use the name that is in the certificate as the endpoint's "
        "host");
}

TEST_CASE("certificate: one of an unknown CA is refused") {
  const auto identity = identity_for({std::string(mail_host)});
  const auto stranger = identity_for({"stranger.example"});
  const bool other_ca = GENERATE(false, true);
  const Meeting meeting(identity, other_ca ? stranger.certificate_pem : std::string(), mail_host);
  REQUIRE(meeting.kind() == TlsErrorKind::unknown_authority);
  CHECK(meeting.client.error->message() ==
        "the certificate of mail.example.com is not signed by any CA trusted here: it is "
        "self-signed; for a private CA add ?ca=FILE to the endpoint");
}

TEST_CASE("certificate: one that another CA of the same name signed is refused") {
  const TemporaryFolder folder;
  static_cast<void>(make_ca(folder));
  const auto identity = issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com");
  const std::string impostor = make_ca(folder, "impostor");
  const Meeting meeting(identity, impostor, mail_host);
  const TlsErrorKind kind = meeting.kind();
  CHECK((kind == TlsErrorKind::unknown_authority || kind == TlsErrorKind::bad_certificate));
}

TEST_CASE("certificate: an expired one is refused, and the clock is mentioned") {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  static_cast<void>(issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com"));
  SECTION("a leaf of a CA") {
    folder.write("index.txt", "");
    folder.write("ca.cnf",
                 "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\n"
                 "default_md=sha256\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n");
    folder.run(
        "openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in leaf.csr "
        "-extfile leaf.ext -startdate 20200101000000Z -enddate 20200201000000Z -out old.pem");
    const Meeting meeting({folder.read("old.pem"), folder.read("leaf.key")}, ca, mail_host);
    REQUIRE(meeting.kind() == TlsErrorKind::expired);
    CHECK(meeting.client.error->message().find("clock") != std::string::npos);
  }
  SECTION("one that is its own CA is not even taken as a CA") {
    const auto identity = make_self_signed({std::string(mail_host)}, now - 48h, now - 24h);
    REQUIRE(identity);
    ContextOptions options;
    options.ca_pem = identity->certificate_pem;
    const auto context = Context::create(options);
    REQUIRE_FALSE(context);
    CHECK(context.error().kind == TlsErrorKind::local_file);
    CHECK(context.error().message().find("expired on 20") != std::string::npos);
    CHECK(context.error().message().find("get a current one") != std::string::npos);
  }
}

TEST_CASE("certificate: one that is not valid yet is refused") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  static_cast<void>(issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com"));
  folder.write("index.txt", "");
  folder.write("ca.cnf",
               "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\n"
               "default_md=sha256\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n");
  folder.run(
      "openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in leaf.csr "
      "-extfile leaf.ext -startdate 20990101000000Z -enddate 20990201000000Z -out new.pem");
  const Meeting meeting({folder.read("new.pem"), folder.read("leaf.key")}, ca, mail_host);
  CHECK(meeting.kind() == TlsErrorKind::not_yet_valid);
}

TEST_CASE("certificate: a wildcard covers one label and no more") {
  const auto identity = identity_for({"*.example.com"});
  CHECK(Meeting(identity, identity.certificate_pem, "mail.example.com").client.done);
  CHECK(Meeting(identity, identity.certificate_pem, "a.b.example.com").kind() ==
        TlsErrorKind::wrong_host);
  CHECK(Meeting(identity, identity.certificate_pem, "example.com").kind() ==
        TlsErrorKind::wrong_host);
}

TEST_CASE("certificate: an address has to be among the addresses") {
  const auto identity = identity_for({"192.0.2.1", "2001:db8::1"});
  const std::string& ca = identity.certificate_pem;
  CHECK(Meeting(identity, ca, "192.0.2.1").client.done);
  CHECK(Meeting(identity, ca, "2001:db8::1").client.done);
  CHECK(Meeting(identity, ca, "2001:0DB8:0:0::1").client.done);
  CHECK(Meeting(identity, ca, "192.0.2.2").kind() == TlsErrorKind::wrong_host);
  CHECK(Meeting(identity, ca, "2001:db8::2").kind() == TlsErrorKind::wrong_host);
}

TEST_CASE("certificate: an address that stands as a name does not count") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const auto identity = issue(folder, "/CN=192.0.2.1", "subjectAltName=DNS:192.0.2.1");
  CHECK(Meeting(identity, ca, "192.0.2.1").kind() == TlsErrorKind::wrong_host);
}

TEST_CASE("certificate: a common name alone names no host") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const auto identity = issue(folder, "/CN=mail.example.com", "basicConstraints=CA:FALSE");
  const Meeting meeting(identity, ca, mail_host);
  REQUIRE(meeting.kind() == TlsErrorKind::wrong_host);
  CHECK(meeting.client.error->detail.empty());
  CHECK(meeting.client.error->message().find("common name") != std::string::npos);
}

TEST_CASE("certificate: a mail address of the same text is no host") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const auto identity =
      issue(folder, "/CN=x", "subjectAltName=email:mail.example.com,DNS:other.example");
  CHECK(Meeting(identity, ca, mail_host).kind() == TlsErrorKind::wrong_host);
}

TEST_CASE("certificate: one that is for clients only is refused") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const auto identity =
      issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com\nextendedKeyUsage=clientAuth");
  CHECK(Meeting(identity, ca, mail_host).kind() == TlsErrorKind::bad_certificate);
}

TEST_CASE("certificate: an intermediate comes with the server's chain, and only a CA may be one") {
  const TemporaryFolder folder;
  const std::string ca = make_ca(folder);
  const bool is_ca = GENERATE(true, false);
  static_cast<void>(issue(folder, "/CN=Intermediate",
                          is_ca ? "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign"
                                : "basicConstraints=CA:FALSE",
                          "ca", "middle"));
  auto identity = issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com", "middle");
  SECTION("sent along") {
    identity.certificate_pem += folder.read("middle.pem");
    const Meeting meeting(identity, ca, mail_host);
    INFO((meeting.client.error ? meeting.client.error->message() : std::string()));
    if (is_ca) {
      CHECK(meeting.client.done);
    } else {
      CHECK(meeting.kind() != TlsErrorKind::wrong_host);
    }
  }
  SECTION("left out") {
    CHECK(Meeting(identity, ca, mail_host).kind() == TlsErrorKind::unknown_authority);
  }
}

// Gmail and others send their root with a second signature, by an older root that this machine need
// not have.
TEST_CASE("certificate: a trusted CA is enough, whatever else the server sends above it") {
  const TemporaryFolder folder;
  const std::string trusted = make_ca(folder, "root", "/CN=New Root");
  static_cast<void>(make_ca(folder, "old", "/CN=Old Root"));
  // The same key and name as the trusted root, signed by the old one.
  folder.write("cross.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign");
  folder.run(
      "openssl req -new -key root.key -subj '/CN=New Root' -out cross.csr && openssl x509 "
      "-req -in cross.csr -CA old.pem -CAkey old.key -CAcreateserial -extfile cross.ext "
      "-days 30 -out cross.pem");
  auto identity = issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com", "root");
  identity.certificate_pem += folder.read("cross.pem");
  SECTION("cross-signed by an unknown CA") {}
  SECTION("and that CA itself") { identity.certificate_pem += folder.read("old.pem"); }
  const Meeting meeting(identity, trusted, mail_host);
  INFO((meeting.client.error ? meeting.client.error->message() : std::string()));
  CHECK(meeting.client.done);
  // And it is still no more than the trusted CA that counts.
  const auto stranger = identity_for({"stranger.example"});
  CHECK(Meeting(identity, stranger.certificate_pem, mail_host).kind() ==
        TlsErrorKind::unknown_authority);
  CHECK(Meeting(identity, trusted, "other.example.com").kind() == TlsErrorKind::wrong_host);
}

// The roots of Go Daddy, Starfield (which also stands above Amazon's) and others, where a server
// sends them along. It takes -DWOLFSSL_PYTHON in wolfSSL 5.7, which lifts this one check and
// nothing else in this build.
TEST_CASE("certificate: a CA whose serial number is zero is as good as any other") {
  const TemporaryFolder folder;
  folder.run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
      "'/CN=Old Root' -set_serial 0 -days 30 -keyout ca.key -out ca.pem");
  const auto identity = issue(folder, "/CN=x", "subjectAltName=DNS:mail.example.com");
  const Meeting meeting(identity, folder.read("ca.pem"), mail_host);
  CHECK(meeting.client.done);
}

TEST_CASE("certificate: a key too small to trust is refused") {
  const TemporaryFolder folder;
  folder.run(
      "openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=x -days 30 -addext "
      "subjectAltName=DNS:mail.example.com -keyout weak.key -out weak.pem");
  ContextOptions options;
  options.ca_pem = folder.read("weak.pem");
  const auto context = Context::create(options);
  if (context) {
    const SelfSigned identity = {folder.read("weak.pem"), folder.read("weak.key")};
    CHECK(Meeting(identity, identity.certificate_pem, mail_host).kind() ==
          TlsErrorKind::bad_certificate);
  } else {
    CHECK(context.error().kind == TlsErrorKind::local_file);
  }
}

TEST_CASE("certificate: RSA and P-384 keys are as good as P-256") {
  const TemporaryFolder folder;
  const std::string algorithm =
      GENERATE("rsa:2048", "rsa:4096", "ec -pkeyopt ec_paramgen_curve:P-384");
  folder.run(
      "openssl req -x509 -newkey " + algorithm +
      " -nodes -subj /CN=x -days 30 -addext subjectAltName=DNS:mail.example.com -keyout a.key "
      "-out a.pem");
  const SelfSigned identity = {folder.read("a.pem"), folder.read("a.key")};
  const Meeting meeting(identity, identity.certificate_pem, mail_host);
  CHECK(meeting.client.done);
}

TEST_CASE("certificate: without verification anything is accepted") {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto identity = make_self_signed({"other.example.com"}, now - 48h, now - 24h);
  REQUIRE(identity);
  const Meeting meeting(*identity, "", mail_host, false);
  CHECK(meeting.client.done);
  CHECK(meeting.server.done);
  CHECK_FALSE(meeting.client_side->verifies_peer());
}

}  // namespace ringpost::tls::test
