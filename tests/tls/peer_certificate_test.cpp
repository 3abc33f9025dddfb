// What is read out of a certificate, compared with what openssl was told to write into it; and that
// looking at a certificate does not change what becomes of it.
#include "tls/peer_certificate.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"

namespace ringpost::tls::test {

namespace {

// A self-signed certificate with a key that `key` asks for, in DER.
std::string make_der(const TemporaryFolder& folder, const std::string& key,
                     const std::string& more = "-days 30") {
  folder.run("openssl req -x509 -newkey " + key +
             " -nodes -keyout k.pem -subj '/C=DE/O=Ex, ample/CN=mail.example.com' -set_serial "
             "0x1234abcd -addext 'subjectAltName=DNS:mail.example.com,IP:192.0.2.1' " +
             more + " -outform DER -out c.der");
  return folder.read("c.der");
}

// A CA in "ca.pem" and "ca.key" of the folder.
SelfSigned make_authority(const TemporaryFolder& folder) {
  folder.run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Test CA' "
      "-days 30 -keyout ca.key -out ca.pem");
  return {folder.read("ca.pem"), {}};
}

// A leaf for mail.example.com that the CA has signed for this time.
SelfSigned issue_for_time(const TemporaryFolder& folder, const std::string& begin,
                          const std::string& end) {
  folder.write("index.txt", "");
  folder.write("leaf.ext", "subjectAltName=DNS:mail.example.com");
  folder.write("ca.cnf",
               "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\n"
               "default_md=sha256\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n");
  folder.run(
      "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key "
      "-subj /CN=x -out leaf.csr && openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile "
      "ca.key -in leaf.csr -extfile leaf.ext -startdate " +
      begin + " -enddate " + end + " -out leaf.pem");
  return {folder.read("leaf.pem"), folder.read("leaf.key")};
}

// A client that keeps certificates meets a server.
struct CertificateMeeting {
  std::unique_ptr<Context> server_side;
  std::unique_ptr<Context> client_side;
  End client;
  End server;

  CertificateMeeting(const SelfSigned& identity, std::string_view ca_pem, std::string_view asked,
                     bool verify, bool tls_1_2)
      : server_side(server_context(identity)),
        client_side(make_client(ca_pem, verify, tls_1_2)),
        client(*client_side, asked),
        server(*server_side, {}) {
    client.channel->keep_certificates();
    exchange(client, server);
  }

  static std::unique_ptr<Context> make_client(std::string_view ca_pem, bool verify, bool tls_1_2) {
    ContextOptions options;
    options.ca_pem = ca_pem;
    options.verify_peer = verify;
    options.tls_1_2_only = tls_1_2;
    auto context = Context::create(options);
    REQUIRE(context);
    return std::move(*context);
  }
};

}  // namespace

