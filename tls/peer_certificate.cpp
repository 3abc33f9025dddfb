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

#include <fmt/format.h>

#include "tls/certificate_time.h"
#include "tls/der.h"
#include "tls/object_ids.h"
#include "tls/public_key.h"
#include "tls/sha256.h"

namespace ringpost::tls {

namespace {

// RFC 5280 A.1 bounds common names to 64 characters and nothing to more than 32 K.
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t name_attributes_max = 16;
constexpr std::size_t serial_bytes_max = 20;  // RFC 5280 4.1.2.2

struct AttributeType {
  Bytes id;
  std::string_view name;
};
constexpr std::array<AttributeType, 6> attribute_types = {{
    {object_id::common_name, "CN"},
    {"\x55\x04\x06", "C"},
    {"\x55\x04\x07", "L"},
    {"\x55\x04\x08", "ST"},
    {object_id::organisation_name, "O"},
    {"\x55\x04\x0b", "OU"},
}};

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
      if (*id == object_id::common_name) {
        common_name = cut;
      }
    }
  }
  return true;
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
  certificate.key = describe(read_public_key(*key));
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
