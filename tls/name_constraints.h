// Which names a CA may certify (RFC 5280 4.2.1.10). Internal to tls/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::tls {

struct Certificate;

// One base of a GeneralSubtree. Views stand in the certificate that it was read from.
struct NameSubtree {
  std::uint8_t tag = 0;  // of the GeneralName
  Bytes base;
  std::string directory;    // of a directoryName: comparable
  bool has_bounds = false;  // minimum or maximum, which RFC 5280 does not allow
};

struct NameConstraints {
  std::vector<NameSubtree> permitted;
  std::vector<NameSubtree> excluded;
};

// Reads the value of the extension. Nothing when it is malformed.
[[nodiscard]] std::optional<NameConstraints> parse_name_constraints(Bytes value);

// Whether every GeneralName in this list can be taken out of it.
[[nodiscard]] bool general_names_are_readable(Bytes names);

// A name that may not stand below a CA.
struct NameViolation {
  std::string name;             // printable
  bool not_understood = false;  // it could not be compared, which counts as not allowed
};

// The first name of `certificate` that lies outside `constraints`; nothing when all are within. A
// kind of name that is not constrained is free; one that is constrained and cannot be compared here
// is a violation. `is_leaf`: without any dNSName the common name counts as one, if it looks so.
[[nodiscard]] std::optional<NameViolation> find_violation(const Certificate& certificate,
                                                          const NameConstraints& constraints,
                                                          bool is_leaf);

}  // namespace ringpost::tls
