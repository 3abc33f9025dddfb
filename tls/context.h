// What all TLS sessions of one worker to one endpoint share: trust, versions, keys.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tls/tls_error.h"
#include <ringpost/base.h>

namespace ringpost::tls {

class TrustStore;

enum class Role : std::uint8_t { client, server };

struct ContextOptions {
  Role role = Role::client;
  // Client: check chain, dates and name. Off only when the user says so; every run then warns.
  bool verify_peer = true;
  // Client: PEM file with further CAs, trusted beside the system's. Empty: only the system's. An
  // intermediate or a server's own certificate is trusted as well as a root, and ends a path.
  std::string ca_file;
  // Server: its certificate chain and key (PEM). Client: a client certificate, both empty: none.
  std::string certificate_file;
  std::string key_file;
  // The same as PEM text instead of a file, for what never was in one. Not beside the file.
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  // For a peer whose TLS 1.3 is broken, and to play such a peer.
  bool tls_1_2_only = false;
};

// Lifetime: outlives every Channel made from it. Thread: one worker's, never shared (reference
// counts and ticket caches then need no locks). TLS 1.2 at least, TLS 1.3 preferred.
//
// The system's CAs are the bundle that SSL_CERT_FILE names when that is set (as for OpenSSL, curl
// and Go), else the distribution's. Where there is none, no certificate verifies; only a file that
// was named and cannot be used is an error here.
class Context {
 public:
  // Errors: local_file, with the file's name and what is wrong with it; internal.
  // Reads files, so it blocks. The distribution's CAs are read, for all contexts, when the first
  // server shows its certificates.
  [[nodiscard]] static Result<std::unique_ptr<Context>, TlsError> create(const ContextOptions&);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] Role role() const;
  [[nodiscard]] bool verifies_peer() const;

  // The rest is for tls/ alone.

  // The CAs of a client that verifies; null on others.
  [[nodiscard]] const TrustStore* trusted() const;
  // wolfSSL's WOLFSSL_CTX; only files of tls/ know what it is.
  [[nodiscard]] void* native() const;
  // Room for the plaintext of one record, lent to whichever channel reads, so that an idle session
  // does not keep 16 KB of its own.
  [[nodiscard]] std::span<char> scratch() const;
  // What a ticket's worth depends on besides the host: the same for contexts that trust alike.
  [[nodiscard]] std::string_view trust_key() const;

 private:
  struct State;
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "5.7.2", for `ringpost version`.
[[nodiscard]] std::string library_version();
// Whose AES-GCM makes the records of TLS 1.3 here: "wolfCrypt" or "intel-ipsec-mb".
[[nodiscard]] std::string record_library();
// Whether AES runs on the processor's own instructions, in this build and on this machine.
[[nodiscard]] bool aes_in_hardware();

}  // namespace ringpost::tls
