// The problem: the name and the path have to be checked inside the handshake, so that a wrong host
// gets an alert and not one octet of data. wolfSSL's own checks are too loose (see host_name.cpp
// and certificate_path.cpp), and an intermediate that it has verified it adds to the CAs of the
// context.
//
// The idea: a context verifies nothing (WOLFSSL_VERIFY_NONE) and trusts nobody, so that wolfSSL
// only reads what came; the certificate manager's verify callback runs for the server's own
// certificate last, with all that came beside it, and its word is the only one. From then on the
// session is one that verifies (WOLFSSL_VERIFY_PEER): a refusal becomes an alert, and wolfSSL
// demands the proof that the server has the key.
//
// What wolfSSL had against a certificate itself does not count when the path is good, since it
// never saw the path, but for one thing: a key that it could not read proves nothing.
//
// The callback gets no argument of ours in this build, hence the thread's current check. Without a
// current check the answer is no; and the channel refuses a handshake that ended without a
// certificate that was accepted here, so that a build that never calls back cannot pass for a
// verified peer.
#include "tls/peer_check.h"

#include <chrono>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
// clang-format on

#include "tls/certificate_path.h"
#include "tls/host_name.h"
#include "tls/wolfssl_error.h"

namespace ringpost::tls {

namespace {

thread_local PeerCheck* current = nullptr;

constexpr int accept = 1;
constexpr int refuse = 0;

// wolfSSL ends at its own first objection to a server's certificate unless there is a callback of
// the session, too, which is asked behind that of the certificate manager. This one agrees with
// everybody about the server's own certificate, since a yes would overrule a no of the other; and
// has nothing against those beside it, since a no about one of them would count against the
// server's own.
int agree(int is_good, WOLFSSL_X509_STORE_CTX* store) {
  return store->error_depth > 0 ? accept : is_good;
}

std::vector<Bytes> certificates_of(const WOLFSSL_X509_STORE_CTX& store) {
  std::vector<Bytes> certificates;
  for (int index = 0; index < store.totalCerts; ++index) {
    const WOLFSSL_BUFFER_INFO& certificate = store.certs[index];
    certificates.emplace_back(reinterpret_cast<const char*>(certificate.buffer),
                              certificate.length);
  }
  return certificates;
}

TlsError wrong_host(const std::optional<CertificateNames>& names, std::string_view host) {
  TlsError error{
      TlsErrorKind::wrong_host, 0, names ? describe(*names) : std::string(), std::string(host), {}};
  if (names && has_address_as_name(*names, host)) {
    error.detail += " as a DNS name, which does not count for an address";
    error.advice =
        "the server needs a certificate with the address as an IP address (subjectAltName IP:), or "
        "use a name that is in it as the endpoint's host";
  }
  return error;
}

// Why the certificates are refused; nothing when they are good.
std::optional<TlsError> find_error(const std::vector<Bytes>& certificates, const PeerCheck& check,
                                   int wolfssl_error) {
  const auto names = certificate_names(certificates.front());
  if (!names || !names_match(*names, check.host)) {
    return wrong_host(names, check.host);
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto path = check_path(certificates, *check.trusted,
                               std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (!path) {
    return error_of(path.error(), check.host);
  }
  if (wolfssl_error == PEER_KEY_ERROR) {
    return TlsError{kind_of_wolfssl(wolfssl_error),
                    wolfssl_error,
                    reason_of_wolfssl(wolfssl_error),
                    std::string(check.host),
                    {}};
  }
  return std::nullopt;
}

int on_certificate(int, WOLFSSL_X509_STORE_CTX* store) {
  if (current == nullptr || store->totalCerts < 1) {
    return refuse;
  }
  if (store->error_depth > 0) {
    return accept;  // one that was sent along: nothing comes of it but to be read on
  }
  PeerCheck& check = *current;
  const std::vector<Bytes> certificates = certificates_of(*store);
  if (check.kept != nullptr) {
    check.kept->assign(certificates.begin(), certificates.end());
  }
  if (check.trusted == nullptr) {
    return accept;
  }
  wolfSSL_set_verify(static_cast<WOLFSSL*>(check.session), WOLFSSL_VERIFY_PEER, &agree);
  check.error = find_error(certificates, check, store->error);
  check.accepted = !check.error;
  return check.accepted ? accept : refuse;
}

}  // namespace

void install_peer_check(void* native_context) {
  auto* context = static_cast<WOLFSSL_CTX*>(native_context);
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, &agree);
  wolfSSL_CertManagerSetVerify(wolfSSL_CTX_GetCertManager(context), &on_certificate);
}

PeerCheckScope::PeerCheckScope(PeerCheck& check) { current = &check; }
PeerCheckScope::~PeerCheckScope() { current = nullptr; }

}  // namespace ringpost::tls
