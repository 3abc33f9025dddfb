// The problem: a company's CA that may only certify its own names is worth having only if a client
// looks; wolfSSL looks at some kinds of names and at the next certificate only.
//
// The idea: all names of a certificate (the subject, its mail addresses, every alternative name,
// and the common name where that is all there is) are compared with each subtree of their own kind.
// The comparison of each kind is that of OpenSSL, the oracle of the tests, to the octet.
//
// Limits: otherName, x400Address, ediPartyName and registeredID are not compared: where they are
// constrained, a certificate that has one is refused. The mail addresses of RFC 8398 are
// otherNames.
#include "tls/name_constraints.h"

#include <algorithm>
#include <string_view>

#include "codec/text/ascii.h"
#include "tls/certificate.h"
#include "tls/der.h"
#include "tls/distinguished_name.h"
#include "tls/host_name.h"
#include "tls/object_ids.h"

namespace ringpost::tls {

namespace {

using namespace std::string_view_literals;

// Tags of GeneralName.
constexpr std::uint8_t mail_address = der::context(1);
constexpr std::uint8_t host = der::context(2);
constexpr std::uint8_t directory = der::context_constructed(4);
constexpr std::uint8_t uri = der::context(6);
constexpr std::uint8_t address = der::context(7);

constexpr Bytes email_address_id = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv;

// Names times subtrees; more is an attack on whoever compares them.
constexpr std::size_t comparisons_max = 1u << 18;
constexpr std::size_t name_length_max = 128;

enum class Match : std::uint8_t { yes, no, not_understood };

struct Name {
  std::uint8_t tag = 0;
  Bytes value;
  std::string directory = {};  // comparable
};

Match match_if(bool is_so) { return is_so ? Match::yes : Match::no; }

bool ends_with_text(Bytes text, Bytes end) {
  return text.size() >= end.size() &&
         codec::equal_without_case(text.substr(text.size() - end.size()), end);
}

// Whole labels: "example.com" holds itself and "a.example.com", ".example.com" only the latter.
Match match_host(Bytes name, Bytes base) {
  if (base.empty()) {
    return Match::yes;
  }
  if (!ends_with_text(name, base)) {
    return Match::no;
  }
  const bool at_label = name.size() == base.size() || base.front() == '.' ||
                        name[name.size() - base.size() - 1] == '.';
  return match_if(at_label);
}

// "a@example.com" is that mailbox, "example.com" all mailboxes of that host, ".example.com" those
// of the hosts below it.
Match match_mail_address(Bytes name, Bytes base) {
  const std::size_t at = name.rfind('@');
  const std::size_t base_at = base.rfind('@');
  if (at == Bytes::npos) {
    return Match::not_understood;
  }
  if (base_at == Bytes::npos && base.starts_with('.')) {
    return match_if(name.size() > base.size() && ends_with_text(name, base));
  }
  if (base_at != Bytes::npos) {
    if (base_at > 0 && base.substr(0, base_at) != name.substr(0, at)) {
      return Match::no;
    }
    base.remove_prefix(base_at + 1);
  }
  return match_if(codec::equal_without_case(name.substr(at + 1), base));
}

// Only the host of a URI counts.
Match match_uri(Bytes name, Bytes base) {
  const std::size_t colon = name.find(':');
  if (colon == Bytes::npos || name.substr(colon + 1, 2) != "//") {
    return Match::not_understood;
  }
  Bytes of_host = name.substr(colon + 3);
  const std::size_t port = of_host.find(':');
  of_host = of_host.substr(0, port != Bytes::npos ? port : of_host.find('/'));
  if (of_host.empty()) {
    return Match::not_understood;
  }
  if (base.starts_with('.')) {
    return match_if(of_host.size() > base.size() && ends_with_text(of_host, base));
  }
  return match_if(codec::equal_without_case(of_host, base));
}

// The base is an address and, behind it, a mask of the same length.
Match match_address(Bytes name, Bytes base) {
  if ((name.size() != 4 && name.size() != 16) || (base.size() != 8 && base.size() != 32)) {
    return Match::not_understood;
  }
  if (name.size() * 2 != base.size()) {
    return Match::no;
  }
  for (std::size_t index = 0; index < name.size(); ++index) {
    const auto differing = static_cast<std::uint8_t>(name[index] ^ base[index]);
    if ((differing & static_cast<std::uint8_t>(base[name.size() + index])) != 0) {
      return Match::no;
    }
  }
  return Match::yes;
}

Match match(const Name& name, const NameSubtree& subtree) {
  if (subtree.has_bounds) {
    return Match::not_understood;
  }
  switch (name.tag) {
    case host:
      return match_host(name.value, subtree.base);
    case mail_address:
      return match_mail_address(name.value, subtree.base);
    case uri:
      return match_uri(name.value, subtree.base);
    case address:
      return match_address(name.value, subtree.base);
    case directory:
      return match_if(name.directory.starts_with(subtree.directory));
    default:
      return Match::not_understood;
  }
}

// Whether the name lies within the constraints: in one of the permitted subtrees of its kind, if
// there are any, and in none of the excluded ones.
Match is_within(const Name& name, const NameConstraints& constraints) {
  bool is_limited = false;
  bool is_permitted = false;
  for (const NameSubtree& subtree : constraints.permitted) {
    if (subtree.tag == name.tag && !is_permitted) {
      const Match found = match(name, subtree);
      if (found == Match::not_understood) {
        return found;
      }
      is_limited = true;
      is_permitted = found == Match::yes;
    }
  }
  for (const NameSubtree& subtree : constraints.excluded) {
    if (subtree.tag == name.tag) {
      const Match found = match(name, subtree);
      if (found != Match::no) {
        return found == Match::yes ? Match::no : found;
      }
    }
  }
  return match_if(!is_limited || is_permitted);
}

bool is_of_label(char c) { return codec::is_alphanumeric(c) || c == '_'; }

// As OpenSSL decides it: host name characters, and at least one dot inside.
bool looks_like_host(const std::string& text) {
  bool has_dot = false;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (is_of_label(text[index])) {
      continue;
    }
    if (index == 0 || index + 1 == text.size() || (text[index] != '-' && text[index] != '.')) {
      return false;
    }
    if (text[index] == '.') {
      if (text[index + 1] == '.' || text[index + 1] == '-' || text[index - 1] == '-') {
        return false;
      }
      has_dot = true;
    }
  }
  return has_dot;
}

// The names of one certificate. Those of the common name own their text, in `texts`.
struct NameList {
  std::vector<Name> names;
  std::vector<std::string> texts;
  bool is_readable = true;

