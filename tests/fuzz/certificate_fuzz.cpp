// tls/certificate and what stands on it: what is read stands inside what was given, the two readers
// of certificates agree, and names compare as equal with themselves.
//
// Input: a certificate in DER.
#include <string>

#include "tests/fuzz/fuzz_input.h"
#include "tls/certificate.h"
#include "tls/certificate_path.h"
#include "tls/certificate_signature.h"
#include "tls/distinguished_name.h"
#include "tls/peer_certificate.h"

using namespace ringpost;

namespace {

bool stands_in(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_views(const tls::Certificate& certificate, Bytes der) {
  RP_ASSERT(certificate.der == der);
  for (const Bytes part :
       {certificate.signed_part, certificate.signature_algorithm, certificate.signature,
        certificate.serial, certificate.issuer, certificate.subject, certificate.public_key,
        certificate.alternative_names, certificate.key_id.value_or(Bytes()),
        certificate.unknown_critical}) {
    RP_ASSERT(stands_in(part, der));
  }
}

void check_names(const tls::Certificate& certificate) {
  RP_ASSERT(tls::comparable_name(certificate.subject) == certificate.comparable_subject);
  RP_ASSERT(certificate.issuer != certificate.subject || certificate.self_issued());
  RP_ASSERT(tls::name_attributes(certificate.subject).has_value());
  RP_ASSERT(tls::short_name(certificate.subject).size() <= 64);
  // Nobody is constrained by nothing; and what is excluded cannot be permitted.
  RP_ASSERT(!tls::find_violation(certificate, {}, true) ||
            tls::find_violation(certificate, {}, true)->not_understood);
  if (certificate.name_constraints) {
    tls::NameConstraints only_excluded = *certificate.name_constraints;
    only_excluded.permitted.clear();
    RP_ASSERT(!tls::find_violation(certificate, only_excluded, true) ||
              tls::find_violation(certificate, *certificate.name_constraints, true));
  }
}

void check_against_other_reader(const tls::Certificate& certificate, Bytes der) {
  const auto other = tls::read_certificate(der);
  if (other) {
    RP_ASSERT(other->not_before == certificate.not_before);
    RP_ASSERT(other->not_after == certificate.not_after);
    RP_ASSERT(!other->self_issued || certificate.self_issued());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string der = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  const auto certificate = tls::parse_certificate(der);
  if (certificate) {
    check_views(*certificate, der);
    check_names(*certificate);
    check_against_other_reader(*certificate, der);
    static_cast<void>(tls::check_signature(*certificate, *certificate));
    static_cast<void>(tls::check_key(*certificate));
  }
  // Nothing is trusted, so nothing is good.
  const std::vector<Bytes> sent = {der, der};
  RP_ASSERT(!tls::check_path(sent, tls::TrustStore(), 1'700'000'000));
  return 0;
}
