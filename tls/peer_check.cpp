// The problem: the name has to be checked inside the handshake, so that a wrong host gets an alert
// and not one octet of data, and wolfSSL's own check is too loose (see host_name.cpp).
//
// The idea: the certificate manager's verify callback runs once the whole chain has been judged. It
// may only turn a yes into a no: a chain that wolfSSL refused stays refused whatever the callback
// finds out. That matters, because there "yes" to an intermediate would add it to the CAs.
//
// The callback gets no argument of ours in this build, hence the thread's current check. Without a
// current check the answer is no; and the channel refuses a handshake that ended without any
// certificate seen here, so that a build that never calls back cannot pass for a verified peer.
#include "tls/peer_check.h"

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

#include "tls/host_name.h"

namespace ringpost::tls {

namespace {

thread_local PeerCheck* current = nullptr;

constexpr int accept = 1;
constexpr int refuse = 0;

int check_leaf(Bytes certificate, bool chain_is_good, PeerCheck& check) {
  const auto names = certificate_names(certificate);
  if (names && names_match(*names, check.host)) {
    check.host_matches = chain_is_good;
    return chain_is_good ? accept : refuse;
  }
  check.wrong_host = true;
  check.names = names ? describe(*names) : std::string();
  return refuse;
}

// Asked once for each certificate that has a fault, and for the leaf: each time all are there.
void keep_chain(const WOLFSSL_X509_STORE_CTX& store, std::vector<std::string>& kept) {
  kept.clear();
  for (int index = 0; index < store.totalCerts; ++index) {
    const WOLFSSL_BUFFER_INFO& certificate = store.certs[index];
    kept.emplace_back(reinterpret_cast<const char*>(certificate.buffer), certificate.length);
  }
}

int on_certificate(int chain_is_good, WOLFSSL_X509_STORE_CTX* store) {
  if (current == nullptr || store->totalCerts < 1) {
    return refuse;
  }
  if (current->kept != nullptr) {
    keep_chain(*store, *current->kept);
  }
  if (!current->decides) {
    return accept;
  }
  if (store->error_depth > 0) {
    return chain_is_good;
  }
  const WOLFSSL_BUFFER_INFO& leaf = store->certs[0];
  return check_leaf({reinterpret_cast<const char*>(leaf.buffer), leaf.length}, chain_is_good == 1,
                    *current);
}

}  // namespace

void install_peer_check(void* native_context) {
  wolfSSL_CertManagerSetVerify(
      wolfSSL_CTX_GetCertManager(static_cast<WOLFSSL_CTX*>(native_context)), &on_certificate);
}

PeerCheckScope::PeerCheckScope(PeerCheck& check) { current = &check; }
PeerCheckScope::~PeerCheckScope() { current = nullptr; }

}  // namespace ringpost::tls
