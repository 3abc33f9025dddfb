// The problem: wolfSSL checks a certificate's signature only against its own store of CAs, to which
// it would add what it has checked.
//
// The idea: wolfCrypt has the arithmetic; what it is asked for stands in two tables, of algorithms
// and of keys. A signature is checked with the issuer's key as it stands in its certificate.
//
// Limits: RSA up to 8,192 bits, ECDSA on P-256, P-384 and P-521, RSASSA-PSS with one hash for both
// of its parts, Ed25519 where wolfSSL was built with it. MD2, MD5 and SHA-1 are not even computed.
#include "tls/certificate_signature.h"

#include <array>
#include <optional>
#include <string>

// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>
// clang-format on

#include "tls/der.h"
#include "tls/object_ids.h"
#include "tls/octets.h"
#include "tls/public_key.h"

namespace ringpost::tls {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t signer_rsa_bits_min = 2048;  // as in context.cpp, for the same reason
constexpr std::size_t rsa_key_bits_max = 8192;

constexpr Bytes mgf1_id = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;

struct Algorithm {
  Bytes id;
  KeyKind key;
  wc_HashType hash;  // none: it is too weak to be used
  std::string_view name;
};
constexpr std::array<Algorithm, 14> algorithms = {{
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv, KeyKind::rsa, WC_HASH_TYPE_SHA256,
     "SHA-256 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"sv, KeyKind::rsa, WC_HASH_TYPE_SHA384,
     "SHA-384 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"sv, KeyKind::rsa, WC_HASH_TYPE_SHA512,
     "SHA-512 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"sv, KeyKind::rsa, WC_HASH_TYPE_SHA224,
     "SHA-224 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"sv, KeyKind::rsa, WC_HASH_TYPE_NONE, "SHA-1 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"sv, KeyKind::rsa, WC_HASH_TYPE_NONE, "MD5 with RSA"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"sv, KeyKind::rsa, WC_HASH_TYPE_NONE, "MD2 with RSA"},
    {object_id::ecdsa_with_sha256, KeyKind::ecdsa, WC_HASH_TYPE_SHA256, "SHA-256 with ECDSA"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x03"sv, KeyKind::ecdsa, WC_HASH_TYPE_SHA384,
     "SHA-384 with ECDSA"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x04"sv, KeyKind::ecdsa, WC_HASH_TYPE_SHA512,
     "SHA-512 with ECDSA"},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x01"sv, KeyKind::ecdsa, WC_HASH_TYPE_SHA224,
     "SHA-224 with ECDSA"},
    {"\x2a\x86\x48\xce\x3d\x04\x01"sv, KeyKind::ecdsa, WC_HASH_TYPE_NONE, "SHA-1 with ECDSA"},
    {object_id::rsa_pss, KeyKind::rsa_pss, WC_HASH_TYPE_SHA256,
     "RSASSA-PSS"},  // its hash is a parameter
    {object_id::ed25519, KeyKind::ed25519, WC_HASH_TYPE_SHA512, "Ed25519"},
}};

struct HashName {
  Bytes id;
  wc_HashType hash;
  int mgf;
};
constexpr std::array<HashName, 4> hashes = {{
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv, WC_HASH_TYPE_SHA256, WC_MGF1SHA256},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv, WC_HASH_TYPE_SHA384, WC_MGF1SHA384},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv, WC_HASH_TYPE_SHA512, WC_MGF1SHA512},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x04"sv, WC_HASH_TYPE_SHA224, WC_MGF1SHA224},
}};
constexpr Bytes sha1_id = "\x2b\x0e\x03\x02\x1a"sv;

const Algorithm* find_algorithm(const Certificate& certificate) {
  Bytes identifier = certificate.signature_algorithm;
  const auto id = der::take(identifier, der::object_identifier);
  for (const Algorithm& algorithm : algorithms) {
    if (id && algorithm.id == *id) {
      return &algorithm;
    }
  }
  return nullptr;
}

// ---- Keys ----

// Of a certificate, whose `public_key` is a whole element.
PublicKey key_of(const Certificate& certificate) {
  Bytes rest = certificate.public_key;
  return read_public_key(der::take(rest, der::sequence).value_or(Bytes()));
}

class RsaPublicKey {
 public:
  explicit RsaPublicKey(Bytes bits) {
    const auto numbers = read_rsa_numbers(bits);
    is_good_ = wc_InitRsaKey(&key_, nullptr) == 0 && numbers && numbers->bits <= rsa_key_bits_max &&
               wc_RsaPublicKeyDecodeRaw(octets(numbers->modulus),
                                        static_cast<word32>(numbers->modulus.size()),
                                        octets(numbers->exponent),
                                        static_cast<word32>(numbers->exponent.size()), &key_) == 0;
    bits_ = numbers ? numbers->bits : 0;
  }
  ~RsaPublicKey() { wc_FreeRsaKey(&key_); }
  RsaPublicKey(const RsaPublicKey&) = delete;
  RsaPublicKey& operator=(const RsaPublicKey&) = delete;

  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] std::size_t bits() const { return bits_; }
  [[nodiscard]] RsaKey* get() { return &key_; }

 private:
  RsaKey key_{};
  std::size_t bits_ = 0;
  bool is_good_ = false;
};

