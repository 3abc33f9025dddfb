// Whether a certificate is for the host that was asked for: RFC 9525, on plain octets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::tls {

// What a certificate says it is for. Owns its strings.
struct CertificateNames {
  std::vector<std::string> hosts;      // dNSName, as they stand: any octets, any case
  std::vector<std::string> addresses;  // iPAddress, 4 or 16 octets in network order
};

// The subject alternative names of a certificate (DER). Nothing when it is malformed; names without
// any entry when it has none. The common name is not looked at (RFC 9525 section 2).
[[nodiscard]] std::optional<CertificateNames> certificate_names(Bytes certificate);

// The octets of an IPv4 or IPv6 literal, 4 or 16 of them; nothing for a name.
[[nodiscard]] std::optional<std::string> address_octets(std::string_view host);

// Without the dot that makes a name absolute: SNI never has it, nor have most certificates.
[[nodiscard]] std::string_view without_trailing_dot(std::string_view host);

// Names match without regard to case, a "*" only as the whole first label, for exactly one label,
// and only above two or more others; a dot at the end is passed over. An address matches an equal
// address, never a name.
[[nodiscard]] bool names_match(const CertificateNames& names, std::string_view host);

// Whether `host` is an address that stands among the DNS names, where it counts for nothing.
[[nodiscard]] bool has_address_as_name(const CertificateNames& names, std::string_view host);

// "a.example, b.example and 7 more", made printable; empty when there are none.
[[nodiscard]] std::string describe(const CertificateNames& names);

// The IP addresses among them as literals; a malformed one is left out.
[[nodiscard]] std::vector<std::string> address_texts(const CertificateNames& names);

// Printable ASCII as it is, "?" for every other octet; at most `length_max` characters.
[[nodiscard]] std::string printable(Bytes bytes, std::size_t length_max);

}  // namespace ringpost::tls
