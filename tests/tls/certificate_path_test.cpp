// The search for a path, with time and trust given; what each rule says is path_test.py's.
#include "tls/certificate_path.h"

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "support.h"

namespace ringpost::tls::test {

namespace {

constexpr std::int64_t day = 86'400;

std::int64_t now_in_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// A root, an intermediate and a leaf, each in DER, and the root as PEM.
class Certificates {
 public:
  Certificates() {
    folder_.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Root' "
        "-days 30 -keyout root.key -out root.pem");
    issue("middle", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign");
    issue("leaf", "middle", "subjectAltName=DNS:mail.example.com");
    root = der("root");
    middle = der("middle");
    leaf = der("leaf");
  }

  [[nodiscard]] std::string pem(const std::string& name) const {
    return folder_.read(name + ".pem");
  }

  std::string root;
  std::string middle;
  std::string leaf;

 private:
  void issue(const std::string& name, const std::string& issuer, const std::string& extensions) {
    folder_.write(name + ".ext", extensions);
    folder_.run("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " +
                name + ".key -subj /CN=" + name + " -out " + name +
                ".csr && openssl x509 -req -in " + name + ".csr -CA " + issuer + ".pem -CAkey " +
                issuer + ".key -CAcreateserial -days 20 -extfile " + name + ".ext -out " + name +
                ".pem");
  }
  [[nodiscard]] std::string der(const std::string& name) const {
    folder_.run("openssl x509 -in " + name + ".pem -outform DER -out " + name + ".der");
    return folder_.read(name + ".der");
  }

  TemporaryFolder folder_;
};

struct Verdict {
  bool is_good = false;
  PathFaultKind kind = PathFaultKind::malformed;
  PathFault::Where where = PathFault::Where::leaf;
};

Verdict judge(const std::vector<Bytes>& sent, const std::string& trusted_pem,
              std::int64_t now = now_in_seconds()) {
  TrustStore trusted;
  trusted.add_pem(trusted_pem);
  const auto path = check_path(sent, trusted, now);
  return path ? Verdict{true} : Verdict{false, path.error().kind, path.error().where};
}

}  // namespace

TEST_CASE("certificate path: it is found whatever stands around it") {
  const Certificates made;
  const std::string root = made.pem("root");
  CHECK(judge({made.leaf, made.middle}, root).is_good);
  CHECK(judge({made.leaf, made.middle, made.leaf}, root).is_good);
  CHECK(judge({made.leaf, made.root, made.middle}, root).is_good);
  CHECK(judge({made.leaf, "no certificate", made.middle}, root).is_good);
  CHECK(judge({made.leaf}, made.pem("middle")).is_good);
  CHECK(judge({made.leaf}, made.pem("leaf")).is_good);
  // The first is the server's own, and nothing else will do.
  CHECK(judge({"no certificate", made.leaf, made.middle}, root).kind == PathFaultKind::malformed);
  CHECK(judge({}, root).kind == PathFaultKind::malformed);
}

TEST_CASE("certificate path: what is missing is named") {
  const Certificates made;
  CHECK(judge({made.leaf}, made.pem("root")).kind == PathFaultKind::unknown_issuer);
  CHECK(judge({made.leaf, made.middle}, {}).kind == PathFaultKind::unknown_issuer);
  CHECK(judge({made.leaf, made.middle, made.root}, {}).kind == PathFaultKind::unknown_root);
  CHECK(judge({made.root}, {}).kind == PathFaultKind::self_signed);
}

TEST_CASE("certificate path: what stands behind as many as are looked at does not count") {
  const Certificates made;
  std::vector<Bytes> sent(sent_certificates_max, made.leaf);
  sent.push_back(made.middle);
  CHECK(judge(sent, made.pem("root")).kind == PathFaultKind::too_many_sent);
  CHECK(judge(sent, made.pem("middle")).is_good);
  sent.pop_back();
  sent.back() = made.middle;
  CHECK(judge(sent, made.pem("root")).is_good);
}

TEST_CASE("certificate path: the time of every certificate counts") {
  const Certificates made;
  const std::vector<Bytes> sent = {made.leaf, made.middle};
  const std::int64_t now = now_in_seconds();
  CHECK(judge(sent, made.pem("root"), now + 19 * day).is_good);
  const Verdict late = judge(sent, made.pem("root"), now + 21 * day);
  CHECK(late.kind == PathFaultKind::expired);
  CHECK(late.where == PathFault::Where::sent_authority);
  const Verdict later = judge(sent, made.pem("root"), now + 31 * day);
  CHECK(later.kind == PathFaultKind::expired);
  CHECK(later.where == PathFault::Where::trusted_authority);
  CHECK(judge(sent, made.pem("root"), now - day).kind == PathFaultKind::not_yet_valid);
}

TEST_CASE("certificate path: a certificate changed in any octet is not accepted") {
  const Certificates made;
  TrustStore trusted;
  trusted.add_pem(made.pem("root"));
  for (std::size_t index = 0; index < made.leaf.size(); index += 3) {
    std::string changed = made.leaf;
    changed[index] = static_cast<char>(changed[index] ^ 0x21);
    const std::vector<Bytes> sent = {changed, made.middle};
    CAPTURE(index);
    CHECK_FALSE(check_path(sent, trusted, now_in_seconds()));
  }
  for (std::size_t length = 0; length < made.leaf.size(); length += 7) {
    const std::string cut = made.leaf.substr(0, length);
    const std::vector<Bytes> sent = {cut, made.middle};
    CHECK_FALSE(check_path(sent, trusted, now_in_seconds()));
  }
}

TEST_CASE("trust store: it holds each certificate once, and passes over what it cannot read") {
  const Certificates made;
  TrustStore trusted;
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const auto added = trusted.add_pem("text\n" + made.pem("root") + broken + made.pem("root") +
                                     made.pem("middle") + "-----BEGIN CERTIFICATE-----\n");
  CHECK(added.blocks == 4);
  CHECK(added.read == 3);
  CHECK(trusted.size() == 2);
  REQUIRE(added.longest != nullptr);
  CHECK(added.longest->der == made.root);
  CHECK(trusted.add_pem("nothing").blocks == 0);
}

TEST_CASE("path fault: each kind has a sentence of its own that says what to do") {
  for (const auto where : {PathFault::Where::leaf, PathFault::Where::sent_authority,
                           PathFault::Where::trusted_authority}) {
    std::set<std::string> messages;
    for (std::size_t index = 0; index < path_fault_kind_count; ++index) {
      const PathFault fault{static_cast<PathFaultKind>(index), where, "Some CA", "other", 86'400};
      const std::string message = error_of(fault, mail_host).message();
      CAPTURE(message);
      messages.insert(message);
      CHECK(message.find(mail_host) != std::string::npos);
      CHECK(message.find("; ") != std::string::npos);
      CHECK(message.find("verify=off") == std::string::npos);
      CHECK(message.size() < 400);
    }
    CHECK(messages.size() == path_fault_kind_count);
  }
}

}  // namespace ringpost::tls::test
