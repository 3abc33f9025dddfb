// The problem: servers send their own certificate twice, a root that has expired, a chain in the
// wrong order or somebody else's certificate behind it, and there are several ways up; wolfSSL goes
// up the list as it stands, looks at each certificate and its issuer alone, and keeps what it saw.
//
// The idea: what the server sent is a bag. From its own certificate up, the issuers of a
// certificate are looked for by name and key id, those that are trusted first, then those that were
// sent; those in force before the others. When a trusted one is met the path is complete and judged
// as a whole, top down, as RFC 5280 6.1 does. A path that is not good is one way up less: the
// search goes back and takes the next. It is a depth-first search with an explicit stack and
// bounded in every direction, and it knows nothing of the session before.
//
// A certificate that is trusted ends a path whether or not it is a root, as in curl: who puts an
// intermediate into his CA file means it. Its own time, purposes and constraints count all the
// same.
//
// Limits: no policies (see certificate.cpp), no revocation, no fetching of what was not sent.
#include "tls/certificate_path.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "tls/certificate_signature.h"
#include "tls/distinguished_name.h"

namespace ringpost::tls {

namespace {

using Where = PathFault::Where;

// ---- One path, complete: the leaf first, what is trusted last ----------------------------------

class PathCheck {
 public:
  PathCheck(std::span<const Certificate* const> path, std::int64_t now) : path_(path), now_(now) {}