TEST_CASE("peer certificate: says what openssl was told to write") {
  struct Kind {
    std::string argument;
    std::string name;
  };
  const Kind kind = GENERATE(Kind{"rsa:2048", "RSA 2048"}, Kind{"rsa:3072", "RSA 3072"},
                             Kind{"ec -pkeyopt ec_paramgen_curve:P-256", "ECDSA P-256"},
                             Kind{"ec -pkeyopt ec_paramgen_curve:P-384", "ECDSA P-384"},
                             Kind{"ec -pkeyopt ec_paramgen_curve:P-521", "ECDSA P-521"},
                             Kind{"ed25519", "Ed25519"}, Kind{"ed448", "Ed448"},
                             Kind{"ec -pkeyopt ec_paramgen_curve:secp256k1", "ECDSA secp256k1"},
                             Kind{"ec -pkeyopt ec_paramgen_curve:sect283k1", "ECDSA 1.3.132.0.16"});
  const TemporaryFolder folder;
  const auto certificate = read_certificate(make_der(folder, kind.argument));
  REQUIRE(certificate);
  CHECK(certificate->key == kind.name);
  CHECK(certificate->subject == "C=DE, O=Ex, ample, CN=mail.example.com");
  CHECK(certificate->issuer == certificate->subject);
  CHECK(certificate->subject_common_name == "mail.example.com");
  CHECK(certificate->self_issued);
  CHECK(certificate->serial == "1234abcd");
  CHECK(certificate->names.hosts == std::vector<std::string>{"mail.example.com"});
  CHECK(address_texts(certificate->names) == std::vector<std::string>{"192.0.2.1"});
  const std::string digest = folder.run("sha256sum c.der");
  CHECK(digest.starts_with(certificate->sha256 + " "));
  CHECK(certificate->not_after - certificate->not_before == 30 * 86'400);
}

TEST_CASE("peer certificate: dates of both forms are Unix time") {
  const std::vector<std::string> names = {"mail.example.com"};
  using std::chrono::sys_days;
  using namespace std::chrono_literals;
  const auto before = sys_days(2049y / 12 / 31) + 23h + 59min + 58s;
  const auto after = sys_days(2050y / 2 / 28) + 1h + 2min + 3s;
  const auto identity = make_self_signed(names, before, after);
  REQUIRE(identity);
  const TemporaryFolder folder;
  folder.write("c.pem", identity->certificate_pem);
  folder.run("openssl x509 -in c.pem -outform DER -out c.der");
  const auto certificate = read_certificate(folder.read("c.der"));
  REQUIRE(certificate);
  CHECK(certificate->not_before == before.time_since_epoch().count());
  CHECK(certificate->not_after == after.time_since_epoch().count());
}

TEST_CASE("peer certificate: cut or changed anywhere it is read or refused, never beyond its end") {
  const TemporaryFolder folder;
  const std::string der = make_der(folder, "ec -pkeyopt ec_paramgen_curve:P-256");
  for (std::size_t length = 0; length < der.size(); ++length) {
    const std::string cut = der.substr(0, length);  // of its own, so that a sanitizer sees the end
    CHECK_FALSE(read_certificate(cut));
  }
  std::size_t refused = 0;
  for (std::size_t index = 0; index < der.size(); ++index) {
    std::string changed = der;
    changed[index] = static_cast<char>(changed[index] ^ 0x81);
    refused += read_certificate(changed) ? 0u : 1u;
  }
  CHECK(refused > 20);
}

TEST_CASE("channel: certificates that are kept are refused all the same") {
  const bool tls_1_2 = GENERATE(false, true);
  CAPTURE(tls_1_2);
  const auto identity = identity_for({"mail.example.com"});
  const auto other = identity_for({"other.example"});
  const TemporaryFolder folder;
  const SelfSigned authority = make_authority(folder);
  const SelfSigned expired = issue_for_time(folder, "20200101000000Z", "20200201000000Z");
  const SelfSigned early = issue_for_time(folder, "20450101000000Z", "20450201000000Z");
  struct Case {
    const SelfSigned* shown;
    const SelfSigned* trusted;
    TlsErrorKind kind;
  };
  const Case cases[] = {{&identity, &other, TlsErrorKind::unknown_authority},
                        {&other, &other, TlsErrorKind::wrong_host},
                        {&other, &identity, TlsErrorKind::wrong_host},
                        {&expired, &authority, TlsErrorKind::expired},
                        {&early, &authority, TlsErrorKind::not_yet_valid}};
  for (const Case& one : cases) {
    CertificateMeeting meeting(*one.shown, one.trusted->certificate_pem, "mail.example.com", true,
                               tls_1_2);
    REQUIRE(meeting.client.error);
    CAPTURE(meeting.client.error->message());
    CHECK_FALSE(meeting.client.done);
    CHECK_FALSE(meeting.client.channel->handshake_done());
    REQUIRE(meeting.server.error);
    CHECK(meeting.server.error->kind == TlsErrorKind::peer_alert);
    CHECK(meeting.client.error->kind == one.kind);
    REQUIRE(meeting.client.channel->peer_certificates().size() == 1);
    CHECK(read_certificate(meeting.client.channel->peer_certificates().front()));
  }
}

TEST_CASE("channel: certificates are kept of a peer that is let in, and only when asked for") {
  const bool verify = GENERATE(true, false);
  const bool tls_1_2 = GENERATE(false, true);
  const auto identity = identity_for({"mail.example.com"});
  CertificateMeeting meeting(identity, identity.certificate_pem, "mail.example.com", verify,
                             tls_1_2);
  REQUIRE(meeting.client.done);
  const auto& kept = meeting.client.channel->peer_certificates();
  REQUIRE(kept.size() == 1);
  CHECK(read_certificate(kept.front())->names.hosts ==
        std::vector<std::string>{"mail.example.com"});
  // Another channel of the same context, which does not ask.
  End plain(*meeting.client_side, "mail.example.com");
  End server(*meeting.server_side, {});
  exchange(plain, server);
  CHECK(plain.done);
  CHECK(plain.channel->peer_certificates().empty());
}

TEST_CASE("channel: without verification a wrong certificate is kept and let in") {
  const auto identity = identity_for({"other.example"});
  CertificateMeeting meeting(identity, {}, "mail.example.com", false, false);
  CHECK(meeting.client.done);
  CHECK(meeting.client.channel->peer_certificates().size() == 1);
}

}  // namespace ringpost::tls::test
