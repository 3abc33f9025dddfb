// Lets a server in whose certificate is for the host that was asked for and leads to a CA that is
// trusted. Internal to tls/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/tls_error.h"
#include "tls/trust_store.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// One handshake's question and its answer.
struct PeerCheck {
  std::string_view host;  // to be matched; must outlive the handshake
  // What is trusted; null: nothing that is found decides anything, every certificate is let
  // through.
  const TrustStore* trusted = nullptr;
  void* session = nullptr;  // wolfSSL's WOLFSSL of this handshake
  // Where the peer's certificates are kept, the leaf first, each in DER; null: nowhere.
  std::vector<std::string>* kept = nullptr;

  bool accepted = false;          // a certificate for `host` with a good path has been seen
  std::optional<TlsError> error;  // why the last one was refused
};

// Makes a client's context (a WOLFSSL_CTX) ask here, and verify nothing by itself.
void install_peer_check(void* native_context);

// While it lives, certificates that this thread's wolfSSL is shown are for this check.
class PeerCheckScope {
 public:
  explicit PeerCheckScope(PeerCheck& check);
  ~PeerCheckScope();
  PeerCheckScope(const PeerCheckScope&) = delete;
  PeerCheckScope& operator=(const PeerCheckScope&) = delete;
};

}  // namespace ringpost::tls