// ---- Signatures ----

SignatureVerdict verdict_if(bool is_good) {
  return is_good ? SignatureVerdict::good : SignatureVerdict::bad;
}

word32 size_of(Bytes bytes) { return static_cast<word32>(bytes.size()); }

SignatureVerdict check_rsa(const Certificate& subject, const PublicKey& issuer, wc_HashType hash) {
  RsaPublicKey key(issuer.bits);
  return verdict_if(key.is_good() &&
                    wc_SignatureVerify(hash, WC_SIGNATURE_TYPE_RSA_W_ENC,
                                       octets(subject.signed_part), size_of(subject.signed_part),
                                       octets(subject.signature), size_of(subject.signature),
                                       key.get(), sizeof(RsaKey)) == 0);
}

SignatureVerdict check_ecdsa(const Certificate& subject, const Certificate& issuer,
                             wc_HashType hash) {
  ecc_key key{};
  word32 index = 0;
  const bool is_good = wc_ecc_init(&key) == 0 &&
                       wc_EccPublicKeyDecode(octets(issuer.public_key), &index, &key,
                                             size_of(issuer.public_key)) == 0 &&
                       wc_SignatureVerify(hash, WC_SIGNATURE_TYPE_ECC, octets(subject.signed_part),
                                          size_of(subject.signed_part), octets(subject.signature),
                                          size_of(subject.signature), &key, sizeof(key)) == 0;
  wc_ecc_free(&key);
  return verdict_if(is_good);
}

struct PssParameters {
  const HashName* hash = nullptr;
  int salt_bytes = 20;
};

const HashName* take_hash(Bytes algorithm) {
  auto identifier = der::take(algorithm, der::sequence);
  const auto id = identifier ? der::take(*identifier, der::object_identifier) : std::nullopt;
  for (const HashName& known : hashes) {
    if (id && known.id == *id) {
      return &known;
    }
  }
  return nullptr;
}

// RSASSA-PSS-params (RFC 4055 3.1): [0] hash, [1] mask generation with its hash, [2] salt length.
// The defaults are SHA-1, which is too weak, so the first two have to be there.
std::optional<PssParameters> read_pss_parameters(const Certificate& certificate) {
  PssParameters parameters;
  Bytes identifier = certificate.signature_algorithm;
  static_cast<void>(der::take(identifier, der::object_identifier));
  auto fields = der::take(identifier, der::sequence);
  const auto hash = fields ? der::take(*fields, der::context_constructed(0)) : std::nullopt;
  auto mask = hash ? der::take(*fields, der::context_constructed(1)) : std::nullopt;
  auto generator = mask ? der::take(*mask, der::sequence) : std::nullopt;
  const auto id = generator ? der::take(*generator, der::object_identifier) : std::nullopt;
  if (!id || *id != mgf1_id) {
    return std::nullopt;
  }
  parameters.hash = take_hash(*hash);
  if (parameters.hash == nullptr || take_hash(*generator) != parameters.hash) {
    return std::nullopt;
  }
  if (auto salt = der::take(*fields, der::context_constructed(2))) {
    const auto bytes = der::take(*salt, der::integer);
    if (!bytes || bytes->size() != 1 || static_cast<std::int8_t>(bytes->front()) < 0) {
      return std::nullopt;
    }
    parameters.salt_bytes = bytes->front();
  }
  return parameters;
}

bool uses_sha1(const Certificate& certificate) {
  return certificate.signature_algorithm.size() < 20 ||  // all defaults
         certificate.signature_algorithm.find(sha1_id) != Bytes::npos;
}

SignatureVerdict check_pss(const Certificate& subject, const PublicKey& issuer) {
  const auto parameters = read_pss_parameters(subject);
  RsaPublicKey key(issuer.bits);
  if (!parameters || !key.is_good()) {
    return parameters ? SignatureVerdict::bad : SignatureVerdict::unsupported;
  }
  std::array<byte, WC_MAX_DIGEST_SIZE> digest{};
  const int digest_bytes = wc_HashGetDigestSize(parameters->hash->hash);
  if (digest_bytes <= 0 ||
      wc_Hash(parameters->hash->hash, octets(subject.signed_part), size_of(subject.signed_part),
              digest.data(), static_cast<word32>(digest_bytes)) != 0) {
    return SignatureVerdict::bad;
  }
  std::string signature(subject.signature);
  std::string block(rsa_key_bits_max / 8, '\0');
  const int size = wc_RsaPSS_Verify_ex(octets(signature), size_of(signature), octets(block),
                                       size_of(block), parameters->hash->hash,
                                       parameters->hash->mgf, parameters->salt_bytes, key.get());
  return verdict_if(size > 0 &&
                    wc_RsaPSS_CheckPadding_ex2(digest.data(), static_cast<word32>(digest_bytes),
                                               octets(block), static_cast<word32>(size),
                                               parameters->hash->hash, parameters->salt_bytes,
                                               static_cast<int>(key.bits()), nullptr) == 0);
}

