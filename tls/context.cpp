// The problem: wolfSSL's context starts out liberal (every version and cipher of the build, small
// keys, a process-wide session cache behind a lock) and says little about a file it cannot use.
//
// The idea: everything that is policy is set here, once: versions, ciphers, key sizes, trust,
// tickets. Files are read by us and handed over as memory, so that "no such file" and "no PEM in
// it" can be told apart, and PEM text that never was in a file goes the same way. wolfSSL never
// sees CAs (see peer_check.cpp).
//
// Limits: encrypted private keys are not supported; there is no OCSP and no CRL; no CBC cipher and
// no RSA key exchange, so a TLS 1.2 server without ECDHE and AEAD cannot be talked to.
#include "tls/context.h"

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
// clang-format on

#include "tls/distinguished_name.h"
#include "tls/library.h"
#include "tls/octets.h"
#include "tls/path_fault.h"
#include "tls/peer_check.h"
#include "tls/pem_file.h"
#include "tls/system_trust.h"
#include "tls/trust_store.h"
#include "tls/wolfssl_error.h"
#include <ringpost/limits.h>

namespace ringpost::tls {

namespace {

using NativeContext = std::unique_ptr<WOLFSSL_CTX, decltype(&wolfSSL_CTX_free)>;

// The fastest first where AES is in hardware: both ends then spend least on AES-128-GCM.
constexpr const char* ciphers_aes_first =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* ciphers_chacha_first =
    "TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

// Smaller keys can be forged; OpenSSL's level 2, the default of Debian and Ubuntu, says the same.
constexpr short rsa_key_bits_min = 2048;
constexpr short ecc_key_bits_min = 256;

TlsError local_file(std::string_view what, std::string_view file, std::string_view why, int code) {
  return {TlsErrorKind::local_file, code, fmt::format("{} {}: {}", what, file, why), {}};
}

constexpr std::string_view no_pem = "there is no PEM in it";

bool has_pem(Bytes text) { return text.find("-----BEGIN ") != Bytes::npos; }

// PEM from one of the two places where options may have it.
struct Pem {
  std::string_view what;  // "CA file", for people
  const std::string* file;
  const std::string* text;

  [[nodiscard]] bool given() const { return !file->empty() || !text->empty(); }
  [[nodiscard]] std::string_view name() const {
    return file->empty() ? std::string_view("(text)") : *file;
  }

  [[nodiscard]] Result<std::string, TlsError> read() const {
    if (file->empty()) {
      return *text;
    }
    auto content = read_pem_file(*file);
    if (!content) {
      return Failure(local_file(what, *file, content.error(), 0));
    }
    return std::move(*content);
  }

