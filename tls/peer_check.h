// Lets a verified certificate through only for the host that was asked for. Internal to tls/.
#pragma once

#include <string>
#include <string_view>

#include "codec/base.h"

namespace ringpost::tls {

// One handshake's question and its answer.
struct PeerCheck {
  std::string_view host;      // to be matched; must outlive the handshake
  bool host_matches = false;  // a verified chain whose leaf is for `host` has been seen
  bool wrong_host = false;    // a leaf has been seen that is not
  std::string names;          // of the last leaf that was not, for people
};

// Makes a context (a WOLFSSL_CTX that verifies) ask for every certificate whose chain it verified.
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
