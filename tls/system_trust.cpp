// The problem: distributions disagree about where the CAs lie, and reading 140 of them takes
// milliseconds, which a run without TLS, or one with tickets, has no use for.
//
// The idea: the usual places one after the other, once in a process, when somebody asks.
//
// Limits: CAs that are installed later are seen by the next process.
#include "tls/system_trust.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "tls/pem_file.h"

namespace ringpost::tls {

namespace {

// Where distributions keep the CAs they trust, as one file.
constexpr std::array<const char*, 4> ca_bundles = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",              // openSUSE
    "/etc/ssl/cert.pem",                   // Alpine, BSD
};

// Where there is no such file, one for each CA, and often twice.
constexpr const char* ca_folder = "/etc/ssl/certs";
constexpr std::size_t ca_files_max = 4096;

void add_folder(TrustStore& trusted, const char* folder) {
  std::error_code error;
  std::size_t files = 0;
  for (std::filesystem::directory_iterator entry(folder, error), end;
       !error && entry != end && files < ca_files_max; entry.increment(error), ++files) {
    if (const auto pem = read_pem_file(entry->path().string())) {
      trusted.add_pem(*pem);
    }
  }
}

std::unique_ptr<const TrustStore> read_authorities() {
  auto trusted = std::make_unique<TrustStore>();
  for (const char* bundle : ca_bundles) {
    const auto pem = read_pem_file(bundle);
    if (pem && trusted->add_pem(*pem).read > 0) {
      return trusted;
    }
  }
  add_folder(*trusted, ca_folder);
  return trusted;
}

}  // namespace

std::optional<std::string> named_ca_file() {
  const char* named = std::getenv("SSL_CERT_FILE");
  return named != nullptr && *named != '\0' ? std::optional<std::string>(named) : std::nullopt;
}

const TrustStore& system_authorities() {
  static const std::unique_ptr<const TrustStore> authorities = read_authorities();
  return *authorities;
}

}  // namespace ringpost::tls
