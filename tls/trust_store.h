// The CAs that a context trusts. Internal to tls/.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tls/certificate.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// Owns its certificates; what it hands out lives as long as it does. Read once and then only looked
// at: a handshake adds nothing to it, and any thread may look.
class TrustStore {
 public:
  TrustStore() = default;
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // What reading PEM came to.
  struct Added {
    std::size_t blocks = 0;  // "-----BEGIN CERTIFICATE-----" with its end
    std::size_t read = 0;  // those that could be read, the ones that were there already among them
    // The one whose time ends last, of those that were read.
    const Certificate* longest = nullptr;
  };
  // Certificates are trusted as they stand, whatever they say about themselves; those that cannot
  // be read are left out.
  Added add_pem(Bytes pem);

  // Those of another store count, too, which is asked for when something is first looked up. It
  // outlives this one.
  void add_beside(const TrustStore& (*store)()) { beside_ = store; }

  // Its own.
  [[nodiscard]] std::size_t size() const { return anchors_.size(); }

  // Those with this subject (comparable), in the order in which they were added; those from beside
  // last.
  [[nodiscard]] std::vector<const Certificate*> find(const std::string& subject) const;
  // Whether exactly this certificate is trusted.
  [[nodiscard]] bool contains(const Certificate& certificate) const;

 private:
  [[nodiscard]] bool has(const Certificate& certificate) const;

  std::deque<std::string> octets_;  // a deque, since views of what is in it must stay good
  std::multimap<std::string, Certificate, std::less<>> anchors_;  // by subject
  const TrustStore& (*beside_)() = nullptr;
};

}  // namespace ringpost::tls
