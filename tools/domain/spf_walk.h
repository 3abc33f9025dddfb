// An SPF record and all that it refers to, as a receiver meets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/domain/dns_answer.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// RFC 7208 4.6.4.
inline constexpr std::size_t spf_lookups_max = 10;
inline constexpr std::size_t spf_void_lookups_max = 2;

enum class SpfStanding : std::uint8_t {
  none,  // there is no record
  usable,
  permerror,  // receivers treat it as broken
  temperror,  // DNS did not answer
};
[[nodiscard]] std::string_view name_of(SpfStanding standing);

// A term that cost a look-up.
struct SpfStep {
  std::size_t depth = 0;  // 0: of the domain's own record
  std::string domain;     // whose record has the term
  std::string term;
  bool is_void = false;  // nothing was found
};

struct SpfFinding {
  std::string domain;
  SpfStanding standing = SpfStanding::none;
  std::string problem;               // of permerror and temperror
  std::vector<std::string> records;  // the domain's own of SPF; more than one is a permerror
  std::size_t lookups = 0;           // of all terms, as if none matched
  std::size_t void_lookups = 0;
  std::vector<SpfStep> steps;
  // How many look-ups were spent when the provider's term was reached, that one included, and whose
  // record has it. A receiver that gets mail from the provider stops there.
  std::optional<std::size_t> provider_after;
  std::string provider_in;
  char all = ' ';  // what `all` of the record that ends it says; ' ': there is none
  std::vector<std::string> warnings;

  [[nodiscard]] bool too_many() const { return lookups > spf_lookups_max; }
};

// `provider`: the mechanism that should stand there, "include:spf.example.net"; empty: none is
// known. Whatever records say, it asks a bounded number of questions.
[[nodiscard]] SpfFinding walk_spf(std::string_view domain, std::string_view provider,
                                  const AskDns& ask);

}  // namespace ringpost::cli
