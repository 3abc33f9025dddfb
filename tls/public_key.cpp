// The problem: a certificate is refused for the kind of its key, and whoever has to replace it
// wants to know which kind that is; the verification of a path asks the same of it.
//
// The idea: one reader of SubjectPublicKeyInfo for both, and a table of names.
//
// Limits: keys that are not in the table are told by their object id.
#include "tls/public_key.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include <fmt/format.h>

#include "tls/der.h"
#include "tls/object_ids.h"

namespace ringpost::tls {

namespace {

using namespace std::string_view_literals;

// An id that is longer than this is nobody's.
constexpr std::size_t object_id_bytes_max = 32;

struct KeyAlgorithm {
  Bytes id;
  KeyKind kind;
  std::string_view name;
};
constexpr std::array<KeyAlgorithm, 9> key_algorithms = {{
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv, KeyKind::rsa, "RSA"},
    {object_id::rsa_pss, KeyKind::rsa_pss, "RSASSA-PSS only"},
    {"\x2a\x86\x48\xce\x3d\x02\x01"sv, KeyKind::ecdsa, "ECDSA"},
    {object_id::ed25519, KeyKind::ed25519, "Ed25519"},
    {"\x2b\x65\x71"sv, KeyKind::unknown, "Ed448"},
    {"\x2a\x86\x48\xce\x38\x04\x01"sv, KeyKind::unknown, "DSA"},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x11"sv, KeyKind::unknown, "ML-DSA-44"},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x12"sv, KeyKind::unknown, "ML-DSA-65"},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x13"sv, KeyKind::unknown, "ML-DSA-87"},
}};

struct NamedCurve {
  Bytes id;
  bool is_known;  // by the verification of signatures
  std::string_view name;
};
constexpr std::array<NamedCurve, 10> curves = {{
    {"\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, true, "P-256"},
    {"\x2b\x81\x04\x00\x22"sv, true, "P-384"},
    {"\x2b\x81\x04\x00\x23"sv, true, "P-521"},
    {"\x2b\x81\x04\x00\x0a"sv, false, "secp256k1"},
    {"\x2b\x81\x04\x00\x21"sv, false, "P-224"},
    {"\x2a\x86\x48\xce\x3d\x03\x01\x01"sv, false, "P-192"},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x07"sv, false, "brainpoolP256r1"},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"sv, false, "brainpoolP384r1"},
    {"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"sv, false, "brainpoolP512r1"},
    {"\x2a\x81\x1c\xcf\x55\x01\x82\x2d"sv, false, "SM2"},
}};

template <typename Table>
const typename Table::value_type* find_id(const Table& table, Bytes id) {
  const auto found =
      std::find_if(table.begin(), table.end(), [id](const auto& known) { return known.id == id; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

PublicKey read_public_key(Bytes information) {
  PublicKey key;
  auto algorithm = der::take(information, der::sequence);
  const auto id = algorithm ? der::take(*algorithm, der::object_identifier) : std::nullopt;
  const auto bits = id ? der::take(information, der::bit_string) : std::nullopt;
  if (!bits || bits->empty() || bits->front() != '\0') {
    return key;
  }
  key.bits = bits->substr(1);
  key.algorithm = *id;
  if (const KeyAlgorithm* const known = find_id(key_algorithms, *id)) {
    key.kind = known->kind;
  }
  if (key.kind == KeyKind::ecdsa) {
    key.curve = der::take(*algorithm, der::object_identifier).value_or(Bytes());
    const NamedCurve* const curve = find_id(curves, key.curve);
    key.is_known_curve = curve != nullptr && curve->is_known;
  }
  return key;
}

std::string describe(const PublicKey& key) {
  const KeyAlgorithm* const algorithm = find_id(key_algorithms, key.algorithm);
  if (algorithm == nullptr) {
    return key.algorithm.empty() ? "unknown" : "unknown " + object_id_text(key.algorithm);
  }
  const std::string name(algorithm->name);
  if (key.kind == KeyKind::rsa) {
    const auto numbers = read_rsa_numbers(key.bits);
    return numbers ? fmt::format("{} {}", name, numbers->bits) : name;
  }
  if (key.kind != KeyKind::ecdsa || key.curve.empty()) {
    return name;
  }
  const NamedCurve* const curve = find_id(curves, key.curve);
  return name + " " + (curve != nullptr ? std::string(curve->name) : object_id_text(key.curve));
}

std::optional<RsaNumbers> read_rsa_numbers(Bytes key) {
  auto fields = der::take(key, der::sequence);
  auto modulus = fields ? der::take(*fields, der::integer) : std::nullopt;
  const auto exponent = modulus ? der::take(*fields, der::integer) : std::nullopt;
  while (exponent && !modulus->empty() && modulus->front() == '\0') {
    modulus->remove_prefix(1);
  }
  if (!exponent || modulus->empty() || exponent->empty()) {
    return std::nullopt;
  }
  const auto top = static_cast<std::uint8_t>(modulus->front());
  return RsaNumbers{*modulus, *exponent, (modulus->size() - 1) * 8 + std::bit_width(top)};
}

// X.690 8.19: seven bits an octet, the first number is two.
std::string object_id_text(Bytes id) {
  std::string text;
  std::uint64_t number = 0;
  for (const char octet : id.substr(0, object_id_bytes_max)) {
    number = number << 7 | (static_cast<std::uint8_t>(octet) & 0x7fU);
    if ((static_cast<std::uint8_t>(octet) & 0x80U) != 0) {
      continue;
    }
    if (text.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(number / 40, 2);
      text = fmt::format("{}.{}", first, number - first * 40);
    } else {
      text += fmt::format(".{}", number);
    }
    number = 0;
  }
  return text;
}

}  // namespace ringpost::tls
