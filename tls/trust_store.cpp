// The problem: wolfSSL's store of CAs grows by every intermediate that a server has sent, and what
// one session was shown the next would trust.
//
// The idea: a map by subject of what the files of CAs hold, which no session changes.
//
// Limits: OpenSSL's "TRUSTED CERTIFICATE", which says what a CA is trusted for, is passed over.
#include "tls/trust_store.h"

#include <array>
#include <utility>

#include "codec/text/base64.h"

namespace ringpost::tls {

namespace {

constexpr Bytes label_begin = "-----BEGIN ";
constexpr std::array<Bytes, 2> labels = {"CERTIFICATE-----", "X509 CERTIFICATE-----"};

// The text between the next pair of labels, which is taken off the front of `pem`.
std::optional<Bytes> take_block(Bytes& pem) {
  for (std::size_t begin = pem.find(label_begin); begin != Bytes::npos;
       begin = pem.find(label_begin)) {
    pem.remove_prefix(begin + label_begin.size());
    for (const Bytes label : labels) {
      if (pem.starts_with(label)) {
        pem.remove_prefix(label.size());
        const std::size_t end = pem.find("-----END " + std::string(label));
        if (end == Bytes::npos) {
          return std::nullopt;
        }
        const Bytes text = pem.substr(0, end);
        pem.remove_prefix(end);
        return text;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

TrustStore::Added TrustStore::add_pem(Bytes pem) {
  Added added;
  while (const auto text = take_block(pem)) {
    ++added.blocks;
    std::string der;
    if (!codec::decode_base64(*text, codec::Base64Space::skipped, der)) {
      continue;
    }
    octets_.push_back(std::move(der));
    auto certificate = parse_certificate(octets_.back());
    if (!certificate) {
      octets_.pop_back();
      continue;
    }
    ++added.read;
    if (has(*certificate)) {
      continue;
    }
    std::string subject = certificate->comparable_subject;
    const auto kept = anchors_.emplace(std::move(subject), std::move(*certificate));
    if (added.longest == nullptr || kept->second.not_after > added.longest->not_after) {
      added.longest = &kept->second;
    }
  }
  return added;
}

std::vector<const Certificate*> TrustStore::find(const std::string& subject) const {
  std::vector<const Certificate*> found;
  const auto [first, last] = anchors_.equal_range(subject);
  for (auto anchor = first; anchor != last; ++anchor) {
    found.push_back(&anchor->second);
  }
  if (beside_ != nullptr) {
    const auto more = beside_().find(subject);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

bool TrustStore::contains(const Certificate& certificate) const {
  return has(certificate) || (beside_ != nullptr && beside_().contains(certificate));
}

bool TrustStore::has(const Certificate& certificate) const {
  const auto [first, last] = anchors_.equal_range(certificate.comparable_subject);
  for (auto anchor = first; anchor != last; ++anchor) {
    if (anchor->second.der == certificate.der) {
      return true;
    }
  }
  return false;
}

}  // namespace ringpost::tls
