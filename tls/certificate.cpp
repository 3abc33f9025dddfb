// The problem: wolfSSL's decoded certificate is private to it, and what it leaves out (constraints
// on other names than it knows, the purposes of a CA) is what a path is to be judged by.
//
// The idea: one pass over the DER that keeps views of the fields and reads each known extension
// once. Whatever is malformed is no certificate, so that nobody has to ask later whether a field
// that is missing was missing or could not be read.
//
// Limits: extensions for resources (RFC 3779) and proxies (RFC 3820) are not known, and refused
// where they are critical; policies (RFC 5280 6.1.2) are known and not judged, as in OpenSSL and
// GnuTLS, which nobody asks for a policy either.
#include "tls/certificate.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "tls/certificate_time.h"
#include "tls/der.h"
#include "tls/distinguished_name.h"
#include "tls/object_ids.h"

namespace ringpost::tls {

namespace {

using namespace std::string_view_literals;

constexpr Bytes constraints_on_names = "\x55\x1d\x1e"sv;
constexpr Bytes netscape_certificate_type = "\x60\x86\x48\x01\x86\xf8\x42\x01\x01"sv;
// Known, and of no consequence to the path: policies, their mappings and constraints, inhibit any
// policy. Where the CRLs are has to be a list, as OpenSSL wants it.
constexpr std::array<Bytes, 4> known_otherwise = {"\x55\x1d\x20"sv, "\x55\x1d\x21"sv,
                                                  "\x55\x1d\x24"sv, "\x55\x1d\x36"sv};
constexpr Bytes distribution_points = "\x55\x1d\x1f"sv;

// serverAuth, and what stood for it before there was serverAuth: the two "server gated" purposes.
constexpr std::array<Bytes, 3> server_purposes = {object_id::server_authentication,
                                                  "\x60\x86\x48\x01\x86\xf8\x42\x04\x01"sv,
                                                  "\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x03"sv};

constexpr std::uint32_t path_length_max = 1'000'000;  // longer is as good as no limit

bool is_one_of(Bytes id, const auto& ids) { return std::ranges::find(ids, id) != ids.end(); }

// A whole element with its tag and length, which has to have this tag.
std::optional<Bytes> take_whole(Bytes& rest, std::uint8_t tag) {
  const Bytes before = rest;
  if (!der::take(rest, tag)) {
    return std::nullopt;
  }
  return before.substr(0, before.size() - rest.size());
}

// A BIT STRING of whole octets; nothing for another.
std::optional<Bytes> take_octet_bits(Bytes& rest) {
  auto bits = der::take(rest, der::bit_string);
  if (!bits || bits->empty() || bits->front() != '\0') {
    return std::nullopt;
  }
  return bits->substr(1);
}

bool read_basic_constraints(Bytes value, Certificate& certificate) {
  auto fields = der::take(value, der::sequence);
  if (!fields || !value.empty()) {
    return false;
  }
  const auto authority = der::take(*fields, der::boolean);
  certificate.is_authority = authority && authority->size() == 1 && authority->front() != '\0';
  if (const auto length = der::take(*fields, der::integer)) {
    if (length->empty() || (static_cast<std::uint8_t>(length->front()) & 0x80) != 0) {
      return false;
    }
    std::uint32_t number = 0;
    for (const char octet : *length) {
      number = std::min(number << 8 | static_cast<std::uint8_t>(octet), path_length_max);
    }
    certificate.path_length = number;
  }
  return fields->empty() && (!authority || authority->size() == 1);
}

// The first eight of the named bits in a BIT STRING.
bool read_bits(Bytes value, std::optional<std::uint8_t>& bits) {
  const auto octets = der::take(value, der::bit_string);
  if (!octets || octets->empty() || !value.empty()) {
    return false;
  }
  bits = octets->size() > 1 ? static_cast<std::uint8_t>((*octets)[1]) : std::uint8_t{0};
  return true;
}

// anyExtendedKeyUsage alone is not enough: RFC 5280 4.2.1.12 leaves the choice, and OpenSSL, which
// curl and most servers' peers verify with, does not take it for serverAuth.
bool read_purposes(Bytes value, Certificate& certificate) {
  auto purposes = der::take(value, der::sequence);
  if (!purposes || !value.empty()) {
    return false;
  }
  certificate.for_servers = false;
  while (!purposes->empty()) {
    const auto id = der::take(*purposes, der::object_identifier);
    if (!id) {
      return false;
    }
    certificate.for_servers = *certificate.for_servers || is_one_of(*id, server_purposes);
  }
  return true;
}

// AuthorityKeyIdentifier ::= SEQUENCE { [0] key id, [1] GeneralNames, [2] serial }, all optional.
bool read_authority_key(Bytes value, Certificate& certificate) {
  auto fields = der::take(value, der::sequence);
  if (!fields || !value.empty()) {
    return false;
  }
  AuthorityKey& key = certificate.authority_key;
  key.key_id = der::take(*fields, der::context(0));
  auto names = der::take(*fields, der::context_constructed(1));
  while (names && !names->empty()) {
    auto name = der::take(*names);
    if (!name) {
      return false;
    }
    if (name->tag == der::context_constructed(4) && !key.issuer) {
      const auto directory = der::take(name->content, der::sequence);
      key.issuer = directory ? comparable_name(*directory) : std::nullopt;
      if (!key.issuer) {
        return false;
      }
    }
  }
  key.serial = der::take(*fields, der::context(2));
  return fields->empty();
}

bool read_name_constraints(Bytes value, Certificate& certificate) {
  certificate.name_constraints = parse_name_constraints(value);
  return certificate.name_constraints.has_value();
}

// Those that have a say in the path; only these may not come twice (RFC 5280 4.2), as in OpenSSL.
constexpr std::array<Bytes, 9> known_extensions = {
    object_id::basic_constraints,  object_id::key_usage,
    object_id::extended_key_usage, netscape_certificate_type,
    constraints_on_names,          object_id::authority_key_id,
    object_id::subject_key_id,     object_id::subject_alternative_name};

bool read_extension(Bytes id, bool critical, Bytes value, Certificate& certificate) {
  if (id == object_id::basic_constraints) {
    return read_basic_constraints(value, certificate);
  }
  if (id == object_id::key_usage) {
    return read_bits(value, certificate.key_usage);
  }
  if (id == netscape_certificate_type) {
    return read_bits(value, certificate.netscape_type);
  }
  if (id == object_id::extended_key_usage) {
    return read_purposes(value, certificate);
  }
  if (id == constraints_on_names) {
    return read_name_constraints(value, certificate);
  }
  if (id == object_id::authority_key_id) {
    return read_authority_key(value, certificate);
  }
  if (id == object_id::subject_key_id) {
    certificate.key_id = der::take(value, der::octet_string);
    return certificate.key_id && value.empty();
  }
  if (id == object_id::subject_alternative_name) {
    const auto names = der::take(value, der::sequence);
    certificate.alternative_names = names.value_or(Bytes());
    return names && value.empty() && general_names_are_readable(*names);
  }
  if (id == distribution_points) {
    const auto points = der::take(value, der::sequence);
    return points && value.empty() && general_names_are_readable(*points);
  }
  if (critical && !is_one_of(id, known_otherwise)) {
    certificate.unknown_critical = id;
  }
  return true;
}

bool read_extensions(Bytes rest, Certificate& certificate) {
  std::vector<Bytes> seen;
  while (!rest.empty()) {
    auto extension = der::take(rest, der::sequence);
    const auto id = extension ? der::take(*extension, der::object_identifier) : std::nullopt;
    if (!id || is_one_of(*id, seen)) {
      return false;
    }
    if (is_one_of(*id, known_extensions)) {
      seen.push_back(*id);
    }
    const auto critical = der::take(*extension, der::boolean);
    const auto value = der::take(*extension, der::octet_string);
    if (!value || !extension->empty() || (critical && critical->size() != 1) ||
        !read_extension(*id, critical && critical->front() != '\0', *value, certificate)) {
      return false;
    }
  }
  return true;
}

bool read_names(Certificate& certificate) {
  auto issuer = comparable_name(certificate.issuer);
  auto subject = comparable_name(certificate.subject);
  if (!issuer || !subject) {
    return false;
  }
  certificate.comparable_issuer = std::move(*issuer);
  certificate.comparable_subject = std::move(*subject);
  return true;
}

// TBSCertificate up to and with the key; the rest stays in `fields`.
bool read_fields(Bytes& fields, Certificate& certificate) {
  if (auto version = der::take(fields, der::context_constructed(0))) {
    const auto number = der::take(*version, der::integer);
    if (!number || number->size() != 1 || !version->empty()) {
      return false;
    }
    certificate.version = static_cast<std::uint8_t>(number->front()) + 1;
  }
  const auto serial = der::take(fields, der::integer);
  const auto algorithm = der::take(fields, der::sequence);
  const auto issuer = der::take(fields, der::sequence);
  auto validity = der::take(fields, der::sequence);
  const auto not_before = validity ? take_time(*validity) : std::nullopt;
  const auto not_after = validity ? take_time(*validity) : std::nullopt;
  const auto subject = der::take(fields, der::sequence);
  const auto key = take_whole(fields, der::sequence);
  if (!serial || !algorithm || *algorithm != certificate.signature_algorithm || !issuer ||
      !not_before || !not_after || !validity->empty() || !subject || !key) {
    return false;
  }
  certificate.serial = *serial;
  certificate.issuer = *issuer;
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  certificate.subject = *subject;
  certificate.public_key = *key;
  return read_names(certificate);
}

}  // namespace

std::optional<Certificate> parse_certificate(Bytes der) {
  Certificate certificate;
  certificate.der = der;
  Bytes rest = der;
  auto whole = der::take(rest, der::sequence);
  const auto signed_part = whole ? take_whole(*whole, der::sequence) : std::nullopt;
  const auto algorithm = signed_part ? der::take(*whole, der::sequence) : std::nullopt;
  const auto signature = algorithm ? take_octet_bits(*whole) : std::nullopt;
  if (!signature || !whole->empty() || !rest.empty()) {
    return std::nullopt;
  }
  certificate.signed_part = *signed_part;
  certificate.signature_algorithm = *algorithm;
  certificate.signature = *signature;

  Bytes inside = *signed_part;
  auto fields = der::take(inside, der::sequence);
  if (!fields || !read_fields(*fields, certificate)) {
    return std::nullopt;
  }
  static_cast<void>(der::take(*fields, der::context(1)));  // unique ids, which nobody uses
  static_cast<void>(der::take(*fields, der::context(2)));
  if (auto wrapped = der::take(*fields, der::context_constructed(3))) {
    const auto extensions = der::take(*wrapped, der::sequence);
    if (!extensions || !wrapped->empty() || !read_extensions(*extensions, certificate)) {
      return std::nullopt;
    }
  }
  return fields->empty() ? std::optional(std::move(certificate)) : std::nullopt;
}

}  // namespace ringpost::tls
