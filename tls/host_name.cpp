// The problem: credentials go only to the host that was named, and wolfSSL's check
// (wolfSSL_check_domain_name) is looser than RFC 9525: it takes the common name where there is no
// alternative name, wildcards anywhere in a label, and compares a host with every kind of
// alternative name, so that a dNSName of "192.0.2.1" stands for an address.
//
// The idea: read the subject alternative names out of the certificate and compare them here, as
// pure functions. wolfSSL's check is not used.
//
// Limits: names are compared as they stand, so an internationalised host has to come as A-labels; a
// certificate with nothing but a common name is refused, as Go and the browsers do.
#include "tls/host_name.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tls/der.h"
#include "tls/object_ids.h"
#include <ringpost/limits.h>

namespace ringpost::tls {

namespace {

constexpr std::uint8_t general_name_host = der::context(2);
constexpr std::uint8_t general_name_address = der::context(7);

// Names that a person wants to see before "and N more".
constexpr std::size_t names_described = 5;

bool name_matches(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) {
    return !pattern.empty() && codec::equal_without_case(pattern, host);
  }
  const std::string_view parent = pattern.substr(1);  // with its dot
  const std::size_t label = host.find('.');
  return parent.find('.', 1) != std::string_view::npos && label != std::string_view::npos &&
         label > 0 && codec::equal_without_case(parent, host.substr(label));
}

// GeneralNames: SEQUENCE OF GeneralName (RFC 5280 4.2.1.6).
bool take_general_names(Bytes extension_value, CertificateNames& names) {
  auto rest = der::take(extension_value, der::sequence);
  while (rest && !rest->empty()) {
    const auto name = der::take(*rest);
    if (!name) {
      return false;
    }
    if (name->tag == general_name_host) {
      names.hosts.emplace_back(name->content);
    } else if (name->tag == general_name_address) {
      names.addresses.emplace_back(name->content);
    }
  }
  return rest.has_value();
}

// The content of TBSCertificate's [3], a SEQUENCE OF Extension; empty when there is none. Nothing
// when the certificate is malformed up to there.
std::optional<Bytes> find_extensions(Bytes certificate) {
  auto whole = der::take(certificate, der::sequence);
  auto to_be_signed = whole ? der::take(*whole, der::sequence) : std::nullopt;
  while (to_be_signed && !to_be_signed->empty()) {
    const auto field = der::take(*to_be_signed);
    if (!field) {
      return std::nullopt;
    }
    if (field->tag == der::context_constructed(3)) {
      Bytes content = field->content;
      return der::take(content, der::sequence);
    }
  }
  return to_be_signed ? std::optional<Bytes>(Bytes{}) : std::nullopt;
}

}  // namespace

std::optional<CertificateNames> certificate_names(Bytes certificate) {
  CertificateNames names;
  auto extensions = find_extensions(certificate);
  while (extensions && !extensions->empty()) {
    auto extension = der::take(*extensions, der::sequence);
    const auto id = extension ? der::take(*extension, der::object_identifier) : std::nullopt;
    if (!id) {
      return std::nullopt;
    }
    static_cast<void>(der::take(*extension, der::boolean));  // whether it is critical
    const auto value = der::take(*extension, der::octet_string);
    if (!value) {
      return std::nullopt;
    }
    if (*id == object_id::subject_alternative_name && !take_general_names(*value, names)) {
      return std::nullopt;
    }
  }
  return extensions ? std::optional(std::move(names)) : std::nullopt;
}

std::optional<std::string> address_octets(std::string_view host) {
  const std::string text(host);  // inet_pton wants an end
  std::array<char, 16> octets{};
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
    return std::string(octets.data(), 4);
  }
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) {
    return std::string(octets.data(), 16);
  }
  return std::nullopt;
}

std::string_view without_trailing_dot(std::string_view host) {
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  return host;
}

bool names_match(const CertificateNames& names, std::string_view host) {
  host = without_trailing_dot(host);
  if (const auto octets = address_octets(host)) {
    return std::ranges::find(names.addresses, *octets) != names.addresses.end();
  }
  return std::ranges::any_of(names.hosts, [host](const std::string& pattern) {
    return name_matches(without_trailing_dot(pattern), host);
  });
}

bool has_address_as_name(const CertificateNames& names, std::string_view host) {
  host = without_trailing_dot(host);
  const auto octets = address_octets(host);
  return octets && std::ranges::any_of(names.hosts, [&octets](const std::string& name) {
           return address_octets(name) == octets;
         });
}

std::string describe(const CertificateNames& names) {
  std::vector<std::string> texts;
  for (const std::string& host : names.hosts) {
    texts.push_back(printable(host, limits::domain_bytes_max));
  }
  for (const std::string& address : names.addresses) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = address.size() == 4 ? AF_INET : AF_INET6;
    const bool known = address.size() == 4 || address.size() == 16;
    texts.emplace_back(known ? inet_ntop(family, address.data(), text.data(), text.size())
                             : "a malformed address");
  }
  std::string result;
  for (std::size_t index = 0; index < std::min(texts.size(), names_described); ++index) {
    result += index == 0 ? "" : ", ";
    result += texts[index];
  }
  if (texts.size() > names_described) {
    result += fmt::format(" and {} more", texts.size() - names_described);
  }
  return result;
}

std::vector<std::string> address_texts(const CertificateNames& names) {
  std::vector<std::string> texts;
  for (const std::string& address : names.addresses) {
    if (address.size() == 4 || address.size() == 16) {
      std::array<char, INET6_ADDRSTRLEN> text{};
      const int family = address.size() == 4 ? AF_INET : AF_INET6;
      texts.emplace_back(inet_ntop(family, address.data(), text.data(), text.size()));
    }
  }
  return texts;
}

std::string printable(Bytes bytes, std::size_t length_max) {
  std::string text(bytes.substr(0, length_max));
  std::ranges::replace_if(
      text, [](char octet) { return octet < ' ' || octet > '~'; }, '?');
  return text;
}

}  // namespace ringpost::tls
