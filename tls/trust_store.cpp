// The problem: wolfSSL's store of CAs grows by every intermediate that a server has sent, and what
// one session was shown the next would trust.
//
// The idea: a map by subject of what the files of CAs hold, read when the context is made and never
// changed.
//
// Limits: OpenSSL's "TRUSTED CERTIFICATE", which says what a CA is trusted for, is passed over.
#include "tls/trust_store.h"

#include <array>
#include <utility>

#include "codec/text/base64.h"

namespace ringpost::tls {

namespace {

struct Label {
  Bytes begin;
  Bytes end;
};
constexpr std::array<Label, 2> labels = {
    {{"-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"},
     {"-----BEGIN X509 CERTIFICATE-----", "-----END X509 CERTIFICATE-----"}}};

// The text between the next pair of labels, which is taken off the front of `pem`.
std::optional<Bytes> take_block(Bytes& pem) {
  const Label* next = nullptr;
  std::size_t begin = Bytes::npos;
  for (const Label& label : labels) {
    const std::size_t found = pem.find(label.begin);
    if (found < begin) {
      begin = found;
      next = &label;
    }
  }
  if (next == nullptr) {
    return std::nullopt;
  }
  pem.remove_prefix(begin + next->begin.size());
  const std::size_t end = pem.find(next->end);
  if (end == Bytes::npos) {
    return std::nullopt;
  }
  const Bytes text = pem.substr(0, end);
  pem.remove_prefix(end + next->end.size());
  return text;
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
    if (contains(*certificate)) {
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
  return found;
}

bool TrustStore::contains(const Certificate& certificate) const {
  const auto [first, last] = anchors_.equal_range(certificate.comparable_subject);
  for (auto anchor = first; anchor != last; ++anchor) {
    if (anchor->second.der == certificate.der) {
      return true;
    }
  }
  return false;
}

}  // namespace ringpost::tls
