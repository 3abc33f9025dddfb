// The problem: a certificate that was refused is just what a person wants to see, and wolfSSL as it
// is built here keeps none: that costs kilobytes a session.
//
// The idea: the channel keeps the DER of a handshake on demand, and this file reads out of it what
// people ask for, with the same small DER reader that checks the host name.
//
// Limits: names in other character sets than UTF-8 come out as their octets; of key types only
// those that a TLS server of today has are known by name.
#include "tls/peer_certificate.h"

#include <array>
#include <bit>

#include <fmt/format.h>

#include "tls/certificate_time.h"
#include "tls/der.h"
#include "tls/sha256.h"

namespace ringpost::tls {

namespace {

// RFC 5280 A.1 bounds common names to 64 characters and nothing to more than 32 K.
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t name_attributes_max = 16;
constexpr std::size_t serial_bytes_max = 20;  // RFC 5280 4.1.2.2

constexpr Bytes common_name_id = "\x55\x04\x03";

struct AttributeType {
  Bytes id;
  std::string_view name;
};
constexpr std::array<AttributeType, 6> attribute_types = {{
    {common_name_id, "CN"},
    {"\x55\x04\x06", "C"},
    {"\x55\x04\x07", "L"},
    {"\x55\x04\x08", "ST"},
    {"\x55\x04\x0a", "O"},
    {"\x55\x04\x0b", "OU"},
}};

struct NamedCurve {
  Bytes id;
  std::string_view name;
};
constexpr std::array<NamedCurve, 3> curves = {{
    {"\x2a\x86\x48\xce\x3d\x03\x01\x07", "ECDSA P-256"},
    {Bytes("\x2b\x81\x04\x00\x22", 5), "ECDSA P-384"},
    {Bytes("\x2b\x81\x04\x00\x23", 5), "ECDSA P-521"},
}};
constexpr Bytes rsa_id = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
constexpr Bytes elliptic_curve_id = "\x2a\x86\x48\xce\x3d\x02\x01";
constexpr Bytes ed25519_id = "\x2b\x65\x70";

std::string hexadecimal(Bytes octets) {
  std::string text;
  for (const char octet : octets) {
    text += fmt::format("{:02x}", static_cast<std::uint8_t>(octet));
  }
  return text;
}

std::string_view name_of_attribute(Bytes id) {
  for (const AttributeType& type : attribute_types) {
    if (type.id == id) {
      return type.name;
    }
  }
  return {};
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }. Attributes that are not known are left out.
bool read_name(Bytes name, std::string& text, std::string& common_name) {
  std::size_t attributes = 0;
  while (!name.empty()) {
    auto relative = der::take(name, der::set);
    if (!relative) {
      return false;
    }
    while (!relative->empty()) {
      auto attribute = der::take(*relative, der::sequence);
      const auto id = attribute ? der::take(*attribute, der::object_identifier) : std::nullopt;
      const auto value = id ? der::take(*attribute) : std::nullopt;
      if (!value) {
        return false;
      }
      const std::string_view type = name_of_attribute(*id);
      if (type.empty() || ++attributes > name_attributes_max) {
        continue;
      }
      const Bytes cut = value->content.substr(0, name_bytes_max);
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", type, cut);
      if (*id == common_name_id) {
        common_name = cut;
      }
    }
  }
  return true;
}

// RSAPublicKey ::= SEQUENCE { modulus, publicExponent } inside a BIT STRING.
std::string read_rsa_key(Bytes bits) {
  bits.remove_prefix(std::min<std::size_t>(1, bits.size()));  // the number of unused bits
  auto key = der::take(bits, der::sequence);
  auto modulus = key ? der::take(*key, der::integer) : std::nullopt;
  while (modulus && !modulus->empty() && modulus->front() == '\0') {
    modulus->remove_prefix(1);
  }
  if (!modulus || modulus->empty()) {
    return "RSA";
  }
  const auto top = static_cast<std::uint8_t>(modulus->front());
  return fmt::format("RSA {}", (modulus->size() - 1) * 8 + std::bit_width(top));
}

// SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING }.
std::string read_key(Bytes information) {
  auto algorithm = der::take(information, der::sequence);
  const auto id = algorithm ? der::take(*algorithm, der::object_identifier) : std::nullopt;
  if (id && *id == rsa_id) {
    const auto bits = der::take(information, der::bit_string);
    return read_rsa_key(bits.value_or(Bytes()));
  }
  if (id && *id == ed25519_id) {
    return "Ed25519";
  }
  if (id && *id == elliptic_curve_id) {
    const auto curve = der::take(*algorithm, der::object_identifier);
    for (const NamedCurve& known : curves) {
      if (curve && *curve == known.id) {
        return std::string(known.name);
      }
    }
    return "ECDSA";
  }
  return "unknown";
}

bool read_validity(Bytes validity, PeerCertificate& certificate) {
  const auto not_before = take_time(validity);
  const auto not_after = take_time(validity);
  certificate.not_before = not_before.value_or(0);
  certificate.not_after = not_after.value_or(0);
  return not_before && not_after;
}

// TBSCertificate up to the key; the names behind it are host_name's.
bool read_fields(Bytes fields, PeerCertificate& certificate) {
  static_cast<void>(der::take(fields, der::context_constructed(0)));  // the version
  const auto serial = der::take(fields, der::integer);
  const auto algorithm = der::take(fields, der::sequence);
  const auto issuer = der::take(fields, der::sequence);
  const auto validity = der::take(fields, der::sequence);
  const auto subject = der::take(fields, der::sequence);
  const auto key = der::take(fields, der::sequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !key) {
    return false;
  }
  certificate.serial = hexadecimal(serial->substr(0, serial_bytes_max + 1));
  certificate.self_issued = *issuer == *subject;
  certificate.key = read_key(*key);
  return read_name(*issuer, certificate.issuer, certificate.issuer_common_name) &&
         read_name(*subject, certificate.subject, certificate.subject_common_name) &&
         read_validity(*validity, certificate);
}

}  // namespace

std::optional<PeerCertificate> read_certificate(Bytes der) {
  PeerCertificate certificate;
  Bytes rest = der;
  auto whole = der::take(rest, der::sequence);
  const auto fields = whole ? der::take(*whole, der::sequence) : std::nullopt;
  auto names = certificate_names(der);
  if (!fields || !names || !read_fields(*fields, certificate)) {
    return std::nullopt;
  }
  certificate.names = std::move(*names);
  Sha256 digest;
  digest.update(der);
  const auto hex = digest.finish_hex();
  certificate.sha256.assign(hex.begin(), hex.end());
  return certificate;
}

}  // namespace ringpost::tls
