#include "tls/context.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support.h"
#include "tls/trust_store.h"

namespace ringpost::tls::test {

namespace {

TlsError error_of(const ContextOptions& options) {
  const auto context = Context::create(options);
  REQUIRE_FALSE(context);
  CHECK(context.error().kind == TlsErrorKind::local_file);
  return context.error();
}

// Sets a variable of the environment while it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    before_ = before != nullptr ? before : "";
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { setenv(name_, before_.c_str(), 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::string before_;
};

}  // namespace

TEST_CASE("context: a client needs no options, and verifies") {
  const auto context = Context::create({});
  REQUIRE(context);
  CHECK((*context)->role() == Role::client);
  CHECK((*context)->verifies_peer());
}

TEST_CASE("context: a file that is not there is named, with the reason") {
  const TemporaryFolder folder;
  const auto identity = identity_for({"mail.example.com"});
  const std::string certificate = folder.write("cert.pem", identity.certificate_pem);
  const std::string key = folder.write("key.pem", identity.key_pem);
  const std::string missing = folder.path("missing.pem");
  ContextOptions options;
  SECTION("CA") {
    options.ca_file = missing;
    CHECK(error_of(options).message() ==
          "a file for TLS cannot be used: CA file " + missing + ": No such file or directory");
  }
  SECTION("certificate") {
    options.role = Role::server;
    options.certificate_file = missing;
    options.key_file = key;
    CHECK(error_of(options).detail ==
          "certificate file " + missing + ": No such file or directory");
  }
  SECTION("key") {
    options.role = Role::server;
    options.certificate_file = certificate;
    options.key_file = missing;
    CHECK(error_of(options).detail == "key file " + missing + ": No such file or directory");
  }
  SECTION("a folder is no file") {
    options.ca_file = folder.path("");
    CHECK(error_of(options).detail.find("directory") != std::string::npos);
  }
}

TEST_CASE("context: a file with something else in it is named, with the reason") {
  const TemporaryFolder folder;
  const auto identity = identity_for({"mail.example.com"});
  const std::string certificate = folder.write("cert.pem", identity.certificate_pem);
  const std::string key = folder.write("key.pem", identity.key_pem);
  const std::string_view wrong = GENERATE("", "hello\n", "-----BEGIN CERTIFICATE-----\nAAAA\n");
  const std::string junk = folder.write("junk.pem", wrong);
  ContextOptions options;
  SECTION("CA") { options.ca_file = junk; }
  SECTION("certificate") {
    options.role = Role::server;
    options.certificate_file = junk;
    options.key_file = key;
  }
  SECTION("key") {
    options.role = Role::server;
    options.certificate_file = certificate;
    options.key_file = junk;
  }
  const TlsError error = error_of(options);
  CHECK(error.detail.find(junk) != std::string::npos);
  if (!wrong.starts_with("-----")) {
    CHECK(error.detail.ends_with("there is no PEM in it"));
  }
}

TEST_CASE("context: certificate and key are needed together, and have to fit") {
  const auto identity = identity_for({"mail.example.com"});
  const auto other = identity_for({"mail.example.com"});
  ContextOptions options;
  options.role = Role::server;
  CHECK(error_of(options).detail.find("together") != std::string::npos);
  options.certificate_pem = identity.certificate_pem;
  CHECK(error_of(options).detail.find("together") != std::string::npos);
  options.key_pem = other.key_pem;
  CHECK(error_of(options).detail.find("not the key of the certificate") != std::string::npos);
  options.key_pem = identity.key_pem;
  CHECK(Context::create(options));
  options.role = Role::client;
  CHECK(Context::create(options));
}

TEST_CASE("context: a CA file is trusted beside the system's CAs, whichever way it comes") {
  const TemporaryFolder folder;
  const auto identity = identity_for({"mail.example.com"});
  const auto second = identity_for({"second.example.com"});
  ContextOptions options;
  // Several in one file, with text between them.
  options.ca_file = folder.write(
      "ca.pem", "a comment\n" + second.certificate_pem + "\nanother\n" + identity.certificate_pem);
  const auto client_side = Context::create(options);
  REQUIRE(client_side);
  const auto server_side = server_context(identity);
  End client(**client_side, "mail.example.com");
  End server(*server_side, {});
  exchange(client, server);
  CHECK(client.done);
}

TEST_CASE("context: every CA that this machine's distribution trusts can be read") {
  std::ifstream bundle("/etc/ssl/certs/ca-certificates.crt");
  if (!bundle) {
    SKIP("there is no bundle of CAs in the usual place");
  }
  const std::string pem{std::istreambuf_iterator<char>(bundle), {}};
  TrustStore trusted;
  const auto added = trusted.add_pem(pem);
  CHECK(added.blocks > 50);
  CHECK(added.read == added.blocks);
}

int times_asked = 0;

const TrustStore& store_beside() {
  static const TrustStore* const store = [] {
    static TrustStore made;
    made.add_pem(identity_for({"beside.example.com"}).certificate_pem);
    return &made;
  }();
  ++times_asked;
  return *store;
}

TEST_CASE("context: CAs from beside are not read before somebody looks one up, and count then") {
  const auto own = identity_for({"own.example.com"});
  times_asked = 0;
  TrustStore trusted;
  trusted.add_beside(&store_beside);
  CHECK(trusted.add_pem(own.certificate_pem + own.certificate_pem).read == 2);
  CHECK(trusted.size() == 1);
  CHECK(times_asked == 0);
  CHECK(trusted.find("somebody").empty());
  CHECK(times_asked == 1);
}

TEST_CASE("context: the machine's CAs are trusted beside those of a file") {
  std::ifstream bundle("/etc/ssl/certs/ca-certificates.crt");
  if (!bundle) {
    SKIP("there is no bundle of CAs in the usual place");
  }
  const std::string pem{std::istreambuf_iterator<char>(bundle), {}};
  TrustStore bundled;
  const Certificate* one = bundled.add_pem(pem).longest;
  REQUIRE(one != nullptr);
  const auto client_side = client_context(identity_for({"a.example"}).certificate_pem);
  CHECK(client_side->trusted()->contains(*one));
  CHECK(client_side->trusted()->find(one->comparable_subject).size() == 1);
}

TEST_CASE("context: SSL_CERT_FILE replaces the system's CAs, and has to be there") {
  const TemporaryFolder folder;
  const auto identity = identity_for({"mail.example.com"});
  SECTION("there") {
    const Environment environment("SSL_CERT_FILE",
                                  folder.write("ca.pem", identity.certificate_pem));
    const auto client_side = Context::create({});
    REQUIRE(client_side);
    const auto server_side = server_context(identity);
    End client(**client_side, "mail.example.com");
    End server(*server_side, {});
    exchange(client, server);
    CHECK(client.done);
  }
  SECTION("missing") {
    const Environment environment("SSL_CERT_FILE", folder.path("missing.pem"));
    CHECK(error_of({}).detail.find("SSL_CERT_FILE") != std::string::npos);
    ContextOptions unverified;
    unverified.verify_peer = false;
    CHECK(Context::create(unverified));
  }
  SECTION("empty means not set") {
    const Environment environment("SSL_CERT_FILE", "");
    CHECK(Context::create({}));
  }
}

TEST_CASE("context: contexts that trust alike share tickets, others do not") {
  const auto one = identity_for({"a.example"});
  const auto two = identity_for({"b.example"});
  const auto first = client_context(one.certificate_pem);
  const auto same = client_context(one.certificate_pem);
  const auto other = client_context(two.certificate_pem);
  const auto careless = client_context(one.certificate_pem, false);
  CHECK(first->trust_key() == same->trust_key());
  CHECK(first->trust_key() != other->trust_key());
  CHECK(first->trust_key() != careless->trust_key());
}

TEST_CASE("context: the library tells its version, and whether AES is in hardware") {
  CHECK(library_version().starts_with("5."));
#if defined(__x86_64__)
  CHECK(aes_in_hardware() ==
        (__builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0));
#endif
}

}  // namespace ringpost::tls::test