  // The first fault from the top down.
  [[nodiscard]] std::optional<PathFault> find_fault() const {
    for (std::size_t index = path_.size(); index-- > 0;) {
      auto fault = index == 0 ? fault_of_leaf() : fault_of_authority(index);
      if (!fault) {
        fault = fault_of_anyone(index);
      }
      if (!fault) {
        fault = fault_of_names(index);
      }
      if (fault) {
        return fault;
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool is_anchor(std::size_t index) const { return index + 1 == path_.size(); }

  [[nodiscard]] PathFault fault_at(std::size_t index, PathFaultKind kind, std::string other = {},
                                   std::int64_t when = 0) const {
    const Where where = index == 0         ? Where::leaf
                        : is_anchor(index) ? Where::trusted_authority
                                           : Where::sent_authority;
    return {kind, where, short_name(path_[index]->subject), std::move(other), when};
  }

  [[nodiscard]] std::optional<PathFault> fault_of_anyone(std::size_t index) const;
  [[nodiscard]] std::optional<PathFault> fault_of_leaf() const;
  [[nodiscard]] std::optional<PathFault> fault_of_authority(std::size_t index) const;
  [[nodiscard]] std::optional<PathFault> fault_of_names(std::size_t index) const;
  [[nodiscard]] bool may_be_authority(std::size_t index) const;

  std::span<const Certificate* const> path_;
  std::int64_t now_;
};

std::optional<PathFault> PathCheck::fault_of_anyone(std::size_t index) const {
  const Certificate& certificate = *path_[index];
  if (certificate.not_after < now_) {
    return fault_at(index, PathFaultKind::expired, {}, certificate.not_after);
  }
  if (certificate.not_before > now_) {
    return fault_at(index, PathFaultKind::not_yet_valid, {}, certificate.not_before);
  }
  if (!certificate.unknown_critical.empty()) {
    return fault_at(index, PathFaultKind::unknown_extension);
  }
  if (!certificate.for_servers.value_or(true)) {
    return fault_at(index, PathFaultKind::wrong_purpose);
  }
  const SignatureVerdict key = check_key(certificate);
  if (key != SignatureVerdict::good) {
    return fault_at(
        index,
        key == SignatureVerdict::weak ? PathFaultKind::weak_key : PathFaultKind::unsupported_key,
        key_name(certificate));
  }
  return std::nullopt;
}

// As OpenSSL has it: one of the usages that TLS ever had for a server's key is enough.
std::optional<PathFault> PathCheck::fault_of_leaf() const {
  const Certificate& leaf = *path_.front();
  constexpr std::uint8_t usages =
      key_usage::digital_signature | key_usage::key_encipherment | key_usage::key_agreement;
  if (leaf.key_usage && (*leaf.key_usage & usages) == 0) {
    return fault_at(0, PathFaultKind::wrong_key_usage);
  }
  if (!can_prove_itself(leaf)) {
    return fault_at(0, PathFaultKind::unsupported_key, key_name(leaf));
  }
  if (leaf.netscape_type && (*leaf.netscape_type & netscape_server) == 0) {
    return fault_at(0, PathFaultKind::wrong_purpose);
  }
  return std::nullopt;
}

// Roots of old have no basic constraints: a key usage that says it, or version 1 and self-signed.
bool PathCheck::may_be_authority(std::size_t index) const {
  const Certificate& certificate = *path_[index];
  if (certificate.is_authority) {
    return *certificate.is_authority;
  }
  return is_anchor(index) &&
         (certificate.key_usage || (certificate.version == 1 && certificate.self_issued()));
}

std::optional<PathFault> PathCheck::fault_of_authority(std::size_t index) const {
  const Certificate& certificate = *path_[index];
  if (!may_be_authority(index)) {
    return fault_at(index, PathFaultKind::not_an_authority);
  }
  if (certificate.key_usage && (*certificate.key_usage & key_usage::certificate_signing) == 0) {
    return fault_at(index, PathFaultKind::no_signing_authority);
  }
  if (certificate.path_length) {
    // Self-issued ones do not count (RFC 5280 4.2.1.9), nor does the leaf.
    const auto below =
        std::count_if(path_.begin() + 1, path_.begin() + static_cast<std::ptrdiff_t>(index),
                      [](const Certificate* one) { return !one->self_issued(); });
    if (static_cast<std::uint64_t>(below) > *certificate.path_length) {
      return fault_at(index, PathFaultKind::path_too_long);
    }
  }
  return std::nullopt;
}

// The constraints of all CAs above a certificate hold for it (RFC 5280 6.1.3 b, c); self-issued
// ones in the middle are free of them.
std::optional<PathFault> PathCheck::fault_of_names(std::size_t index) const {
  const Certificate& certificate = *path_[index];
  if (index > 0 && certificate.self_issued()) {
    return std::nullopt;
  }
  for (std::size_t above = index + 1; above < path_.size(); ++above) {
    const auto& constraints = path_[above]->name_constraints;
    const auto violation =
        constraints ? find_violation(certificate, *constraints, index == 0) : std::nullopt;
    if (violation) {
      PathFault fault = fault_at(above, PathFaultKind::name_not_allowed, violation->name);
      if (violation->not_understood) {
        fault.other += " (a kind of name that cannot be compared here)";
      }
      return fault;
    }
  }
  return std::nullopt;
}

// ---- The search --------------------------------------------------------------------------------

struct Candidate {
  const Certificate* certificate;
  bool is_trusted;
};

class PathSearch {
 public:
  PathSearch(const std::vector<Certificate>& sent, const TrustStore& trusted, std::int64_t now)
      : sent_(sent), trusted_(trusted), now_(now) {}

  [[nodiscard]] Result<void, PathFault> run();

 private:
  // A certificate of the path under way, and the issuers that are still to be tried for it.
  struct Step {
    const Certificate* certificate;
    std::vector<Candidate> issuers;
    std::size_t next = 0;
  };
  struct Checked {
    const Certificate* subject;
    const Certificate* issuer;
    SignatureVerdict verdict;
  };
  enum class Weight : std::uint8_t { none, dead_end, on_the_way, complete };

  [[nodiscard]] bool is_over() const { return steps_left_ == 0 || signatures_left_ == 0; }
  void begin(const Certificate& certificate);
  [[nodiscard]] std::vector<Candidate> find_issuers(const Certificate& certificate) const;
  [[nodiscard]] bool is_on_path(const Certificate& certificate) const;
  [[nodiscard]] bool try_issuer(const Candidate& candidate);
  [[nodiscard]] bool is_good_with(const Certificate* anchor);
  [[nodiscard]] SignatureVerdict signature(const Certificate& subject, const Certificate& issuer);
  void note_too_much_work();
  void note_dead_end(const Certificate& certificate);
  void note_signature(const Certificate& subject, const Candidate& issuer, SignatureVerdict);
  void note(Weight weight, PathFault fault);
  [[nodiscard]] Where where(const Certificate& certificate) const {
    return &certificate == sent_.data() ? Where::leaf : Where::sent_authority;
  }

  const std::vector<Certificate>& sent_;
  const TrustStore& trusted_;
  std::int64_t now_;
  std::vector<Step> path_;
  std::vector<Checked> checked_;
  std::size_t steps_left_ = path_steps_max;
  std::size_t signatures_left_ = path_signatures_max;
  Weight weight_ = Weight::none;
  PathFault fault_;
};

bool is_in_force(const Certificate& certificate, std::int64_t now) {
  return certificate.not_before <= now && now <= certificate.not_after;
}

// Whether the names fit, and the key ids where both are there (RFC 5280 4.2.1.1).
bool may_have_issued(const Certificate& issuer, const Certificate& subject) {
  const AuthorityKey& wanted = subject.authority_key;
  return issuer.comparable_subject == subject.comparable_issuer &&
         (!wanted.key_id || !issuer.key_id || *wanted.key_id == *issuer.key_id) &&
         (!wanted.serial || *wanted.serial == issuer.serial) &&
         (!wanted.issuer || *wanted.issuer == issuer.comparable_issuer);
}

Result<void, PathFault> PathSearch::run() {
  const Certificate& leaf = sent_.front();
  begin(leaf);
  if (trusted_.contains(leaf) && is_good_with(nullptr)) {
    return {};
  }
  while (!path_.empty() && !is_over()) {
    Step& step = path_.back();
    if (step.next == step.issuers.size()) {
      path_.pop_back();
      continue;
    }
    const Candidate candidate = step.issuers[step.next++];
    --steps_left_;
    if (try_issuer(candidate)) {
      return {};
    }
  }
  if (!path_.empty() || weight_ == Weight::none) {
    note_too_much_work();
  }
  return Failure(std::move(fault_));
}

void PathSearch::begin(const Certificate& certificate) {
  path_.push_back({&certificate, find_issuers(certificate)});
  if (path_.back().issuers.empty()) {
    note_dead_end(certificate);
  }
}

std::vector<Candidate> PathSearch::find_issuers(const Certificate& certificate) const {
  std::vector<Candidate> issuers;
  for (const Certificate* anchor : trusted_.find(certificate.comparable_issuer)) {
    if (may_have_issued(*anchor, certificate) && anchor->der != certificate.der) {
      issuers.push_back({anchor, true});
    }
  }
  const auto trusted_count = static_cast<std::ptrdiff_t>(issuers.size());
  for (const Certificate& one : sent_) {
    if (may_have_issued(one, certificate) && !is_on_path(one) && one.der != certificate.der) {
      issuers.push_back({&one, false});
    }
  }
  const auto in_force = [this](const Candidate& candidate) {
    return is_in_force(*candidate.certificate, now_);
  };
  std::stable_partition(issuers.begin(), issuers.begin() + trusted_count, in_force);
  std::stable_partition(issuers.begin() + trusted_count, issuers.end(), in_force);
  return issuers;
}

bool PathSearch::is_on_path(const Certificate& certificate) const {
  return std::ranges::any_of(
      path_, [&certificate](const Step& step) { return step.certificate->der == certificate.der; });
}

// Goes one step up. True: the path is complete and good.
bool PathSearch::try_issuer(const Candidate& candidate) {
  const Certificate& subject = *path_.back().certificate;
  const Certificate& issuer = *candidate.certificate;
  const SignatureVerdict verdict = signature(subject, issuer);
  if (verdict != SignatureVerdict::good) {
    note_signature(subject, candidate, verdict);
    return false;
  }
  if (candidate.is_trusted) {
    return is_good_with(&issuer);
  }
  if (path_.size() + 1 < path_certificates_max) {
    begin(issuer);
  } else {
    note(Weight::on_the_way, {PathFaultKind::too_many_on_the_way, Where::leaf, {}, {}, 0});
  }
  return false;
}

bool PathSearch::is_good_with(const Certificate* anchor) {
  std::vector<const Certificate*> path;
  for (const Step& step : path_) {
    path.push_back(step.certificate);
  }
  if (anchor != nullptr) {
    path.push_back(anchor);
  }
  auto fault = PathCheck(path, now_).find_fault();
  if (fault) {
    note(Weight::complete, std::move(*fault));
  }
  return !fault;
}

// A pair may be met on several ways up.
SignatureVerdict PathSearch::signature(const Certificate& subject, const Certificate& issuer) {
  for (const Checked& one : checked_) {
    if (one.subject == &subject && one.issuer == &issuer) {
      return one.verdict;
    }
  }
  --signatures_left_;
  checked_.push_back({&subject, &issuer, check_signature(subject, issuer)});
  return checked_.back().verdict;
}

// There may be a shorter way than those that were too long.
void PathSearch::note_too_much_work() {
  if (fault_.kind == PathFaultKind::too_many_on_the_way) {
    weight_ = Weight::none;
  }
  note(Weight::on_the_way, {PathFaultKind::too_much_work, Where::leaf, {}, {}, 0});
}

void PathSearch::note_dead_end(const Certificate& certificate) {
  PathFaultKind kind = PathFaultKind::unknown_issuer;
  if (certificate.self_issued()) {
    kind = path_.size() == 1 ? PathFaultKind::self_signed : PathFaultKind::unknown_root;
  }
  const bool is_over_its_time = certificate.not_after < now_;
  note(Weight::dead_end,
       {is_over_its_time ? PathFaultKind::expired : kind, where(certificate),
        short_name(certificate.subject), short_name(certificate.issuer), certificate.not_after});
}

void PathSearch::note_signature(const Certificate& subject, const Candidate& candidate,
                                SignatureVerdict verdict) {
  const Certificate& issuer = *candidate.certificate;
  PathFault fault{PathFaultKind::bad_signature, where(subject), short_name(subject.subject),
                  short_name(issuer.subject), 0};
  if (verdict == SignatureVerdict::weak) {
    fault.kind = PathFaultKind::weak_signature;
    fault.other = signature_name(subject);
  } else if (verdict == SignatureVerdict::unsupported &&
             check_key(issuer) == SignatureVerdict::unsupported) {
    // Nothing is wrong with the algorithm, and the key that it needs is the issuer's.
    fault = {PathFaultKind::unsupported_key,
             candidate.is_trusted ? Where::trusted_authority : where(issuer),
             short_name(issuer.subject), key_name(issuer), 0};
  } else if (verdict == SignatureVerdict::unsupported) {
    fault.kind = PathFaultKind::unsupported_signature;
    fault.other = signature_name(subject);
  }
  note(Weight::on_the_way, std::move(fault));
}

// The first of the weightiest: paths are tried in the order in which they are likely to be meant.
void PathSearch::note(Weight weight, PathFault fault) {
  if (weight > weight_) {
    weight_ = weight;
    fault_ = std::move(fault);
  }
}

}  // namespace

Result<void, PathFault> check_path(std::span<const Bytes> sent, const TrustStore& trusted,
                                   std::int64_t unix_seconds) {
  std::vector<Certificate> certificates;
  for (const Bytes der : sent.first(std::min(sent.size(), sent_certificates_max))) {
    auto certificate = parse_certificate(der);
    if (certificate) {
      certificates.push_back(std::move(*certificate));
    } else if (certificates.empty()) {
      return Failure(PathFault{});  // the leaf
    }
  }
  if (certificates.empty()) {
    return Failure(PathFault{});
  }
  auto found = PathSearch(certificates, trusted, unix_seconds).run();
  if (!found && sent.size() > sent_certificates_max) {
    return Failure(
        PathFault{PathFaultKind::too_many_sent, Where::leaf, {}, std::to_string(sent.size()), 0});
  }
  return found;
}

}  // namespace ringpost::tls