SignatureVerdict check_ed25519(const Certificate& subject, const PublicKey& issuer) {
#if defined(HAVE_ED25519)
  ed25519_key key{};
  int verified = 0;
  const bool is_good =
      wc_ed25519_init(&key) == 0 &&
      wc_ed25519_import_public(octets(issuer.bits), size_of(issuer.bits), &key) == 0 &&
      wc_ed25519_verify_msg(octets(subject.signature), size_of(subject.signature),
                            octets(subject.signed_part), size_of(subject.signed_part), &verified,
                            &key) == 0 &&
      verified == 1;
  wc_ed25519_free(&key);
  return verdict_if(is_good);
#else
  static_cast<void>(subject);
  static_cast<void>(issuer);
  return SignatureVerdict::unsupported;
#endif
}

}  // namespace

SignatureVerdict check_algorithm(const Certificate& certificate) {
  const Algorithm* algorithm = find_algorithm(certificate);
  if (algorithm == nullptr) {
    return SignatureVerdict::unsupported;
  }
  if (algorithm->hash == WC_HASH_TYPE_NONE ||
      (algorithm->key == KeyKind::rsa_pss && uses_sha1(certificate))) {
    return SignatureVerdict::weak;
  }
  return SignatureVerdict::good;
}

SignatureVerdict check_key(const Certificate& certificate) {
  const PublicKey key = key_of(certificate);
  switch (key.kind) {
    case KeyKind::rsa:
    case KeyKind::rsa_pss: {
      const auto numbers = read_rsa_numbers(key.bits);
      if (!numbers || numbers->bits > rsa_key_bits_max) {
        return SignatureVerdict::unsupported;
      }
      return numbers->bits < signer_rsa_bits_min ? SignatureVerdict::weak : SignatureVerdict::good;
    }
    case KeyKind::ecdsa:
      return key.is_known_curve ? SignatureVerdict::good : SignatureVerdict::unsupported;
    case KeyKind::ed25519:
#if defined(HAVE_ED25519)
      return SignatureVerdict::good;
#else
      return SignatureVerdict::unsupported;
#endif
    case KeyKind::unknown:
      break;
  }
  return SignatureVerdict::unsupported;
}

SignatureVerdict check_signature(const Certificate& subject, const Certificate& issuer) {
  const SignatureVerdict algorithm_is = check_algorithm(subject);
  if (algorithm_is != SignatureVerdict::good) {
    return algorithm_is;
  }
  const Algorithm& algorithm = *find_algorithm(subject);
  const PublicKey key = key_of(issuer);
  // A key for RSA can make signatures of RSASSA-PSS; the other way round it may not.
  if (key.kind != algorithm.key &&
      !(key.kind == KeyKind::rsa && algorithm.key == KeyKind::rsa_pss)) {
    return key.kind == KeyKind::unknown ? SignatureVerdict::unsupported : SignatureVerdict::bad;
  }
  switch (algorithm.key) {
    case KeyKind::rsa:
      return check_rsa(subject, key, algorithm.hash);
    case KeyKind::rsa_pss:
      return check_pss(subject, key);
    case KeyKind::ecdsa:
      return key.is_known_curve ? check_ecdsa(subject, issuer, algorithm.hash)
                                : SignatureVerdict::unsupported;
    case KeyKind::ed25519:
      return check_ed25519(subject, key);
    case KeyKind::unknown:
      break;
  }
  return SignatureVerdict::unsupported;
}

bool can_prove_itself(const Certificate& leaf) { return key_of(leaf).kind != KeyKind::rsa_pss; }

std::string signature_name(const Certificate& certificate) {
  const Algorithm* algorithm = find_algorithm(certificate);
  if (algorithm == nullptr) {
    Bytes identifier = certificate.signature_algorithm;
    const auto id = der::take(identifier, der::object_identifier);
    return "an unknown algorithm" + (id ? " (" + object_id_text(*id) + ")" : std::string());
  }
  return std::string(algorithm->key == KeyKind::rsa_pss && uses_sha1(certificate)
                         ? "RSASSA-PSS with SHA-1"
                         : algorithm->name);
}

std::string key_name(const Certificate& certificate) { return describe(key_of(certificate)); }

std::string_view supported_keys() {
#if defined(HAVE_ED25519)
  return "RSA of 2048 to 8192 bits, ECDSA P-256, P-384 and P-521, and Ed25519";
#else
  return "RSA of 2048 to 8192 bits, and ECDSA P-256, P-384 and P-521";
#endif
}

}  // namespace ringpost::tls
