// A DMARC record (RFC 7489 6.3, and what its successor adds: np, psd, t).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

enum class DmarcPolicy : std::uint8_t { none, quarantine, reject };
[[nodiscard]] std::string_view name_of(DmarcPolicy policy);

enum class DmarcSuffix : std::uint8_t { unsaid, yes, no };  // psd=: whether it is a public suffix

struct DmarcRecord {
  DmarcPolicy policy = DmarcPolicy::none;
  DmarcPolicy subdomain_policy = DmarcPolicy::none;  // sp=, else as `policy`
  bool strict_dkim = false;
  bool strict_spf = false;
  bool is_testing = false;  // t=y
  unsigned percent = 100;
  DmarcSuffix suffix = DmarcSuffix::unsaid;
  std::vector<std::string> reports;  // rua=
};

// Whether a TXT record is one of DMARC: its first tag is v=DMARC1.
[[nodiscard]] bool is_dmarc(Bytes text);

// Precondition: is_dmarc(text). An error says in words why receivers pass it over.
[[nodiscard]] Result<DmarcRecord, std::string> parse_dmarc(Bytes text);

}  // namespace ringpost::cli
