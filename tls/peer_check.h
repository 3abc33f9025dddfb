// Lets a verified certificate through only for the host that was asked for. Internal to tls/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/base.h"

namespace ringpost::tls {

// One handshake's question and its answer.
struct PeerCheck {
  std::string_view host;      // to be matched; must outlive the handshake
  bool host_matches = false;  // a verified chain whose leaf is for `host` has been seen
  bool wrong_host = false;    // a leaf has been seen that is not
  std::string names;          // of the last leaf that was not, for people
  // Whether what is found decides anything. If not, every certificate is let through.
  bool decides = true;
  // Where the peer's chain is kept, the leaf first, each in DER; null: nowhere.
  std::vector<std::string>* kept = nullptr;
};

// Makes a context (a WOLFSSL_CTX) ask for every leaf, and for what is wrong above it.
void install_peer_check(void* native_context);

// While it lives, certificates that this thread's wolfSSL verifies are for this check.
class PeerCheckScope {
 public:
  explicit PeerCheckScope(PeerCheck& check);
  ~PeerCheckScope();
  PeerCheckScope(const PeerCheckScope&) = delete;
  PeerCheckScope& operator=(const PeerCheckScope&) = delete;
};

}  // namespace ringpost::tls