  // Reads it and gives it to `use`, one of wolfSSL's functions, which says 1 or an error.
  template <typename Use>
  [[nodiscard]] Result<void, TlsError> load(Use use) const {
    const auto pem = read();
    if (!pem) {
      return Failure(pem.error());
    }
    const int code = use(octets(Bytes(*pem)), static_cast<long>(pem->size()));
    if (code != WOLFSSL_SUCCESS) {
      return Failure(
          local_file(what, name(), has_pem(*pem) ? reason_of_wolfssl(code) : no_pem, code));
    }
    return {};
  }
};

// A file whose certificates are all past their time would only make every handshake fail.
Result<void, TlsError> add_authorities(TrustStore& trusted, const Pem& pem) {
  const auto text = pem.read();
  if (!text) {
    return Failure(text.error());
  }
  const TrustStore::Added added = trusted.add_pem(*text);
  if (added.read == 0) {
    return Failure(local_file(
        pem.what, pem.name(),
        has_pem(*text) ? "none of its certificates can be read" : std::string(no_pem), 0));
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  if (added.longest != nullptr &&
      added.longest->not_after < std::chrono::duration_cast<std::chrono::seconds>(now).count()) {
    return Failure(local_file(
        pem.what, pem.name(),
        fmt::format("{} '{}' expired on {}; get a current one from whoever runs that CA, unless "
                    "this machine's clock is wrong",
                    added.read == 1 ? "the CA certificate"
                                    : "all its CA certificates have expired, the last,",
                    short_name(added.longest->subject), date_of(added.longest->not_after)),
        0));
  }
  return {};
}

// The distribution's, when a path is first looked for; those of a file that is named, now.
Result<void, TlsError> add_system_authorities(TrustStore& trusted) {
  const std::optional<std::string> named = named_ca_file();
  if (!named) {
    trusted.add_beside(&system_authorities);
    return {};
  }
  return add_authorities(trusted, {"CA file from SSL_CERT_FILE", &*named, &*named});
}

Result<void, TlsError> load_identity(WOLFSSL_CTX* context, const ContextOptions& options) {
  const Pem certificate = {"certificate file", &options.certificate_file, &options.certificate_pem};
  const Pem key = {"key file", &options.key_file, &options.key_pem};
  if (!certificate.given() && !key.given() && options.role == Role::client) {
    return {};
  }
  if (!certificate.given() || !key.given()) {
    return Failure(local_file(certificate.given() ? key.what : certificate.what, "(none)",
                              "certificate and key are needed together", 0));
  }
  auto loaded = certificate.load([context](const unsigned char* data, long size) {
    return wolfSSL_CTX_use_certificate_chain_buffer(context, data, size);
  });
  if (!loaded) {
    return loaded;
  }
  loaded = key.load([context](const unsigned char* data, long size) {
    return wolfSSL_CTX_use_PrivateKey_buffer(context, data, size, WOLFSSL_FILETYPE_PEM);
  });
  if (!loaded) {
    return loaded;
  }
  const int code = wolfSSL_CTX_check_private_key(context);
  if (code != WOLFSSL_SUCCESS) {
    return Failure(local_file(
        key.what, key.name(),
        fmt::format("it is not the key of the certificate in {}", certificate.name()), code));
  }
  return {};
}

// Versions, ciphers, key sizes and tickets: what no option changes.
Result<void, TlsError> set_policy(WOLFSSL_CTX* context, Role role) {
  // Tickets belong to the caller's cache; the process-wide one costs a lock and 33 slots.
  static_cast<void>(wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF));
  if (wolfSSL_CTX_SetMinVersion(context, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_set_cipher_list(context,
                                  aes_in_hardware() ? ciphers_aes_first : ciphers_chacha_first) !=
          WOLFSSL_SUCCESS) {
    return Failure(internal_error_of("versions and ciphers", 0));
  }
  // Whole flights leave as one write, so that a handshake does not take a packet a message.
  if (wolfSSL_CTX_set_group_messages(context) != WOLFSSL_SUCCESS) {
    return Failure(internal_error_of("grouping of messages", 0));
  }
  if (role == Role::server) {
    return {};
  }
  if (wolfSSL_CTX_SetMinRsaKey_Sz(context, rsa_key_bits_min) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_SetMinEccKey_Sz(context, ecc_key_bits_min) != WOLFSSL_SUCCESS) {
    return Failure(internal_error_of("key sizes", 0));
  }
  if (wolfSSL_CTX_UseSessionTicket(context) != WOLFSSL_SUCCESS) {
    return Failure(internal_error_of("session tickets", 0));
  }
  return {};
}

WOLFSSL_METHOD* method_of(const ContextOptions& options) {
  if (options.tls_1_2_only) {
    return options.role == Role::client ? wolfTLSv1_2_client_method() : wolfTLSv1_2_server_method();
  }
  return options.role == Role::client ? wolfTLS_client_method() : wolfTLS_server_method();
}

std::string make_trust_key(const ContextOptions& options) {
  const std::hash<std::string> hash;
  return fmt::format("{}\n{}\n{}\n{:x}\n{:x}\n", options.verify_peer ? "verified" : "unverified",
                     options.ca_file, options.certificate_file, hash(options.ca_pem),
                     hash(options.certificate_pem));
}

}  // namespace

struct Context::State {
  Role role;
  bool verify_peer;
  std::string trust_key;
  NativeContext native;
  std::unique_ptr<TrustStore> trusted;  // null: everybody is let in
  std::unique_ptr<char[]> scratch;
};

Result<std::unique_ptr<Context>, TlsError> Context::create(const ContextOptions& options) {
  initialise_library();
  const bool client = options.role == Role::client;
  NativeContext native(wolfSSL_CTX_new(method_of(options)), &wolfSSL_CTX_free);
  if (!native) {
    return Failure(internal_error_of("a new context", MEMORY_E));
  }
  const bool verify = client && options.verify_peer;
  if (client) {
    install_peer_check(native.get());
  } else {
    wolfSSL_CTX_set_verify(native.get(), WOLFSSL_VERIFY_NONE, nullptr);
  }
  auto done = set_policy(native.get(), options.role);
  auto trusted = std::make_unique<TrustStore>();
  if (done && verify) {
    done = add_system_authorities(*trusted);
  }
  const Pem authorities = {"CA file", &options.ca_file, &options.ca_pem};
  if (done && authorities.given()) {
    done = add_authorities(*trusted, authorities);
  }
  if (!verify) {
    trusted.reset();
  }
  if (done) {
    done = load_identity(native.get(), options);
  }
  if (!done) {
    return Failure(std::move(done).error());
  }
  auto state = std::make_unique<State>(
      State{options.role, verify, make_trust_key(options), std::move(native), std::move(trusted),
            std::make_unique_for_overwrite<char[]>(limits::tls_record_bytes_max)});
  return std::unique_ptr<Context>(new Context(std::move(state)));
}

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

Role Context::role() const { return state_->role; }
bool Context::verifies_peer() const { return state_->verify_peer; }
const TrustStore* Context::trusted() const { return state_->trusted.get(); }
void* Context::native() const { return state_->native.get(); }
std::string_view Context::trust_key() const { return state_->trust_key; }

std::span<char> Context::scratch() const {
  return {state_->scratch.get(), limits::tls_record_bytes_max};
}

}  // namespace ringpost::tls