  void add_alternative(Bytes general_names);
  void add_subject(Bytes subject, const std::string& comparable, bool common_name_counts);
  [[nodiscard]] bool has_host() const {
    return std::ranges::any_of(names, [](const Name& name) { return name.tag == host; });
  }
};

void NameList::add_alternative(Bytes general_names) {
  while (!general_names.empty()) {
    const auto name = der::take(general_names);
    if (!name) {
      is_readable = false;
      return;
    }
    Name taken{name->tag, name->content};
    if (taken.tag == directory) {
      Bytes inside = name->content;
      const auto relative = der::take(inside, der::sequence);
      auto comparable = relative ? comparable_name(*relative) : std::nullopt;
      is_readable = is_readable && comparable;
      taken.directory = std::move(comparable).value_or(std::string());
    }
    names.push_back(std::move(taken));
  }
}

void NameList::add_subject(Bytes subject, const std::string& comparable, bool common_name_counts) {
  if (subject.empty()) {
    return;
  }
  names.push_back({directory, subject, comparable});
  const auto attributes = name_attributes(subject);
  is_readable = is_readable && attributes;
  if (!attributes) {
    return;
  }
  texts.reserve(attributes->size());  // views of short strings would not survive a move
  for (const NameAttribute& attribute : *attributes) {
    if (attribute.id == email_address_id) {
      names.push_back({mail_address, attribute.value});
    } else if (attribute.id == object_id::common_name && common_name_counts) {
      auto text = string_as_utf8(attribute.tag, attribute.value);
      if (text && looks_like_host(*text)) {
        texts.push_back(std::move(*text));
        names.push_back({host, texts.back()});
      }
    }
  }
}

std::string text_of(const Name& name) {
  switch (name.tag) {
    case directory: {
      Bytes inside = name.value;
      const Bytes subject = name.value;
      return short_name(der::take(inside, der::sequence).value_or(subject));
    }
    case address:
      return describe(CertificateNames{{}, {std::string(name.value)}});
    case host:
    case mail_address:
    case uri:
      return printable(name.value, name_length_max);
    default:
      return "of an unusual kind";
  }
}

bool read_subtrees(Bytes rest, std::vector<NameSubtree>& subtrees) {
  while (!rest.empty()) {
    auto subtree = der::take(rest, der::sequence);
    const auto base = subtree ? der::take(*subtree) : std::nullopt;
    if (!base) {
      return false;
    }
    NameSubtree read{base->tag, base->content, {}, false};
    if (base->tag == directory) {
      Bytes inside = base->content;
      const auto name = der::take(inside, der::sequence);
      auto comparable = name ? comparable_name(*name) : std::nullopt;
      if (!comparable || !inside.empty()) {
        return false;
      }
      read.directory = std::move(*comparable);
    }
    // A minimum of 0 is the default, and may not be written in DER, but is.
    const auto minimum = der::take(*subtree, der::context(0));
    read.has_bounds = (minimum && *minimum != "\0"sv) || !subtree->empty();
    subtrees.push_back(std::move(read));
  }
  return true;
}

}  // namespace

std::optional<NameConstraints> parse_name_constraints(Bytes value) {
  NameConstraints constraints;
  auto fields = der::take(value, der::sequence);
  if (!fields || !value.empty()) {
    return std::nullopt;
  }
  const auto permitted = der::take(*fields, der::context_constructed(0));
  const auto excluded = der::take(*fields, der::context_constructed(1));
  if (!fields->empty() || !read_subtrees(permitted.value_or(Bytes()), constraints.permitted) ||
      !read_subtrees(excluded.value_or(Bytes()), constraints.excluded)) {
    return std::nullopt;
  }
  return constraints;
}

bool general_names_are_readable(Bytes names) {
  while (!names.empty()) {
    if (!der::take(names)) {
      return false;
    }
  }
  return true;
}

std::optional<NameViolation> find_violation(const Certificate& certificate,
                                            const NameConstraints& constraints, bool is_leaf) {
  NameList list;
  list.add_alternative(certificate.alternative_names);
  list.add_subject(certificate.subject, certificate.comparable_subject,
                   is_leaf && !list.has_host());
  const std::size_t subtrees = constraints.permitted.size() + constraints.excluded.size();
  if (!list.is_readable || (subtrees > 0 && list.names.size() > comparisons_max / subtrees)) {
    return NameViolation{"that cannot be read", true};
  }
  for (const Name& name : list.names) {
    const Match within = is_within(name, constraints);
    if (within != Match::yes) {
      return NameViolation{text_of(name), within == Match::not_understood};
    }
  }
  return std::nullopt;
}

}  // namespace ringpost::tls
